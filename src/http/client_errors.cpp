// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client_errors.hpp"

namespace asyncio::http {

ClientError::~ClientError() = default;

}  // namespace asyncio::http
