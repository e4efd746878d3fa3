// SPDX-License-Identifier: BSL-1.0
/// Recall and speed of apps/vectordb/engine in this process, beside plain hnswlib's.
#pragma once

#include "report.hpp"
#include "vectordb/engine/collection.hpp"

#include <vector>

namespace bench {

/// At each ef from 16 to 512, in powers of two, and at the default.
asyncio::Coro<std::vector<CurvePoint>> curve_of(vectordb::Collection collection, Plain& plain,
                                                const Setup& setup);

}  // namespace bench
