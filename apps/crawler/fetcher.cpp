// SPDX-License-Identifier: BSL-1.0
#include "crawler/fetcher.hpp"

#include "crawler/html_links.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/http/errors.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/tls.hpp>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <utility>

namespace crawler {

using namespace asyncio;
using http::URL;

namespace {

constexpr std::size_t kMostRobots = 500 * 1024;  // what RFC 9309 asks for at least

http::SessionOptions session_options(const Options& options) {
  http::SessionOptions session;
  session.header("User-Agent", options.user_agent)
      .limit(0)  // the crawler has its own
      .timeout(http::ClientTimeout().total(Delay(options.timeout)));
  return session;
}

/// A page beyond --max-bytes: it would be at the next attempt.
class PageTooLarge : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The whole body. ClientResponse::read has a limit as well, but what it throws then is of the same
/// type as that of a connection that broke.
Coro<std::string> body_of(http::ClientResponse response, std::size_t limit) {
  std::string body;
  while (true) {
    std::string part = co_await response.read_some();
    if (part.empty()) co_return body;
    if (part.size() > limit - body.size())
      throw PageTooLarge("GET " + std::string(response.url().str()) + ": a body of more than " +
                         std::to_string(limit) + " bytes");
    body += part;
  }
}

/// Whether it is worth another attempt, as the functions below.
bool may_pass(int status) noexcept { return status == 429 || status >= 500; }

/// A network changes; a certificate or a protocol that was refused does not.
bool may_pass(const http::ClientConnectorError& error) {
  if (!error.cause()) return false;  // what the proxy cannot do
  try {
    std::rethrow_exception(error.cause());
  } catch (const SSLEOFError&) {
    return true;
  } catch (const SSLError&) {
    return false;
  } catch (const std::exception&) {
    return true;
  }
}

/// What went wrong, in words.
struct Failure {
  std::string text;
  bool may_pass;
};

/// What a site did; anything else is a bug, and goes on.
Failure failure_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const PageTooLarge& failure) {
    return {failure.what(), false};
  } catch (const http::ClientConnectorError& failure) {
    return {failure.what(), may_pass(failure)};
  } catch (const http::ClientResponseError& failure) {  // of a proxy; too many redirects
    return {failure.what(), may_pass(failure.status().code())};
  } catch (const http::InvalidURL& failure) {  // that it leads to
    return {failure.what(), false};
  } catch (const http::ClientProtocolError& failure) {
    return {failure.what(), false};
  } catch (const http::ContentEncodingError& failure) {
    return {failure.what(), false};
  } catch (const http::ClientError& failure) {  // the connection broke, or took too long
    return {failure.what(), true};
  } catch (const OSError& failure) {
    return {failure.what(), true};
  }
}

bool is_html(std::string_view content_type) noexcept {
  return content_type == "text/html" || content_type == "application/xhtml+xml";
}

/// Not all at the same time again.
double jitter() {
  thread_local std::minstd_rand random{std::random_device()()};
  return std::uniform_real_distribution<double>(0.75, 1.25)(random);
}

}  // namespace

Fetcher::Fetcher(const Options& options, std::size_t max_sites)
    : options_(options), session_(session_options(options)), max_sites_(max_sites) {}

Coro<Page> Fetcher::fetch(URL url) {
  Page page;
  if (options_.robots) {
    std::shared_ptr<Site> site = co_await site_of(url);
    page.crawl_delay = site->robots->crawl_delay();
    page.error = site->error;
    page.forbidden = page.error.empty() && !site->robots->allows(url.path_qs());
    if (page.forbidden || !page.error.empty()) co_return page;
  }
  while (true) {
    std::string retry_after;
    ++page.attempts;
    page.status = 0;
    page.error.clear();
    TimePoint begin = get_running_loop().time();
    auto outcome = co_await capture(attempt(url, page, retry_after));
    page.seconds = std::chrono::duration<double>(get_running_loop().time() - begin).count();
    if (outcome.cancelled()) outcome.rethrow();
    bool again = may_pass(page.status);
    if (!outcome) {
      Failure failure = failure_of(outcome.exception());
      page.error = failure.text;
      again = again || failure.may_pass;
    }
    if (!again || page.attempts > options_.retries) co_return page;
    co_await sleep(pause(page.attempts, retry_after));
  }
}

