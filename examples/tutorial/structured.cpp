// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <numeric>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [structured]
struct User {
  int id;
  std::string name;
};

Coro<User> fetch_user(int id) {
  co_await sleep(10ms);
  User user{id, "user_" + std::to_string(id)};
  co_return user;
}

Coro<std::vector<std::string>> fetch_posts(const User& user) {
  co_await sleep(10ms);
  std::vector<std::string> posts;
  for (int i = 0; i < 3; ++i) posts.push_back(user.name + "'s post " + std::to_string(i));
  co_return posts;
}

Coro<std::size_t> program() {
  User user = co_await fetch_user(1);
  std::cout << "user: " << user.name << "\n";
  auto posts = co_await fetch_posts(user);
  for (const auto& post : posts) std::cout << post << "\n";
  co_return posts.size();
}

int main() {
  std::size_t posts = run(program());
  std::cout << posts << " posts\n";
}
// [/structured]
