// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/reads.hpp"
#include "vectordb/engine/stopping.hpp"
#include "vectordb/engine/validation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <shared_mutex>
#include <tuple>

namespace vectordb {

namespace {

/// One search, with the lock held.
class Search {
 public:
  Search(const PointTable& table, const SearchRequest& request, const std::stop_token& stop)
      : table_(table),
        request_(request),
        stop_(stop),
        query_(request.vector),
        wanted_(request.offset + request.limit),
        ef_(std::max(request.hnsw_ef.value_or(table.config().hnsw.default_ef()), wanted_)) {
    if (distance() == Distance::Cosine) normalize(query_);
  }

  SearchOutcome run() {
    SearchOutcome outcome;
    std::vector<Neighbour> found;
    outcome.was_exact = is_exact();
    if (!outcome.was_exact) {
      found = approximate();
      // The graph may have lost sight of some, and a filter may have left fewer than it seemed.
      const std::size_t most = is_filtered() ? wanted_ : table_.ids().size();
      outcome.was_exact = found.size() < std::min(wanted_, most);
    }
    if (outcome.was_exact)
      found = exact();
    else
      keep_wanted(found);
    outcome.points = ranked(found);
    return outcome;
  }

 private:
  Distance distance() const noexcept { return table_.config().distance; }

  bool is_filtered() const noexcept { return !request_.filter.empty() || request_.excluded; }

  bool matches(Slot slot) const {
    const PointTable::Entry& entry = table_.entries()[slot];
    return entry.live && entry.id != request_.excluded &&
           request_.filter.matches(entry.id, entry.payload, stop_);
  }

  /// For hnswlib, out of which no exception may come, as it would not give back its lists. Of a
  /// search that is stopped everything matches, so that it soon has enough.
  bool matches_in_graph(Slot slot) const {
    try {
      return matches(slot);
    } catch (const Stopped&) {
      return true;
    }
  }

  bool is_exact() const {
    const std::size_t bytes = table_.ids().size() * table_.config().size * sizeof(float);
    if (request_.exact || bytes <= table_.config().hnsw.full_scan_threshold * 1024) return true;
    return is_filtered() && is_selective();
  }

  /// Through the graph, a search goes on until it has found `ef` points that match: if one in n
  /// does, it visits n * ef of them, each at about twice the cost of one in a row.
  bool is_selective() const {
    constexpr std::size_t kSample = 256;
    const std::size_t all = table_.entries().size();
    const std::size_t step = std::max<std::size_t>(all / kSample, 1);
    std::size_t seen = 0, matching = 0;
    for (std::size_t slot = 0; slot < all; slot += step, ++seen)
      matching += matches(static_cast<Slot>(slot));
    return matching * all < 2 * ef_ * seen;
  }

  std::vector<Neighbour> approximate() const {
    if (!is_filtered()) return table_.index().search(query_, ef_, nullptr);
    const SlotFilter filter = [this](Slot slot) { return matches_in_graph(slot); };
    std::vector<Neighbour> found = table_.index().search(query_, ef_, &filter);
    check(stop_);
    return found;
  }

  /// The order of the result: by distance, then by id.
  bool nearer(const Neighbour& left, const Neighbour& right) const {
    if (left.distance != right.distance) return left.distance < right.distance;
    return table_.entries()[left.slot].id < table_.entries()[right.slot].id;
  }

  auto nearest_first() const {
    return [this](const Neighbour& a, const Neighbour& b) { return nearer(a, b); };
  }

  /// The graph finds `ef`: what is not wanted needs no score.
  void keep_wanted(std::vector<Neighbour>& found) const {
    if (found.size() <= wanted_) return;
    for (Neighbour& neighbour : found) neighbour.distance = bounded(neighbour.distance);
    std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(wanted_),
                     found.end(), nearest_first());
    found.resize(wanted_);
  }

