// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [connection]
class Connection {
 public:
  Coro<std::string> query(std::string text) {
    co_await sleep(10ms);
    if (text.empty()) throw ValueError("empty query");
    co_return "rows of " + text;
  }
  Coro<> rollback() {
    co_await sleep(5ms);
    std::cout << "rolled back\n";
  }
  Coro<> close() {
    co_await sleep(5ms);
    std::cout << "closed\n";
  }
};
// [/connection]

// [capture]
Coro<std::string> with_capture(Connection& connection, std::string text) {
  Result<std::string> rows = co_await capture(connection.query(text));
  if (!rows) co_await connection.rollback();
  co_await connection.close();
  co_return std::move(rows).value();
}
// [/capture]

// [try]
Coro<std::string> with_try(Connection& connection, std::string text) {
  auto query = [&]() -> Coro<std::string> { co_return co_await connection.query(text); };
  auto undo = [&](ValueError& e) -> Coro<std::string> {
    co_await connection.rollback();
    co_return std::string("nothing: ") + e.what();
  };
  auto close = [&]() -> Coro<> { co_await connection.close(); };
  co_return co_await try_(query).except<ValueError>(undo).finally_(close);
}
// [/try]

// [rethrow]
Coro<std::string> with_pointer(Connection& connection, std::string text) {
  std::string rows;
  std::exception_ptr error;
  try {
    rows = co_await connection.query(text);
  } catch (...) {  // rethrown below
    error = std::current_exception();
  }
  co_await connection.close();
  if (error) std::rethrow_exception(error);
  co_return rows;
}
// [/rethrow]

Coro<> program() {
  Connection connection;
  std::cout << co_await with_capture(connection, "users") << "\n";
  auto failed = co_await capture(with_capture(connection, ""));
  std::cout << describe_exception(failed.exception()) << "\n";
  std::cout << co_await with_try(connection, "") << "\n";
  std::cout << co_await with_pointer(connection, "posts") << "\n";
}

int main() { run(program()); }
