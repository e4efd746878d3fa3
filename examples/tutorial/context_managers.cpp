// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;

// [manager]
class Transaction {
 public:
  explicit Transaction(std::string name) : name_(std::move(name)) {}

  Coro<Transaction&> aenter() {
    co_await sleep(1ms);
    std::cout << "begin " << name_ << "\n";
    co_return *this;
  }
  Coro<bool> aexit(std::exception_ptr error) {
    co_await sleep(1ms);
    std::cout << (error ? "roll back " : "commit ") << name_ << "\n";
    co_return false;  // true would swallow the error
  }
  Coro<int> update() {
    co_await sleep(1ms);
    co_return 3;
  }

 private:
  std::string name_;
};
// [/manager]

// [use]
Coro<> program() {
  int rows = co_await with(Transaction("first"),
                           [&](Transaction& t) -> Coro<int> { co_return co_await t.update(); });
  std::cout << rows << " rows\n";

  Transaction named("second");
  auto outcome = co_await capture(with(named, []() -> Coro<> {
    throw ValueError("no");
    co_return;
  }));
  std::cout << "failed: " << std::boolalpha << outcome.has_exception() << "\n";

  co_await with(Transaction("third"), timeout(1s),
                [&](Transaction& t, Timeout&) -> Coro<> { co_await t.update(); });

  co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
    for (const char* name : {"fourth", "fifth"}) {
      auto manager = Transaction(name);
      co_await stack.enter_async_context(std::move(manager));
    }
  });
}
// [/use]

int main() { run(program()); }
