// SPDX-License-Identifier: BSL-1.0
/// What is decided by a text of the other side: which route a path has and with what parts, which
/// file of a folder it gets and in what coding, whose session a cookie is. And what the environment
/// excepts from its proxy. Each is compared with a plain model, or with the same said otherwise.
#include "routes.hpp"

#include "asyncio/logging.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace asyncio;
  static bool quiet = (set_log_handler([](const LogRecord&) {}), true);
  (void)quiet;
  fuzz::Choices choices(data, size);
  switch (choices.below(8)) {
    case 0:
      fuzz::find_routes(choices);
      break;
    case 1:
      fuzz::add_any_pattern(choices.rest());
      break;
    case 2:
      fuzz::ask_for_files(choices);
      break;
    case 3:
      fuzz::choose_coding(choices);
      break;
    case 4:
      fuzz::accept_anything(choices.rest());
      break;
    case 5:
      fuzz::except_hosts(choices);
      break;
    case 6:
      fuzz::except_networks(choices);
      break;
    default:
      fuzz::visit_again(choices);
  }
  return 0;
}