Coro<> Fetcher::attempt(URL url, Page& page, std::string& retry_after) {
  http::RequestOptions request;
  request.allow_redirects(false).header("Accept", "text/html, */*;q=0.1");
  http::ClientResponse response = co_await session_.get(url, request);
  page.status = response.status().code();
  page.content_type = std::string(response.content_type());
  retry_after = response.headers().get("Retry-After", "");
  std::string_view location = response.headers().get("Location", "");
  page.is_redirect = response.status().is_redirection() && !location.empty();
  if (page.is_redirect) {
    page.links = {url.join(URL::lenient(location)).without_fragment()};
    co_return;
  }
  std::string body = co_await body_of(response, options_.max_bytes);
  page.bytes = body.size();
  if (!is_html(page.content_type) || page.status != 200) co_return;
  HtmlSummary summary = summarize_html(body, url);
  page.title = std::move(summary.title);
  page.links = std::move(summary.links);
}

Delay Fetcher::pause(int attempts, const std::string& retry_after) const {
  double seconds = options_.backoff.count() * jitter();
  for (int i = 1; i < attempts && seconds < 60; ++i) seconds *= 2;
  seconds = std::max(seconds, std::min(std::atof(retry_after.c_str()), 300.0));
  return Delay(Seconds(seconds));
}

Coro<std::shared_ptr<Fetcher::Site>> Fetcher::site_of(URL url) {
  std::shared_ptr<Site>& slot = sites_[std::string(url.origin().str())];
  if (!slot) slot = std::make_shared<Site>();
  std::shared_ptr<Site> site = slot;
  site->used = ++uses_;
  if (sites_.size() > max_sites_) forget_site();
  auto held = co_await site->lock.scoped();
  if (!site->robots) co_await fetch_robots(url.origin() / "robots.txt", *site);
  co_return site;
}

/// That which was not used for longest. One that somebody uses stays: others would ask for its
/// rules at the same time.
void Fetcher::forget_site() {
  auto oldest = sites_.end();
  for (auto at = sites_.begin(); at != sites_.end(); ++at) {
    if (at->second.use_count() > 1) continue;
    if (oldest == sites_.end() || at->second->used < oldest->second->used) oldest = at;
  }
  if (oldest != sites_.end()) sites_.erase(oldest);
}

/// RFC 9309, 2.3.1: no rules if there is no such file; if nobody can tell, nothing is allowed.
Coro<> Fetcher::fetch_robots(URL url, Site& site) {
  for (int attempts = 1;; ++attempts) {
    std::string retry_after;
    auto outcome = co_await capture(ask_for_robots(url, site, retry_after));
    if (outcome.cancelled()) outcome.rethrow();
    bool again = !site.error.empty();  // a status that may pass
    if (!outcome) {
      Failure failure = failure_of(outcome.exception());
      site.error = "robots.txt: " + failure.text;
      again = failure.may_pass;
    }
    if (!again || attempts > options_.retries) break;
    co_await sleep(pause(attempts, retry_after));
  }
  if (!site.error.empty()) site.robots = Robots::nothing_allowed();
}

Coro<> Fetcher::ask_for_robots(URL url, Site& site, std::string& retry_after) {
  http::ClientResponse response = co_await session_.get(url);
  retry_after = response.headers().get("Retry-After", "");
  int status = response.status().code();
  site.error.clear();
  if (may_pass(status)) site.error = "robots.txt: status " + std::to_string(status);
  if (status >= 400) {
    site.robots = Robots();
    co_return;
  }
  std::string text;
  while (text.size() < kMostRobots) {
    std::string part = co_await response.read_some();
    if (part.empty()) break;
    text += part;
  }
  site.robots = Robots(text, options_.user_agent);
}

}  // namespace crawler
