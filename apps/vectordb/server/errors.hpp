// SPDX-License-Identifier: BSL-1.0
/// Errors as answers: {"status": {"error": "vector[3]: not a number"}, "time": 0.0001}.
#pragma once

#include <asyncio/web/application.hpp>

#include <cstddef>
#include <string>

namespace vectordb {

/// A middleware; what is thrown inside it becomes an answer. Endpoints that Qdrant has and this
/// server has not are 501, others 404.
asyncio::web::Middleware error_answers(std::size_t max_body_bytes);

/// A middleware that asks for `key`, in the header api-key or as a bearer token, but for /healthz
/// and its like.
asyncio::web::Middleware require_api_key(std::string key);

}  // namespace vectordb
