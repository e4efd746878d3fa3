// SPDX-License-Identifier: BSL-1.0
/// The end of a read that nobody waits for any more.
#pragma once

#include "vectordb/engine/errors.hpp"

#include <stop_token>

namespace vectordb {

/// Nobody gets it: whoever asked has gone.
class Stopped : public Error {
 public:
  Stopped() : Error("the read was stopped") {}
};

/// Throws: Stopped once that was asked for.
inline void check(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Stopped();
}

}  // namespace vectordb
