// SPDX-License-Identifier: BSL-1.0
#include "webservice/cache.hpp"

#include <asyncio/logging.hpp>
#include <asyncio/sleep.hpp>

#include <utility>

namespace webservice {

using namespace asyncio;

std::optional<std::string> Cache::get(const std::string& key) {
  auto found = entries_.find(key);
  if (found == entries_.end() || found->second.expires <= get_running_loop().time()) {
    ++misses_;
    return std::nullopt;
  }
  ++hits_;
  return found->second.value;
}

void Cache::put(const std::string& key, std::string value) {
  if (entries_.size() >= kMost) clean();
  if (entries_.size() >= kMost) return;
  Entry entry{std::move(value), get_running_loop().time() + ttl_};
  entries_.insert_or_assign(key, std::move(entry));
}

Coro<> Cache::keep_clean(Delay every) {
  while (true) {
    co_await sleep(every);
    std::size_t removed = clean();
    if (removed > 0)
      log(LogLevel::info, "webservice", "cache cleaned: " + std::to_string(removed) + " removed");
  }
}

std::size_t Cache::clean() {
  TimePoint now = get_running_loop().time();
  return std::erase_if(entries_, [now](const auto& item) { return item.second.expires <= now; });
}

}  // namespace webservice
