// SPDX-License-Identifier: BSL-1.0
// Seed 3 section 7, parts 1-4: value, structured data, three concurrent tasks, exceptions both
// ways.
#include "python.hpp"

#include <any>

using namespace py;

struct User {
  int id;
  std::string name;
};

struct Post {
  int id;
  std::string title;
};

Coro<User> fetch_user(int user_id) {
  co_await asyncio::sleep(10ms);
  co_return User{user_id, f("User_{}", user_id)};
}

Coro<std::vector<Post>> fetch_posts(int) {
  co_await asyncio::sleep(10ms);
  co_return map([](int i) { return Post{i, f("Post_{}", i)}; }, range(3));
}

Coro<Dict<std::any>> main_structured() {
  print("获取用户...");
  auto user = co_await fetch_user(1);
  print(f("用户: {}", user.name));
  print("获取文章...");
  auto posts = co_await fetch_posts(1);
  print(f("文章数: {}", len(posts)));
  Dict<std::any> data;
  data["user"] = user;
  data["posts"] = posts;
  co_return data;
}

// the seed's sleep(delay), as deadlines from one common start: the order cannot depend on load
Coro<> sleep_until(asyncio::TimePoint when) {
  auto fut = asyncio::get_running_loop().create_future();
  asyncio::get_running_loop().call_at(when, [&] { fut.set_result(); });
  co_await fut;
}

Coro<std::string> task(std::string name, asyncio::TimePoint until) {
  print(f("[{}] 开始", name));
  co_await sleep_until(until);
  print(f("[{}] 完成", name));
  co_return f("{}_result", name);
}

Coro<std::string> might_fail(bool should_fail) {
  co_await asyncio::sleep(10ms);
  if (should_fail) throw ValueError("任务失败");
  co_return "成功";
}

Coro<> main_exception() {
  try {
    co_await might_fail(true);
  } catch (const ValueError& e) {
    print(f("捕获异常: {}", e));
  }
  auto results = co_await asyncio::gather(asyncio::return_exceptions, might_fail(false),
                                          might_fail(true), might_fail(false));
  for (const auto& [i, r] : enumerate(list(results)))
    print(isinstance<Exception>(r) ? f("任务{}: 异常 - {}", i, r) : f("任务{}: {}", i, r));
}

Coro<std::vector<std::string>> main_concurrent() {
  auto t0 = asyncio::get_running_loop().time();
  co_return list(
      co_await asyncio::gather(task("A", t0 + 30ms), task("B", t0 + 20ms), task("C", t0 + 10ms)));
}

int main() {
  auto data = asyncio::run(main_structured());
  print("获取到数据:", unpack(data.keys()));
  print("结果:", unpack(asyncio::run(main_concurrent())));
  asyncio::run(main_exception());
}
