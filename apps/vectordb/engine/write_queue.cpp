// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/write_queue.hpp"

#include <exception>
#include <utility>

namespace vectordb {

using asyncio::ConcurrentFuture;

namespace {

/// Of one commit; what waits beyond that is for the next.
constexpr std::size_t kMostOperations = 1024;
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

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
  if (!draining_) {
    auto work = [self = shared_from_this()] { self->drain(); };
    executor_.submit(work);
    draining_ = true;
  }
  waiting_.push_back(std::move(item));
  return done;
}

void WriteQueue::drain() {
  for (std::vector<Item> group = next_group(); !group.empty(); group = next_group()) {
    if (!group.front().job) {
      write(std::move(group));
      tidy();
      continue;
    }
    Item& item = group.front();
    try {
      item.job();
      item.done.set_result();
    } catch (...) {  // goes to who waits for it
      item.done.set_exception(std::current_exception());
    }
  }
}

/// Empty if nothing waits; then the next push begins to drain again.
std::vector<WriteQueue::Item> WriteQueue::next_group() {
  std::lock_guard lock(mutex_);
  std::vector<Item> group;
  while (!waiting_.empty() && group.size() < kMostOperations) {
    if (waiting_.front().job && !group.empty()) break;
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (group.back().job) break;
  }
  draining_ = !group.empty();
  return group;
}

void WriteQueue::write(std::vector<Item> group) {
  std::string body;
  std::vector<Operation> operations;
  std::vector<ConcurrentFuture<>> waiters;
  auto flush = [&] {
    std::exception_ptr error;
    try {
      if (!waiters.empty()) commit(body, operations);
    } catch (...) {  // goes to all who wait for it
      error = std::current_exception();
    }
    for (const ConcurrentFuture<>& waiter : waiters)
      error ? waiter.set_exception(error) : waiter.set_result();
    body.clear();
    operations.clear();
    waiters.clear();
  };
  for (Item& item : group) {
    const std::size_t before = body.size();
    try {
      prepare_write(item.operation);
      encode(item.operation, body);
    } catch (...) {  // goes to the one who asked for it
      body.resize(before);
      item.done.set_exception(std::current_exception());
      continue;
    }
    operations.push_back(std::move(item.operation));
    waiters.push_back(item.done);
    if (body.size() >= kMostBytes) flush();
  }
  flush();
}

}  // namespace vectordb
