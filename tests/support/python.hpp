// SPDX-License-Identifier: BSL-1.0
/// What Python has built in, as far as the conformance programs use it: print, f-strings,
/// exceptions, and the small change of lists. A port includes this alone and says
/// `using namespace py`; what it takes from asyncio it writes as Python does, `asyncio::sleep`.
#pragma once

#include "python_exceptions.hpp"
#include "python_lists.hpp"
#include "python_text.hpp"
#include <asyncio/asyncio.hpp>
#include <asyncio/testing/simulated.hpp>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace py {

using namespace std::literals;
using asyncio::Coro;

/// Things to try, and things to try with names: `for (const auto& [name, call] : Calls{...})`.
using Call = std::function<void()>;
using Calls = std::vector<std::pair<std::string, Call>>;

/// `finally` without an await: called at the end of its block.
template <class F>
class Finally {
 public:
  explicit Finally(F function) : function_(std::move(function)) {}
  ~Finally() { function_(); }
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;

 private:
  F function_;
};

/// isinstance(x, asyncio.Task).
template <template <class> class Class, class X>
constexpr bool isinstance(const X&) {
  return std::is_same_v<X, Class<typename X::value_type>>;
}

/// time.sleep: the thread does nothing meanwhile; on a simulated loop its clock moves on.
inline void blocking_sleep(asyncio::Delay amount) { asyncio::testing::block_for(amount); }

}  // namespace py
