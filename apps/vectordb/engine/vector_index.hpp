// SPDX-License-Identifier: BSL-1.0
/// The vectors, and how their neighbours are found: the only place that knows a library for it.
#pragma once

#include "vectordb/engine/config.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace vectordb {

/// The place of a point, used again after it is gone.
using Slot = std::uint32_t;
using SlotFilter = std::function<bool(Slot)>;

struct Neighbour {
  float distance = 0;  ///< the lower, the nearer, for every Distance
  Slot slot = 0;
};

/// Thread: changes by one thread with nobody else in it, except that several may `put` different
/// slots at once if there is room for all of them; everything else by many at once.
class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  /// Room for as many slots as this, at least.
  virtual void reserve(std::size_t slots) = 0;
  /// Puts a vector in, also where one is or was. There has to be room. If it throws, as there is no
  /// memory, where none was is none.
  virtual void put(Slot slot, std::span<const float> vector) = 0;
  virtual void erase(Slot slot) = 0;

  virtual std::span<const float> vector(Slot slot) const = 0;
  virtual float distance(std::span<const float> query, Slot slot) const = 0;
  /// Some of the nearest, up to `ef`, in no order; more of the truly nearest with a higher `ef`.
  /// Only those that pass `filter`, if it is not null.
  virtual std::vector<Neighbour> search(std::span<const float> query, std::size_t ef,
                                        const SlotFilter* filter) const = 0;
  virtual std::size_t bytes() const = 0;
};

/// The graph of hnswlib.
std::unique_ptr<VectorIndex> make_hnsw_index(const CollectionConfig& config);

}  // namespace vectordb
