// SPDX-License-Identifier: BSL-1.0
/// Context variables: values that follow a task through its awaits, callbacks and threads.
///
/// asyncio  contextvars — Context Variables
#pragma once

#include "asyncio/detail/core/thread_state.hpp"
#include "asyncio/exceptions.hpp"

#include <any>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

class Context;
template <class T>
class ContextVar;

namespace detail {

class ContextMap;
struct ContextCell;

/// The variables of a task, a callback or a thread. One word, because every task has it: null while
/// there are none, a reference to an immutable map that is shared with whoever copied it, or,
/// marked by the lowest bit, to the cell of a Context object.
class ContextSlot {
 public:
  enum class Empty { empty };

  /// A copy of what the running code sees.
  ContextSlot();
  explicit ContextSlot(Empty) noexcept {}
  /// The values of `given`, also those that it gets later.
  explicit ContextSlot(const Context& given) noexcept;
  /// A copy of the values.
  inline ContextSlot(const ContextSlot& other) noexcept;
  ContextSlot(ContextSlot&& other) noexcept : bits_(std::exchange(other.bits_, 0)) {}
  ContextSlot& operator=(ContextSlot other) noexcept {
    std::swap(bits_, other.bits_);
    return *this;
  }
  ~ContextSlot() {
    if (bits_) [[unlikely]]
      release(bits_);
  }

  const std::any* find(const void* variable) const noexcept;
  void set(const void* variable, std::any value);
  void erase(const void* variable);
  std::size_t size() const noexcept;

  /// The context as an object; from now on changes to either are seen in both.
  Context share();
  /// Whether this is the context that `cell` stands for.
  bool is(const ContextCell& cell) const noexcept;

 private:
  /// Marks the cell of a Context object.
  static constexpr std::uintptr_t kCell = 1;
  static ContextCell* cell_of(std::uintptr_t bits) noexcept {
    return bits & kCell ? reinterpret_cast<ContextCell*>(bits - kCell) : nullptr;
  }
  static void add_reference(std::uintptr_t map) noexcept;
  static void release(std::uintptr_t bits) noexcept;

  ContextCell* cell() const noexcept;
  ContextMap* map() const noexcept;
  void set_map(ContextMap* map) noexcept;

  std::uintptr_t bits_ = 0;
};

/// What the Context objects of one context share. The count is atomic, since call_soon_threadsafe
/// gives a context to another thread; its values are for one thread at a time.
struct ContextCell {
  void add_reference() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
  /// Acquire and release: who frees the cell sees what the others did to it.
  void drop_reference() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  std::atomic<std::size_t> references{1};
  ContextSlot slot{ContextSlot::Empty::empty};  // never that of another cell
  bool entered = false;                         // by Context::run
};

inline ContextSlot::ContextSlot(const ContextSlot& other) noexcept : bits_(other.bits_) {
  if (bits_ & kCell) bits_ = cell_of(bits_)->slot.bits_;
  if (bits_) [[unlikely]]
    add_reference(bits_);
}

/// What code outside any task or callback sees.
ContextSlot& thread_context() noexcept;

/// The context that the running code reads and changes: the task's, the callback's or the
/// thread's own.
inline ContextSlot& current_context() noexcept {
  ContextSlot* context = thread_state.context;
  return context ? *context : thread_context();
}

inline ContextSlot::ContextSlot() : ContextSlot(current_context()) {}

/// Makes `context` current; returns what was. Null stands for the thread's own.
inline ContextSlot* exchange_context(ContextSlot* context) noexcept {
  return std::exchange(thread_state.context, context);
}

/// Makes a context current for a scope.
class ContextScope {
 public:
  explicit ContextScope(ContextSlot& context) noexcept : previous_(exchange_context(&context)) {}
  ~ContextScope() { exchange_context(previous_); }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  ContextSlot* previous_;
};

}  // namespace detail

/// A set of values that code can be run in. A handle: copies name the same context, `copy()` makes
/// another one.
///
/// Thread   one at a time; give a thread its own copy.
/// asyncio  contextvars, Context
class Context {
 public:
  /// An empty context.
  Context() : cell_(new detail::ContextCell) {}
  Context(const Context& other) noexcept : cell_(other.cell_) { cell_->add_reference(); }
  Context& operator=(const Context& other) noexcept;
  ~Context() { cell_->drop_reference(); }

