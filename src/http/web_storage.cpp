// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"
#include "asyncio/web/storage.hpp"

#include <string>

namespace asyncio::web {

void Storage::refuse(const char* name) {
  throw LookupError("there is no value for the key '" + std::string(name) + "': see set()");
}

}  // namespace asyncio::web
