// SPDX-License-Identifier: BSL-1.0
// Seed 1 scene 2: five queries as tasks, gathered.
#include "python.hpp"

using namespace py;

class Database;

struct User {
  int id;
  std::string name;
};

Coro<User> query_user(Database*, int user_id) {
  co_await asyncio::sleep(10ms);
  co_return User{user_id, f("User {}", user_id)};
}

Coro<> main_() {
  auto query = [](int uid) { return asyncio::create_task(query_user(nullptr, uid)); };
  auto tasks = map(query, list(1, 2, 3, 4, 5));
  auto users = co_await asyncio::gather(tasks);
  print(f("查询到 {} 个用户", len(users)));
  for (const auto& u : users) print(u.id, u.name);
}

int main() { asyncio::run(main_()); }
