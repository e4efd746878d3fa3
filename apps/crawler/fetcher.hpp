// SPDX-License-Identifier: BSL-1.0
/// Asks for pages.
#pragma once

#include "crawler/options.hpp"
#include "crawler/robots.hpp"
#include <asyncio/http/client.hpp>
#include <asyncio/sync.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace crawler {

/// What has become of a page: an answer, an error, or neither if robots.txt forbids to ask.
class Page {
 public:
  Page() {}

  int status = 0;
  std::string error;
  bool forbidden = false;
  std::string content_type;
  std::size_t bytes = 0;
  std::string title;
  std::vector<asyncio::http::URL> links;
  bool is_redirect = false;  // the link is where it is now
  int attempts = 0;
  double seconds = 0;  // of the last attempt
  std::optional<std::chrono::nanoseconds> crawl_delay;
};

/// Never throws for what a site does.
class Fetcher {
 public:
  /// Keeps the rules of about `max_sites` hosts; those of others are asked for again.
  explicit Fetcher(const Options& options, std::size_t max_sites = 1000);

  /// Awaits: the page, and the host's robots.txt before the first one.
  asyncio::Coro<Page> fetch(asyncio::http::URL url);
  void close() { session_.close(); }

 private:
  struct Site {
    asyncio::Lock lock;  // one asks for the rules, the others wait
    std::optional<Robots> robots;
    std::string error;       // why nobody can tell what is allowed
    std::uint64_t used = 0;  // the last time: grows from use to use
  };

  asyncio::Coro<std::shared_ptr<Site>> site_of(asyncio::http::URL url);
  void forget_site();
  asyncio::Coro<> fetch_robots(asyncio::http::URL url, Site& site);
  asyncio::Coro<> ask_for_robots(asyncio::http::URL url, Site& site, std::string& retry_after);
  asyncio::Coro<> attempt(asyncio::http::URL url, Page& page, std::string& retry_after);
  asyncio::Delay pause(int attempts, const std::string& retry_after) const;

  const Options& options_;
  asyncio::http::ClientSession session_;
  std::map<std::string, std::shared_ptr<Site>> sites_;
  std::size_t max_sites_;
  std::uint64_t uses_ = 0;
};

}  // namespace crawler
