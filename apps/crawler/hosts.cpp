// SPDX-License-Identifier: BSL-1.0
#include "crawler/hosts.hpp"

#include <asyncio/http/url.hpp>

#include <algorithm>
#include <utility>

namespace crawler {

using asyncio::TimePoint;

namespace {

std::string host_of(const Target& target) {
  return std::string(asyncio::http::URL(target.url).host_port());
}

}  // namespace

void Hosts::push(Target target) {
  Host& host = hosts_[host_of(target)];
  if (host.delay < delay_) host.delay = delay_;
  host.targets.push_back(std::move(target));
  ++size_;
}

std::optional<Target> Hosts::next(TimePoint now) {
  std::erase_if(hosts_, [now](const auto& item) {
    const Host& host = item.second;
    return host.targets.empty() && host.asked == 0 && host.next <= now;
  });
  auto found = hosts_.upper_bound(last_);
  for (std::size_t i = 0; i < hosts_.size(); ++i, ++found) {
    if (found == hosts_.end()) found = hosts_.begin();
    const Host& host = found->second;
    if (!host.targets.empty() && host.asked < per_host_ && host.next <= now)
      return take(found, now);
  }
  return std::nullopt;
}

Target Hosts::take(Map::iterator found, TimePoint now) {
  Host& host = found->second;
  Target target = std::move(host.targets.front());
  host.targets.pop_front();
  --size_;
  ++host.asked;
  host.next = now + host.delay;
  last_ = found->first;
  return target;
}

std::optional<TimePoint> Hosts::when() const {
  std::optional<TimePoint> first;
  for (const auto& [name, host] : hosts_) {
    if (host.targets.empty() || host.asked >= per_host_) continue;
    if (!first || host.next < *first) first = host.next;
  }
  return first;
}

void Hosts::release(const Target& target) { --hosts_.at(host_of(target)).asked; }

void Hosts::slow_down(const Target& target, std::chrono::nanoseconds delay) {
  Host& host = hosts_.at(host_of(target));
  if (delay <= host.delay) return;
  host.next += delay - host.delay;
  host.delay = delay;
}

}  // namespace crawler
