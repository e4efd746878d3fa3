// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/method.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"

namespace asyncio::http {

void Method::refuse(std::string_view text) {
  if (detail::is_token(text))
    throw ValueError("method " + detail::quoted(text) + ": is longer than " +
                     std::to_string(max_size) + " bytes");
  throw ValueError("method " + detail::quoted(text) + ": is no token");
}

}  // namespace asyncio::http
