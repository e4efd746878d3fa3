// SPDX-License-Identifier: BSL-1.0
#include "http/public_suffix.hpp"

#ifdef ASYNCIO_HAS_LIBPSL
#include <libpsl.h>
#endif
#include <string>

namespace asyncio::http::detail {

#ifdef ASYNCIO_HAS_LIBPSL
bool is_public_suffix(std::string_view domain) {
  return ::psl_is_public_suffix(::psl_builtin(), std::string(domain).c_str()) != 0;
}
#else
bool is_public_suffix(std::string_view domain) {
  return domain.find('.') == std::string_view::npos;
}
#endif

}  // namespace asyncio::http::detail
