// SPDX-License-Identifier: BSL-1.0
/// Values by typed keys: what an application, or a request, carries for its handlers.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace asyncio::web {

/// The name of a value of type T, at namespace scope:
///
///   inline const web::Key<Database> kDatabase("database");
///
/// Two keys are never the same, whatever they are called; without `inline`, a header has one for
/// each file that includes it.
///
/// asyncio  aiohttp: web.AppKey, web.RequestKey
template <class T>
class Key {
 public:
  explicit Key(const char* name) noexcept : name_(name) {}
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  const char* name() const noexcept { return name_; }

 private:
  const char* name_;
};

/// Values by their keys. Few, and so they stand in a row.
///
/// Thread   the loop's.
class Storage {
 public:
  /// Puts a value there, in place of one that is there.
  template <class T>
  void set(const Key<T>& key, T value) {
    for (auto& [at, held] : values_)
      if (at == &key) return held = std::make_shared<T>(std::move(value)), void();
    values_.emplace_back(&key, std::make_shared<T>(std::move(value)));
  }
  /// Throws   LookupError with the key's name if there is none.
  template <class T>
  T& at(const Key<T>& key) {
    T* found = find(key);
    if (!found) refuse(key.name());
    return *found;
  }
  /// Null if there is none.
  template <class T>
  T* find(const Key<T>& key) noexcept {
    for (auto& [at, held] : values_)
      if (at == &key) return static_cast<T*>(held.get());
    return nullptr;
  }

 private:
  [[noreturn]] static void refuse(const char* name);

  std::vector<std::pair<const void*, std::shared_ptr<void>>> values_;
};

}  // namespace asyncio::web
