// SPDX-License-Identifier: BSL-1.0
#include "crawler/crawl.hpp"

#include "crawler/record.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/exception_group.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/with.hpp>

#include <exception>
#include <utility>

namespace crawler {

using namespace asyncio;
using http::URL;

namespace {

std::chrono::nanoseconds exactly(Seconds seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(seconds);
}

Verdict verdict_on(const Page& page) noexcept {
  if (page.forbidden) return Verdict::excluded;
  return page.error.empty() && page.status < 400 ? Verdict::done : Verdict::failed;
}

/// Of the group's tasks: what one threw made the others give up.
[[noreturn]] void rethrow_first(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    std::rethrow_exception(group.exceptions().front());
  }
}

}  // namespace

Crawl::Crawl(const Options& options, Frontier& frontier)
    : options_(options),
      frontier_(frontier),
      fetcher_(options),
      hosts_(options.per_host, exactly(options.delay)) {
  for (const URL& seed : options.seeds) allowed_hosts_.emplace(seed.host());
}

Coro<> Crawl::run() {
  Counts before = co_await frontier_.counts();
  done_before_ = before.done;
  std::vector<Target> seeds;
  for (const URL& seed : options_.seeds) seeds.emplace_back(std::string(seed.str()), 0);
  co_await frontier_.add(std::move(seeds));
  auto outcome = co_await capture(
      with(TaskGroup(), [&](TaskGroup& group) -> Coro<> { co_await dispatch(group); }));
  fetcher_.close();
  if (!outcome) rethrow_first(outcome.exception());
}

Coro<> Crawl::dispatch(TaskGroup& group) {
  while (true) {
    co_await refill();
    start_some(group);
    bool at_end = enough() || (hosts_.size() == 0 && !maybe_more_);
    if (tally_.running == 0 && at_end) co_return;
    co_await wait();
  }
}

Coro<> Crawl::refill() {
  while (maybe_more_ && !enough() && hosts_.size() < kTakenAhead) {
    maybe_more_ = false;
    std::vector<Target> targets = co_await frontier_.take(kTakenAhead - hosts_.size());
    if (!targets.empty()) maybe_more_ = true;
    for (Target& target : targets) hosts_.push(std::move(target));
  }
}

void Crawl::start_some(TaskGroup& group) {
  while (tally_.running < options_.concurrency && !enough()) {
    std::optional<Target> target = hosts_.next(get_running_loop().time());
    if (!target) return;
    ++tally_.running;
    group.create_task(work(std::move(*target)));
  }
}

/// For a page to be finished, or a host to be ready for the next request.
Coro<> Crawl::wait() {
  std::optional<TimePoint> when;
  if (tally_.running < options_.concurrency && !enough()) when = hosts_.when();
  OptionalDelay limit;
  if (when) limit = *when - get_running_loop().time();
  if (maybe_more_ && hosts_.size() < kTakenAhead && !enough()) co_return;
  auto outcome = co_await capture(wait_for(changed_.wait(), limit));
  if (!outcome && !outcome.holds<TimeoutError>()) outcome.rethrow();
  changed_.clear();
}

Coro<> Crawl::work(Target target) {
  auto outcome = co_await capture(visit(target));
  --tally_.running;
  hosts_.release(target);
  maybe_more_ = true;
  changed_.set();
  outcome.value();
}

Coro<> Crawl::visit(Target target) {
  Page page = co_await fetcher_.fetch(URL(target.url));
  if (page.crawl_delay) hosts_.slow_down(target, *page.crawl_delay);
  Verdict verdict = verdict_on(page);
  std::vector<Target> links = wanted(target, page);
  std::string record = record_of(target, page);
  co_await frontier_.finish(target, verdict, std::move(links), std::move(record));
  count(verdict, page);
}

/// The links that are to be followed. A page that has moved is as far away as it was.
std::vector<Target> Crawl::wanted(const Target& target, const Page& page) const {
  std::vector<Target> links;
  int depth = page.is_redirect ? target.depth : target.depth + 1;
  if (depth > options_.depth) return links;
  for (const URL& link : page.links)
    if (options_.any_host || allowed_hosts_.contains(std::string(link.host())))
      links.emplace_back(std::string(link.str()), depth);
  return links;
}

void Crawl::count(Verdict verdict, const Page& page) {
  tally_.bytes += page.bytes;
  if (verdict == Verdict::done) ++tally_.done;
  if (verdict == Verdict::failed) ++tally_.failed;
  if (verdict == Verdict::excluded) ++tally_.excluded;
}

}  // namespace crawler
