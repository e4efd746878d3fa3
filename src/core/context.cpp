// SPDX-License-Identifier: BSL-1.0
#include "asyncio/context.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
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

ContextSlot::ContextSlot(const Context& given) noexcept
    : bits_(reinterpret_cast<std::uintptr_t>(given.cell_) | kCell) {
  given.cell_->add_reference();
}

void ContextSlot::add_reference(std::uintptr_t map) noexcept {
  reinterpret_cast<ContextMap*>(map)->references.fetch_add(1, std::memory_order_relaxed);
}

void ContextSlot::release(std::uintptr_t bits) noexcept {
  if (ContextCell* cell = cell_of(bits)) return cell->drop_reference();
  // Pairs with itself: the last owner sees all that the others did to the entries.
  auto* map = reinterpret_cast<ContextMap*>(bits);
  if (map->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete map;
}

ContextCell* ContextSlot::cell() const noexcept { return cell_of(bits_); }

bool ContextSlot::is(const ContextCell& given) const noexcept { return cell() == &given; }

ContextMap* ContextSlot::map() const noexcept {
  return reinterpret_cast<ContextMap*>(cell() ? cell()->slot.bits_ : bits_);
}

/// Takes over the reference to `map`.
void ContextSlot::set_map(ContextMap* map) noexcept {
  std::uintptr_t& bits = cell() ? cell()->slot.bits_ : bits_;
  std::uintptr_t old = std::exchange(bits, reinterpret_cast<std::uintptr_t>(map));
  if (old) release(old);
}

const std::any* ContextSlot::find(const void* variable) const noexcept {
  const ContextMap* current = map();
  if (!current) return nullptr;
  for (const auto& entry : current->entries)
    if (entry.variable == variable) return &entry.value;
  return nullptr;
}

void ContextSlot::set(const void* variable, std::any value) {
  auto next = std::make_unique<ContextMap>();
  if (map()) next->entries = map()->entries;
  auto& entries = next->entries;
  auto same = [variable](const auto& entry) { return entry.variable == variable; };
  auto found = std::find_if(entries.begin(), entries.end(), same);
  if (found != entries.end())
    found->value = std::move(value);
  else
    entries.push_back({variable, std::move(value)});
  set_map(next.release());
}

void ContextSlot::erase(const void* variable) {
  if (!find(variable)) return;
  auto next = std::make_unique<ContextMap>();
  for (const auto& entry : map()->entries)
    if (entry.variable != variable) next->entries.push_back(entry);
  set_map(next.release());
}

std::size_t ContextSlot::size() const noexcept { return map() ? map()->entries.size() : 0; }

Context ContextSlot::share() {
  if (!cell()) {
    auto* made = new ContextCell;
    // Running code may have this slot current; it goes on with the cell's values.
    made->slot.bits_ = bits_;
    bits_ = reinterpret_cast<std::uintptr_t>(made) | kCell;
  }
  return Context(cell());
}

ContextSlot& thread_context() noexcept {
  static thread_local ContextSlot context(ContextSlot::Empty::empty);
  return context;
}

}  // namespace detail

Context& Context::operator=(const Context& other) noexcept {
  other.cell_->add_reference();
  cell_->drop_reference();
  cell_ = other.cell_;
  return *this;
}

Context Context::copy() const {
  Context result;
  result.cell_->slot = detail::ContextSlot(cell_->slot);
  return result;
}

Context copy_context() {
  Context result;
  result.cell_->slot = detail::ContextSlot();
  return result;
}

}  // namespace asyncio
