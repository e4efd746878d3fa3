// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/vector_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <hnswlib/hnswlib.h>
#include <mutex>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

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

using Graph = hnswlib::HierarchicalNSW<float>;

/// The labels are our slots. hnswlib's own reuse of deleted elements is not used: it picks the
/// element, and loses a live one whose label was a deleted one's. A slot that is put again takes
/// its old element, whose links are made anew.
class HnswIndex final : public VectorIndex {
 public:
  explicit HnswIndex(const CollectionConfig& config)
      : config_(config),
        space_(space_of(config)),
        graph_(space_.get(), kFirst, config.hnsw.m, config.hnsw.ef_construct),
        elements_(kFirst, kNone) {}

  void reserve(std::size_t slots) override {
    if (slots <= graph_.max_elements_) return;
    const std::size_t size = std::max(slots, graph_.max_elements_ + graph_.max_elements_ / 2);
    elements_.resize(size, kNone);
    graph_.resizeIndex(size);
    ask_for_huge_pages();
  }

  void put(Slot slot, std::span<const float> vector) override {
    const bool is_new = elements_[slot] == kNone || graph_.isMarkedDeleted(elements_[slot]);
    // Making the links anew takes ten times as long as making them.
    if (!is_new && std::ranges::equal(this->vector(slot), vector, is_same_bits)) return;
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
    const hnswlib::tableint entry = entry_for(query);
    const Found nearest = allowed || graph_.num_deleted_ > 0
                              ? graph_.searchBaseLayerST<false>(entry, query.data(), ef,
                                                                allowed ? &*allowed : nullptr)
                              : graph_.searchBaseLayerST<true>(entry, query.data(), ef);
    const auto& all = Opened::elements(nearest);
    found.reserve(all.size());
    for (const auto& [distance, element] : all)
      found.push_back({distance, static_cast<Slot>(graph_.getExternalLabel(element))});
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
  /// 0 and -0 are not, and what is no number is.
  static bool is_same_bits(float a, float b) noexcept {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  }

  /// From searches: an element that was put in by half, or that is none yet.
  void hide(Slot slot) noexcept {
    try {
      graph_.markDelete(slot);
    } catch (const std::exception&) {  // the graph does not know it, or has it hidden
    }
  }

  using Found = decltype(std::declval<Graph>().searchBaseLayerST<true>(0, nullptr, 0));
  /// Its elements, without taking one after the other from the heap.
  struct Opened : Found {
    static const container_type& elements(const Found& queue) { return queue.*&Opened::c; }
  };

  /// Where the lowest layer is entered: through those above it, always to the nearest.
  hnswlib::tableint entry_for(std::span<const float> query) const {
    hnswlib::tableint nearest = graph_.enterpoint_node_;
    float least = distance_to(query, nearest);
    for (int level = graph_.maxlevel_; level > 0; --level)
      while (step(query, level, nearest, least)) {
      }
    return nearest;
  }

  bool step(std::span<const float> query, int level, hnswlib::tableint& nearest,
            float& least) const {
    hnswlib::linklistsizeint* list = graph_.get_linklist(nearest, level);
    const hnswlib::tableint before = nearest;
    for (hnswlib::tableint element : std::span(list + 1, graph_.getListCount(list))) {
      const float distance = distance_to(query, element);
      if (!(distance < least)) continue;  // as the library, also of NaN
      least = distance;
      nearest = element;
    }
    return nearest != before;
  }

  float distance_to(std::span<const float> query, hnswlib::tableint element) const {
    return graph_.fstdistfunc_(query.data(), graph_.getDataByInternalId(element),
                               graph_.dist_func_param_);
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
  Graph graph_;
  std::vector<hnswlib::tableint> elements_;  // by slot; the graph's own table is behind a mutex
};

}  // namespace

std::unique_ptr<VectorIndex> make_hnsw_index(const CollectionConfig& config) {
  return std::make_unique<HnswIndex>(config);
}

}  // namespace vectordb
