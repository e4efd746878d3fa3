// SPDX-License-Identifier: BSL-1.0
#include "asyncio/context.hpp"

#include "asyncio/detail/core/thread_state.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

namespace asyncio {

namespace detail {

/// A few variables at most, so a flat array beats a tree. Immutable while shared; the count is
/// atomic because a context goes along into worker threads.
class ContextMap {
 public:
  struct Entry {
    const void* variable;
    std::any value;
  };

  std::atomic<std::size_t> references{1};
  std::vector<Entry> entries;
};

void ContextRef::acquire(ContextMap* map) noexcept {
  map->references.fetch_add(1, std::memory_order_relaxed);
}

void ContextRef::release(ContextMap* map) noexcept {
  // Pairs with itself: the last owner sees all that the others did to the entries.
  if (map->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete map;
}

const std::any* ContextRef::find(const void* variable) const noexcept {
  if (!map_) return nullptr;
  for (const auto& entry : map_->entries)
    if (entry.variable == variable) return &entry.value;
  return nullptr;
}

void ContextRef::set(const void* variable, std::any value) {
  ContextRef next;
  next.map_ = new ContextMap;
  if (map_) next.map_->entries = map_->entries;
  auto& entries = next.map_->entries;
  auto same = [variable](const auto& entry) { return entry.variable == variable; };
  auto found = std::find_if(entries.begin(), entries.end(), same);
  if (found != entries.end())
    found->value = std::move(value);
  else
    entries.push_back({variable, std::move(value)});
  *this = std::move(next);
}

void ContextRef::erase(const void* variable) {
  if (!find(variable)) return;
  ContextRef next;
  next.map_ = new ContextMap;
  for (const auto& entry : map_->entries)
    if (entry.variable != variable) next.map_->entries.push_back(entry);
  *this = std::move(next);
}

std::size_t ContextRef::size() const noexcept { return map_ ? map_->entries.size() : 0; }

namespace {

/// The values that code outside any task or callback sees.
ContextRef& thread_context() noexcept {
  static thread_local ContextRef context;
  return context;
}

}  // namespace

ContextRef& current_context() noexcept {
  ContextRef* context = thread_state.context;
  return context ? *context : thread_context();
}

ContextRef* exchange_context(ContextRef* context) noexcept {
  return std::exchange(thread_state.context, context);
}

}  // namespace detail

Context& Context::operator=(const Context& other) noexcept {
  ++other.cell_->references;
  if (--cell_->references == 0) delete cell_;
  cell_ = other.cell_;
  return *this;
}

Context Context::copy() const {
  Context result;
  result.cell_->values = cell_->values;
  return result;
}

Context copy_context() {
  Context result;
  result.cell_->values = detail::current_context();
  return result;
}

namespace detail {

Context ContextSlot::share() {
  if (!shared_) {
    shared_ = new Context::Cell;
    // Running code may have this slot current; it goes on with the shared values.
    bool current = thread_state.context == &own_;
    shared_->values = std::move(own_);
    if (current) thread_state.context = &shared_->values;
  }
  return Context(shared_);
}

}  // namespace detail

}  // namespace asyncio
