// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/vector_index.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <hnswlib/hnswlib.h>
#include <mutex>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>

namespace vectordb {

namespace {

/// The one metric of ours that hnswlib has not.
class ManhattanSpace final : public hnswlib::SpaceInterface<float> {
 public:
  explicit ManhattanSpace(std::size_t size) : size_(size) {}
  std::size_t get_data_size() override { return size_ * sizeof(float); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
  void* get_dist_func_param() override { return &size_; }

 private:
  static float distance(const void* left, const void* right, const void* size) {
    const auto* a = static_cast<const float*>(left);
    const auto* b = static_cast<const float*>(right);
    float sum = 0;
    for (std::size_t i = 0; i < *static_cast<const std::size_t*>(size); ++i)
      sum += std::fabs(a[i] - b[i]);
    return sum;
  }

  std::size_t size_;
};

std::unique_ptr<hnswlib::SpaceInterface<float>> space_of(const CollectionConfig& config) {
  if (config.distance == Distance::Euclid) return std::make_unique<hnswlib::L2Space>(config.size);
  if (config.distance == Distance::Manhattan) return std::make_unique<ManhattanSpace>(config.size);
  return std::make_unique<hnswlib::InnerProductSpace>(config.size);
}

class Allowed final : public hnswlib::BaseFilterFunctor {
 public:
  explicit Allowed(const SlotFilter& filter) : filter_(filter) {}
  bool operator()(hnswlib::labeltype label) override { return filter_(static_cast<Slot>(label)); }

 private:
  const SlotFilter& filter_;
};

/// The labels are our slots. hnswlib's own reuse of deleted elements is not used: it picks the
/// element, and loses a live one whose label was a deleted one's. A slot that is put again takes
/// its old element, whose links are made anew.
class HnswIndex final : public VectorIndex {
 public:
  explicit HnswIndex(const CollectionConfig& config)
      : config_(config),
        space_(space_of(config)),
        graph_(space_.get(), kFirst, config.hnsw.m, config.hnsw.ef_construct),
        elements_(kFirst, kNone) {
    graph_.setEf(1);  // shared by all searches; each asks for as many results as its own ef
  }

  void reserve(std::size_t slots) override {
    if (slots <= graph_.max_elements_) return;
    const std::size_t size = std::max(slots, graph_.max_elements_ + graph_.max_elements_ / 2);
    elements_.resize(size, kNone);
    graph_.resizeIndex(size);
    ask_for_huge_pages();
  }

  void put(Slot slot, std::span<const float> vector) override {
    const bool is_new = elements_[slot] == kNone || graph_.isMarkedDeleted(elements_[slot]);
    try {
      elements_[slot] = graph_.addPoint(vector.data(), slot, kAnyLevel);
    } catch (...) {
      if (is_new) hide(slot);
      throw;
    }
  }

  void erase(Slot slot) override { graph_.markDelete(slot); }

  std::span<const float> vector(Slot slot) const override { return {data(slot), config_.size}; }

  float distance(std::span<const float> query, Slot slot) const override {
    return graph_.fstdistfunc_(query.data(), data(slot), graph_.dist_func_param_);
  }

  std::vector<Neighbour> search(std::span<const float> query, std::size_t ef,
                                const SlotFilter* filter) const override {
    std::vector<Neighbour> found;
    if (graph_.enterpoint_node_ == kNone) return found;
    std::optional<Allowed> allowed;
    if (filter) allowed.emplace(*filter);
    auto queue = graph_.searchKnn(query.data(), ef, allowed ? &*allowed : nullptr);
    found.reserve(queue.size());
    for (; !queue.empty(); queue.pop())
      found.push_back({queue.top().first, static_cast<Slot>(queue.top().second)});
    return found;
  }

  std::size_t bytes() const override {
    // Of the upper layers only their expected size: a point is on layer l with m^-l.
    const double upper = static_cast<double>(graph_.size_links_per_element_) /
                         (static_cast<double>(config_.hnsw.m) - 1);
    const std::size_t count = graph_.cur_element_count;
    return graph_.max_elements_ * (graph_.size_data_per_element_ + sizeof(char*) + sizeof(int) +
                                   sizeof(std::mutex) + sizeof(hnswlib::tableint)) +
           count * kLookup + static_cast<std::size_t>(upper * static_cast<double>(count));
  }

 private:
  /// From searches: an element that was put in by half, or that is none yet.
  void hide(Slot slot) noexcept {
    try {
      graph_.markDelete(slot);
    } catch (const std::exception&) {  // the graph does not know it, or has it hidden
    }
  }

  /// A search touches as many pages as points, more than the processor can translate by heart: by
  /// pages of 2 MB it takes a fifth less. Where the kernel has none, it goes on without.
  void ask_for_huge_pages() noexcept {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(graph_.data_level0_memory_);
    const std::uintptr_t first = (begin + page - 1) / page * page;
    const std::uintptr_t end = begin + graph_.max_elements_ * graph_.size_data_per_element_;
    if (end - begin < kHugePage) return;
    ::madvise(reinterpret_cast<void*>(first), end / page * page - first, MADV_HUGEPAGE);
  }

  static constexpr std::uintptr_t kHugePage = 2 << 20;
  static constexpr std::size_t kFirst = 256;
  static constexpr int kAnyLevel = -1;
  static constexpr auto kNone = static_cast<hnswlib::tableint>(-1);
  static constexpr std::size_t kLookup = 48;  // of the graph's table from labels to elements

  const float* data(Slot slot) const {
    return static_cast<const float*>(
        static_cast<const void*>(graph_.getDataByInternalId(elements_[slot])));
  }

  CollectionConfig config_;
  std::unique_ptr<hnswlib::SpaceInterface<float>> space_;
  hnswlib::HierarchicalNSW<float> graph_;
  std::vector<hnswlib::tableint> elements_;  // by slot; the graph's own table is behind a mutex
};

}  // namespace

std::unique_ptr<VectorIndex> make_hnsw_index(const CollectionConfig& config) {
  return std::make_unique<HnswIndex>(config);
}

}  // namespace vectordb
