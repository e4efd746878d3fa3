// SPDX-License-Identifier: BSL-1.0
// The tutorials' web service, grown to a real one; --help says what it does.
#include "webservice/options.hpp"
#include "webservice/service.hpp"
#include <asyncio/exceptions.hpp>
#include <asyncio/runner.hpp>

#include <cstdio>
#include <string>

namespace {

/// Returns the exit status. What the user can mend, a port that is taken say, is said in a line.
asyncio::Coro<int> serve_or_explain(const webservice::Options& options) {
  std::string problem;
  try {
    co_await webservice::serve(options);
    co_return 0;
  } catch (const asyncio::OSError& error) {
    problem = error.what();
  } catch (const asyncio::ValueError& error) {
    problem = error.what();
  }
  std::fprintf(stderr, "webservice: %s\n", problem.c_str());
  co_return 1;
}

}  // namespace

int main(int argc, char** argv) {
  webservice::Options options;
  if (auto status = webservice::parse(argc, argv, options)) return *status;
  return asyncio::run_main(serve_or_explain(options));
}
