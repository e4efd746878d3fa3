// SPDX-License-Identifier: BSL-1.0
/// Context variables: values that follow a task through its awaits, callbacks and threads.
///
/// asyncio  contextvars — Context Variables
#pragma once

#include "asyncio/exceptions.hpp"

#include <any>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace asyncio {

template <class T>
class ContextVar;

namespace detail {

class ContextMap;
class ContextSlot;

/// Owns one reference to an immutable map of variables. Copying is an increment: a task, a
/// callback and a thread each begin with a copy of what their creator saw.
class ContextRef {
 public:
  ContextRef() noexcept = default;
  ContextRef(const ContextRef& other) noexcept : map_(other.map_) {
    if (map_) acquire(map_);
  }
  ContextRef(ContextRef&& other) noexcept : map_(std::exchange(other.map_, nullptr)) {}
  ContextRef& operator=(ContextRef other) noexcept {
    std::swap(map_, other.map_);
    return *this;
  }
  ~ContextRef() {
    if (map_) release(map_);
  }

  const std::any* find(const void* variable) const noexcept;
  void set(const void* variable, std::any value);
  void erase(const void* variable);
  std::size_t size() const noexcept;

 private:
  static void acquire(ContextMap* map) noexcept;
  static void release(ContextMap* map) noexcept;

  ContextMap* map_ = nullptr;
};

/// The context that the running code reads and changes: the task's, the callback's or the
/// thread's own.
ContextRef& current_context() noexcept;
/// Makes `context` current; returns what was. Null stands for the thread's own.
ContextRef* exchange_context(ContextRef* context) noexcept;

/// Makes a context current for a scope.
class ContextScope {
 public:
  explicit ContextScope(ContextRef& context) noexcept : previous_(exchange_context(&context)) {}
  ~ContextScope() { exchange_context(previous_); }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  ContextRef* previous_;
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
  Context() : cell_(new Cell) {}
  Context(const Context& other) noexcept : cell_(other.cell_) { ++cell_->references; }
  Context& operator=(const Context& other) noexcept;
  ~Context() {
    if (--cell_->references == 0) delete cell_;
  }

  /// Calls `function(args...)` with this context current; what it sets stays in this context.
  template <class F, class... Args>
  decltype(auto) run(F&& function, Args&&... args) {
    Context alive(*this);
    detail::ContextScope scope(cell_->values);
    return std::invoke(std::forward<F>(function), std::forward<Args>(args)...);
  }

  Context copy() const;

  /// The value of `variable` in this context; empty if it has none here.
  template <class T>
  std::optional<T> get(const ContextVar<T>& variable) const;

  /// The number of variables that have a value here.
  std::size_t size() const noexcept { return cell_->values.size(); }

  friend bool operator==(const Context& a, const Context& b) noexcept { return a.cell_ == b.cell_; }

 private:
  friend Context copy_context();
  friend class detail::ContextSlot;
  struct Cell {
    std::size_t references = 1;
    detail::ContextRef values;
  };

  explicit Context(Cell* shared) noexcept : cell_(shared) { ++cell_->references; }

  Cell* cell_;
};

/// A new context with the values that the running code sees.
Context copy_context();

namespace detail {

/// The context of a task or callback: its own copy, or one that the user gave it.
class ContextSlot {
 public:
  ContextSlot() : own_(current_context()) {}
  explicit ContextSlot(const Context& given) noexcept : shared_(given.cell_) {
    ++shared_->references;
  }
  explicit ContextSlot(const std::optional<Context>& given)
      : ContextSlot(given ? ContextSlot(*given) : ContextSlot()) {}
  ContextSlot(ContextSlot&& other) noexcept
      : own_(std::move(other.own_)), shared_(std::exchange(other.shared_, nullptr)) {}
  ContextSlot& operator=(ContextSlot&&) = delete;
  ~ContextSlot() {
    if (shared_ && --shared_->references == 0) delete shared_;
  }

  ContextRef& values() noexcept { return shared_ ? shared_->values : own_; }

  /// The context as an object; from now on changes to either are seen in both.
  Context share();

 private:
  ContextRef own_;
  Context::Cell* shared_ = nullptr;
};

}  // namespace detail

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

   private:
    friend class ContextVar;
    Token(const ContextVar* variable, std::optional<T> old)
        : variable_(variable), old_(std::move(old)) {}
    const ContextVar* variable_;
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
  /// Throws   ValueError for another variable's token, RuntimeError for one used before.
  void reset(Token& token) {
    if (token.variable_ != this)
      throw ValueError("the token was made by another context variable than '" + name_ + "'");
    if (std::exchange(token.used_, true))
      throw RuntimeError("the token of context variable '" + name_ + "' has been used already");
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
  return ContextVar<T>::copied(std::any_cast<T>(cell_->values.find(&variable)));
}

}  // namespace asyncio
