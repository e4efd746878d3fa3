// SPDX-License-Identifier: BSL-1.0
/// `?timeout=` of reads.
#pragma once

#include "vectordb/server/endpoint.hpp"

#include <chrono>
#include <optional>

namespace vectordb {

/// Throws   InvalidArgument for one that is no whole number from 1.
std::optional<std::chrono::seconds> timeout_of(const asyncio::web::Request& request);

/// Awaits `read`, and cancels it if it takes longer than that.
///
/// Throws   HTTPRequestTimeout.
asyncio::Coro<ResultText> within(std::optional<std::chrono::seconds> limit,
                                 asyncio::Coro<ResultText> read);

/// A route that takes `?timeout=`.
template <class F>
void read_route(asyncio::web::Application& app, std::string_view method, std::string_view path,
                F endpoint) {
  route(app, method, path,
        [endpoint](asyncio::web::Request& request, std::string name) -> asyncio::Coro<ResultText> {
          auto limit = timeout_of(request);
          co_return co_await within(limit, endpoint(request, std::move(name)));
        });
}

}  // namespace vectordb
