// SPDX-License-Identifier: BSL-1.0
/// Errors of name resolution.
#pragma once

#include "asyncio/exceptions.hpp"

#include <string>

namespace asyncio {

/// A name could not be resolved. `code()` is getaddrinfo's (EAI_NONAME, ...), `what()` names the
/// host. Python: socket.gaierror.
class GaiError : public OSError {
 public:
  GaiError(int eai_code, const std::string& host);

  const std::string& host() const noexcept { return host_; }

 private:
  std::string host_;
};

}  // namespace asyncio
