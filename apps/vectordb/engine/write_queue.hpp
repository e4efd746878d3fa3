// SPDX-License-Identifier: BSL-1.0
/// Writes on their way to the disk.
#pragma once

#include "vectordb/engine/operation.hpp"
#include <asyncio/executor.hpp>

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace vectordb {

/// Takes writes in order of arrival and commits together those that wait: while the disk is busy
/// with one group, the next one gathers. One thread of the executor at a time, which after each
/// group is free for other queues, and none while there is nothing to do.
///
/// Thread: any. Held by shared pointers only.
class WriteQueue : public std::enable_shared_from_this<WriteQueue> {
 public:
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;
  virtual ~WriteQueue() = default;

  /// The future ends when it is on the disk and in the index, or with its error; it cannot be
  /// cancelled.
  asyncio::ConcurrentFuture<> push(Operation operation);
  /// Calls `job` after all writes before and before all after it.
  asyncio::ConcurrentFuture<> push(std::function<void()> job);

 protected:
  explicit WriteQueue(asyncio::Executor& executor) : executor_(executor) {}

  // In the writing thread.
  /// Throws what the write is refused with. Returns false if that is for the writes before it to
  /// say, of which `pending` encoded bytes are not committed yet: it is called again once they are.
  virtual bool prepare_write(Operation& operation, std::size_t pending) = 0;
  /// All or none of them; `body` is how they are encoded. `errors`, as many as they, are null: what
  /// is put there goes to the one who asked for that operation, and it is done all the same.
  virtual void commit(std::string_view body, std::span<const Operation> operations,
                      std::span<std::exception_ptr> errors) = 0;
  /// After the futures of a commit have ended.
  virtual void tidy() = 0;

 private:
  struct Item {
    Operation operation;
    std::function<void()> job;  ///< instead of the operation
    asyncio::ConcurrentFuture<> done;
  };

  asyncio::ConcurrentFuture<> push(Item item);
  void drain();
  std::list<Item> next_group() noexcept;
  bool goes_on();
  void submit_drain();
  void carry_out(std::list<Item>& group);
  void write(std::list<Item>& group);

  asyncio::Executor& executor_;
  std::mutex mutex_;
  std::list<Item> waiting_;
  bool draining_ = false;
};

}  // namespace vectordb
