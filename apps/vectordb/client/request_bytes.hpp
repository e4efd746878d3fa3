// SPDX-License-Identifier: BSL-1.0
/// How large requests become.
#pragma once

#include "vectordb/client/options.hpp"
#include "vectordb/engine/point.hpp"

#include <cstddef>

namespace vectordb {

/// What a point takes in the body of a request, at most.
std::size_t request_bytes(const Point& point);

/// What is left of a request for points; the first always goes in, since it has no half.
class RequestRoom {
 public:
  explicit RequestRoom(std::size_t bytes) noexcept : bytes_(bytes) {}

  /// Returns: whether the point goes in as well; if not, it is for the next request.
  bool take(const Point& point);

 private:
  std::size_t bytes_;
  std::size_t taken_ = 0;
};

}  // namespace vectordb
