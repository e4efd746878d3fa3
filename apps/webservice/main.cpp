// SPDX-License-Identifier: BSL-1.0
// The tutorials' web service, grown to a real one; --help says what it does.
#include "webservice/options.hpp"
#include "webservice/service.hpp"
#include <asyncio/runner.hpp>

int main(int argc, char** argv) {
  webservice::Options options;
  if (auto status = webservice::parse(argc, argv, options)) return *status;
  return asyncio::run_main(webservice::serve(options));
}
