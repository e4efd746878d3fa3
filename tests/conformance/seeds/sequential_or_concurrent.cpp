// SPDX-License-Identifier: BSL-1.0
// Seed 1 examples 1 and "performance": awaiting one by one has one call in flight, tasks and
// gather have all.
#include "python.hpp"

#include <algorithm>

using namespace py;

int in_flight = 0;
int peak = 0;

Coro<std::string> fetch_user(int user_id) {
  in_flight += 1;
  peak = std::max(peak, in_flight);
  co_await asyncio::sleep(10ms);
  in_flight -= 1;
  co_return f("User {}", user_id);
}

void report(std::string label, std::vector<std::string> users) {
  print(label, "; peak in flight:", peak, ";", join(", ", users));
  peak = 0;
}

Coro<> main_() {
  std::vector<std::string> users;
  for (int i : {1, 2, 3}) users.push_back(co_await fetch_user(i));
  report("顺序执行", users);
  auto start = [](int i) { return asyncio::create_task(fetch_user(i)); };
  auto tasks = map(start, list(1, 2, 3));
  users.clear();
  for (auto& t : tasks) users.push_back(co_await t);
  report("create_task", users);
  report("gather", list(co_await asyncio::gather(fetch_user(1), fetch_user(2), fetch_user(3))));
  users.clear();
  for (int i : range(5)) users.push_back(co_await asyncio::create_task(fetch_user(i)));
  print(users == co_await asyncio::gather(map(fetch_user, range(5))));
}

int main() { asyncio::run(main_()); }
