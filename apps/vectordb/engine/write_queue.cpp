// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/write_queue.hpp"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace vectordb {

using asyncio::ConcurrentFuture;

namespace {

/// Of one commit; what waits beyond that is for the next.
constexpr std::size_t kMostOperations = 1024;
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

/// Whether it multiplies: for how many points, only the writes before it tell once they are done.
bool is_for_what_matches(const Operation& operation) {
  return !operation.values.is_null() && std::holds_alternative<Filter>(operation.selection);
}

}  // namespace

ConcurrentFuture<> WriteQueue::push(Operation operation) {
  Item item;
  item.operation = std::move(operation);
  return push(std::move(item));
}

ConcurrentFuture<> WriteQueue::push(std::function<void()> job) {
  Item item;
  item.job = std::move(job);
  return push(std::move(item));
}

ConcurrentFuture<> WriteQueue::push(Item item) {
  ConcurrentFuture<> done = item.done;
  done.set_running_or_notify_cancel();
  std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(item));
  if (draining_) return done;
  try {
    submit_drain();
  } catch (...) {
    waiting_.pop_back();
    throw;
  }
  draining_ = true;
  return done;
}

/// One group at a time: the threads are fewer than the collections, and go around.
void WriteQueue::drain() {
  do {
    std::list<Item> group = next_group();
    try {
      carry_out(group);
    } catch (...) {  // out of memory, say; goes to all who still wait for it
      for (const Item& item : group)
        if (!item.done.done()) item.done.set_exception(std::current_exception());
    }
  } while (goes_on());
}

/// Takes no memory: where there is none, who waits is told so.
std::list<WriteQueue::Item> WriteQueue::next_group() noexcept {
  std::lock_guard lock(mutex_);
  std::list<Item> group;
  while (!waiting_.empty() && group.size() < kMostOperations) {
    if (waiting_.front().job && !group.empty()) break;
    group.splice(group.end(), waiting_, waiting_.begin());
    if (group.back().job) break;
  }
  return group;
}

/// Whether this thread has to take the next group as well, as no other was to be had.
bool WriteQueue::goes_on() {
  std::lock_guard lock(mutex_);
  draining_ = !waiting_.empty();
  if (!draining_) return false;
  try {
    submit_drain();
    return false;
  } catch (const std::exception&) {  // no memory, or the executor is shut down
    return true;
  }
}

void WriteQueue::submit_drain() {
  auto work = [self = shared_from_this()] { self->drain(); };
  executor_.submit(work);
}

void WriteQueue::carry_out(std::list<Item>& group) {
  if (!group.front().job) {
    write(group);
    tidy();
    return;
  }
  group.front().job();
  group.front().done.set_result();
}

void WriteQueue::write(std::list<Item>& group) {
  std::string body;
  std::vector<Operation> operations;
  std::vector<ConcurrentFuture<>> waiters;
  std::vector<std::exception_ptr> errors;
  operations.reserve(group.size());
  waiters.reserve(group.size());
  errors.reserve(group.size());
  auto flush = [&] {
    try {
      if (!waiters.empty()) commit(body, operations, errors);
    } catch (...) {  // goes to all who wait for it
      std::fill(errors.begin(), errors.end(), std::current_exception());
    }
    for (std::size_t i = 0; i < waiters.size(); ++i)
      errors[i] ? waiters[i].set_exception(errors[i]) : waiters[i].set_result();
    body.clear();
    operations.clear();
    waiters.clear();
    errors.clear();
  };
  for (Item& item : group) {
    if (is_for_what_matches(item.operation)) flush();
    std::size_t before = body.size();
    try {
      if (!prepare_write(item.operation, body.size())) {
        flush();
        before = 0;
        prepare_write(item.operation, 0);
      }
      encode(item.operation, body);
    } catch (...) {  // goes to the one who asked for it
      body.resize(before);
      item.done.set_exception(std::current_exception());
      continue;
    }
    operations.push_back(std::move(item.operation));
    waiters.push_back(item.done);
    errors.emplace_back();
    if (body.size() >= kMostBytes) flush();
  }
  flush();
}

}  // namespace vectordb
