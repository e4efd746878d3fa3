// SPDX-License-Identifier: BSL-1.0
// The functions that make up with, try_ and Condition::wait_for.
#include "asyncio/asyncio.hpp"

using namespace asyncio;
using namespace std::chrono_literals;

Coro<int> job();

// refused: with() needs a context manager: a class with aenter() and aexit(std::exception_ptr)
Coro<> manager() {
  co_await with(5, [] {});
}
// refused: the body takes what the manager's aenter gives, or nothing
Coro<> body() {
  co_await with(timeout(1s), [](int, int) {});
}

// refused: try_ and finally_ take a function without arguments
Coro<> no_body() { co_await try_(5); }
// refused: try_ and finally_ take a function without arguments
Coro<> last() {
  co_await try_([] {}).finally_([](int) {});
}
// refused: except<E> takes a function of E&, of E& and std::exception_ptr, or of nothing
Coro<> handler() {
  co_await try_(job).except<ValueError>([](int) {});
}
// refused: the except part returns another type than the body of try_
Coro<> other() {
  co_await try_(job).except<ValueError>([] { return std::string(); });
}

// refused: the except part returns another type than the body of try_
Coro<> other_for_all() {
  co_await try_(job).except([] { return std::vector<int>(); });
}
// refused: except without a type takes a function of std::exception_ptr, or of nothing
Coro<> takes_number() {
  co_await try_(job).except([](int) { return 1; });
}
// refused: aexit returns whether to swallow the exception, or nothing
struct Textual {
  void aenter() {}
  std::string aexit(std::exception_ptr) { return {}; }
};
Coro<> left_with_a_text() { co_await with(Textual(), job); }

// refused: the predicate does not await: co_await the condition in a loop instead
Coro<> awaits(Condition& c) { co_await c.wait_for(job); }
// refused: the predicate takes no argument
Coro<> takes(Condition& c) {
  co_await c.wait_for([](int) { return true; });
}
