// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/asyncio.hpp"
#include "asyncio/detail/core/awaitable_kind.hpp"
#include "asyncio/detail/core/loop.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sweep {

using asyncio::Coro;
using asyncio::detail::AwaitableKind;

/// One public awaitable on an object of its own, for the cancellation sweep.
class Case {
 public:
  virtual ~Case() = default;

  /// Brings the object into a state in which `operation` has to wait.
  virtual Coro<> prepare() { co_return; }
  /// Awaits the awaitable once and notes what it got.
  virtual Coro<> operation() = 0;
  /// Lets a waiting `operation` go on, to its end. A second call does nothing.
  virtual void complete() = 0;
  /// Uses the object once more, whatever became of the operation, and throws if anything was
  /// lost.
  virtual Coro<> use_again() = 0;
  /// False where a cancellation takes effect only once the awaited thing ends by itself.
  virtual bool ends_at_once() const { return true; }
};

/// Where a case can run.
enum class On { every_loop, simulated, system };

struct Entry {
  const char* name;
  AwaitableKind kind;
  std::unique_ptr<Case> (*make)();
  On loops = On::every_loop;
  /// Has a server on the same loop, which may be the one that fails.
  bool is_http = false;
  /// Waits in a handler of that server: a loop that ends, ends it before the operation.
  bool in_handler = false;

  friend void PrintTo(const Entry& entry, std::ostream* out) { *out << entry.name; }
};

std::span<const Entry> core_entries();
std::span<const Entry> combined_entries();
std::span<const Entry> composed_entries();
std::span<const Entry> net_entries();
std::span<const Entry> dial_entries();
std::span<const Entry> transport_entries();
std::span<const Entry> process_entries();
std::span<const Entry> stream_entries();
std::span<const Entry> descriptor_entries();
std::span<const Entry> http_entries();
std::span<const Entry> web_entries();
std::span<const Entry> site_entries();
std::vector<Entry> all_entries();

template <class C>
std::unique_ptr<Case> make() {
  return std::make_unique<C>();
}

/// Whether `entries` have each kind from `first` to before `end`, so that a new kind does not
/// compile without.
template <std::size_t N>
consteval bool cover(const Entry (&entries)[N], AwaitableKind first, AwaitableKind end) {
  for (int kind = static_cast<int>(first); kind < static_cast<int>(end); ++kind) {
    bool found = false;
    for (const Entry& entry : entries) found = found || static_cast<int>(entry.kind) == kind;
    if (!found) return false;
  }
  return true;
}

/// What a case throws if a value got lost or doubled.
class Lost : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};
inline void require(bool condition, const char* what) {
  if (!condition) throw Lost(what);
}

/// An item that a derived class takes in its own way: it gets it, or leaves it there.
class ItemOfQueue : public Case {
 public:
  void complete() override {
    if (!std::exchange(put_, true)) queue_.put_nowait(7);
  }
  Coro<> use_again() override {
    complete();
    if (!got_) got_ = co_await queue_.get();
    require(got_ == 7 && queue_.empty(), "the item is lost or doubled");
  }

 protected:
  asyncio::Queue<int> queue_;
  std::optional<int> got_;

 private:
  bool put_ = false;
};

/// In the way of a function.
template <auto take>
class FromQueue final : public ItemOfQueue {
 public:
  Coro<> operation() override { got_ = co_await take(&queue_); }
};

inline bool simulated() { return asyncio::detail::running_loop().poller().name() == "simulated"; }

}  // namespace sweep