  /// Calls `function(args...)` with this context current; what it sets stays in this context.
  ///
  /// Throws   RuntimeError if this context is current already; what the function throws.
  template <class F, class... Args>
  decltype(auto) run(F&& function, Args&&... args) {
    Entered entered(*this);
    detail::ContextScope scope(entered.slot);
    return std::invoke(std::forward<F>(function), std::forward<Args>(args)...);
  }

  Context copy() const;

  /// The value of `variable` in this context; empty if it has none here.
  template <class T>
  std::optional<T> get(const ContextVar<T>& variable) const;

  /// The number of variables that have a value here.
  std::size_t size() const noexcept { return cell_->slot.size(); }

  friend bool operator==(const Context& a, const Context& b) noexcept { return a.cell_ == b.cell_; }

 private:
  friend Context copy_context();
  friend class detail::ContextSlot;
  template <class T>
  friend class ContextVar;
  explicit Context(detail::ContextCell* shared) noexcept : cell_(shared) { cell_->add_reference(); }

  bool current() const noexcept { return detail::current_context().is(*cell_); }

  /// A run of `context`, which it keeps alive.
  class Entered {
   public:
    explicit Entered(const Context& context) : slot(context), cell_(*context.cell_) {
      if (cell_.entered || context.current())
        throw RuntimeError("cannot enter context: <Context object> is already entered");
      cell_.entered = true;
    }
    ~Entered() { cell_.entered = false; }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

    detail::ContextSlot slot;

   private:
    detail::ContextCell& cell_;
  };

  detail::ContextCell* cell_;
};

/// A new context with the values that the running code sees.
Context copy_context();

/// A variable with one value for each context. Make it a global or a static object: a context
/// names it by its address.
///
/// asyncio  contextvars, ContextVar
template <class T>
class ContextVar {
 public:
  /// Remembers what a `set` replaced.
  class Token {
   public:
    /// The value before, empty if there was none.
    const std::optional<T>& old_value() const noexcept { return old_; }

    /// A token is a context manager, which resets at its end:
    /// `co_await with(variable.set(1), body)`.
    Token& aenter() noexcept { return *this; }
    bool aexit(const std::exception_ptr&) {
      variable_->reset(*this);
      return false;
    }

   private:
    friend class ContextVar;
    Token(ContextVar* variable, std::optional<T> old) : variable_(variable), old_(std::move(old)) {}
    ContextVar* variable_;
    Context context_ = detail::current_context().share();
    std::optional<T> old_;
    bool used_ = false;
  };

  explicit ContextVar(std::string name) : name_(std::move(name)) {}
  ContextVar(std::string name, T default_value)
      : name_(std::move(name)), default_(std::move(default_value)) {}
  ContextVar(const ContextVar&) = delete;
  ContextVar& operator=(const ContextVar&) = delete;

  const std::string& name() const noexcept { return name_; }

  /// Throws   LookupError if the variable has neither value nor default.
  T get() const {
    if (auto found = lookup()) return *found;
    if (default_) return *default_;
    throw LookupError("context variable '" + name_ + "' has no value");
  }

  T get(T fallback) const {
    if (auto found = lookup()) return *found;
    return fallback;
  }

  Token set(T value) {
    Token token(this, copied(lookup()));
    detail::current_context().set(this, std::any(std::move(value)));
    return token;
  }

  /// Puts back what `token`'s set replaced.
  ///
  /// Throws   RuntimeError for a token used before, ValueError for that of another variable or of
  ///          another context.
  void reset(Token& token) {
    auto refused = [&token](const char* why) {
      return "the token of context variable '" + token.variable_->name_ + "' " + why;
    };
    if (token.used_) throw RuntimeError(refused("has already been used once"));
    if (token.variable_ != this) throw ValueError(refused("was created by a different ContextVar"));
    if (!token.context_.current()) throw ValueError(refused("was created in a different Context"));
    token.used_ = true;
    if (token.old_)
      detail::current_context().set(this, std::any(*token.old_));
    else
      detail::current_context().erase(this);
  }

 private:
  friend class Context;
  const T* lookup() const noexcept {
    return std::any_cast<T>(detail::current_context().find(this));
  }
  static std::optional<T> copied(const T* value) {
    return value ? std::optional<T>(*value) : std::nullopt;
  }

  std::string name_;
  std::optional<T> default_;
};

template <class T>
std::optional<T> Context::get(const ContextVar<T>& variable) const {
  return ContextVar<T>::copied(std::any_cast<T>(cell_->slot.find(&variable)));
}

}  // namespace asyncio
