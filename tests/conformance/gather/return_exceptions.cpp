// SPDX-License-Identifier: BSL-1.0
// With return_exceptions=True exceptions are results, in place, and everything is waited for.
#include "python.hpp"

using namespace py;

Coro<int> ok(int v) {
  co_await asyncio::sleep(0s);
  co_return v;
}

Coro<int> bad(std::exception_ptr e) {
  std::rethrow_exception(e);
  co_return 0;
}

Coro<> main_() {
  auto results = co_await asyncio::gather(asyncio::return_exceptions, ok(1),
                                          bad(std::make_exception_ptr(ValueError("v"))), ok(3),
                                          bad(std::make_exception_ptr(KeyError("k"))));
  for (const auto& [i, r] : enumerate(list(results))) {
    if (isinstance<Exception>(r))
      print(i, "exception", type_name(r.exception()));
    else
      print(i, "value", r);
  }
}

int main() { asyncio::run(main_()); }