  std::vector<Neighbour> exact() const {
    auto order = nearest_first();
    std::vector<Neighbour> heap;  // the farthest in front
    const std::size_t all = table_.entries().size();
    for (std::size_t i = 0; i < all && wanted_ > 0; ++i) {
      const auto slot = static_cast<Slot>(i);
      check(stop_);
      if (!matches(slot)) continue;
      const Neighbour neighbour{bounded(table_.index().distance(query_, slot)), slot};
      if (heap.size() == wanted_) {
        if (!nearer(neighbour, heap.front())) continue;
        std::pop_heap(heap.begin(), heap.end(), order);
        heap.pop_back();
      }
      heap.push_back(neighbour);
      std::push_heap(heap.begin(), heap.end(), order);
    }
    return heap;
  }

  /// Of large numbers it overflows, and is NaN where two infinities meet: those are the farthest.
  static float bounded(float distance) {
    return std::isnan(distance) ? kLargest : std::clamp(distance, -kLargest, kLargest);
  }

  /// The index's distance is one minus the product, and the square of Euclid's.
  float score(Slot slot) const {
    const std::span<const float> vector = table_.index().vector(slot);
    double sum = 0;
    for (std::size_t i = 0; i < vector.size(); ++i) {
      const double a = query_[i], b = vector[i];
      if (higher_is_nearer(distance()))
        sum += a * b;
      else
        sum += distance() == Distance::Euclid ? (a - b) * (a - b) : std::fabs(a - b);
    }
    const double score = distance() == Distance::Euclid ? std::sqrt(sum) : sum;
    return static_cast<float>(std::clamp<double>(score, -kLargest, kLargest));
  }

  bool is_good_enough(float score) const {
    if (!request_.score_threshold) return true;
    return higher_is_nearer(distance()) ? score >= *request_.score_threshold
                                        : score <= *request_.score_threshold;
  }

  /// Scores are computed alike for both ways of searching, and in double: so that both give the
  /// same, and equal vectors an equal score.
  std::vector<ScoredPoint> ranked(const std::vector<Neighbour>& found) const {
    const float sign = higher_is_nearer(distance()) ? -1 : 1;
    std::vector<std::tuple<float, PointId, Slot>> order;
    order.reserve(found.size());
    for (const Neighbour& neighbour : found)
      order.emplace_back(sign * score(neighbour.slot), table_.entries()[neighbour.slot].id,
                         neighbour.slot);
    std::sort(order.begin(), order.end());
    std::vector<ScoredPoint> points;
    PayloadRoom own;
    PayloadRoom& room = request_.room ? *request_.room : own;
    for (std::size_t i = request_.offset; i < std::min(wanted_, order.size()); ++i) {
      const auto& [key, id, slot] = order[i];
      check(stop_);
      if (!is_good_enough(sign * key)) break;
      ScoredPoint& point = points.emplace_back();
      point.id = id;
      point.score = sign * key;
      point.payload = room.take(request_.with_payload, table_.entries()[slot].payload);
      if (request_.with_vector) point.vector = vector_of(slot);
    }
    return points;
  }

  Vector vector_of(Slot slot) const {
    const std::span<const float> vector = table_.index().vector(slot);
    return Vector(vector.begin(), vector.end());
  }

  static constexpr float kLargest = std::numeric_limits<float>::max();  // JSON has no infinity

  const PointTable& table_;
  const SearchRequest& request_;
  const std::stop_token& stop_;
  Vector query_;
  std::size_t wanted_;
  std::size_t ef_;
};

}  // namespace

void check(const SearchRequest& request, const CollectionConfig& config) {
  check_vector(request.vector, config.size, request.place + request.vector_name);
  check_limit(request.limit, Limits::kResults, request.place + "limit");
  check_limit(request.offset, Limits::kResults, request.place + "offset");
  if (request.hnsw_ef) check_limit(*request.hnsw_ef, Limits::kEf, request.place + "params.hnsw_ef");
}

SearchOutcome search(const PointTable& table, const SearchRequest& request,
                     const std::stop_token& stop) {
  std::shared_lock guard(table.lock());
  return Search(table, request, stop).run();
}

}  // namespace vectordb
