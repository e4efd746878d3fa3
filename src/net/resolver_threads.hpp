// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"
#include "asyncio/detail/net/resolver.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace asyncio::detail {

/// One name on its way to getaddrinfo and back.
///
/// The loop's thread makes it and reads the answer; a resolver thread writes the answer, then posts
/// it to the loop, which orders the two.
class ResolveJob : public Ready {
 public:
  ResolveJob(ResolveRequest what, Resolve& who);

  ResolveRequest request;
  Resolve* waiter;  // the loop's thread only; null when nobody waits any more
  class ResolverThreads* threads = nullptr;
  std::vector<SocketAddress> addresses;
  std::exception_ptr error;
};

/// The threads that resolve names for one loop: getaddrinfo blocks, and the default executor may be
/// full of other work (D11, fault 43). They are started as needed, up to kMaxThreads.
///
/// When the loop closes, idle threads are joined; one that is inside getaddrinfo is left to itself,
/// since nothing can end that call, and finds nobody to give its answer to.
///
/// Invariants: `jobs_` keeps every job alive from submit until its node has run or the loop closes;
/// `shared_` is all that a thread touches; `shared_->loop` is null once the loop takes no more.
class ResolverThreads final : public Resource {
 public:
  static constexpr unsigned kMaxThreads = 4;

  static std::shared_ptr<ResolveJob> submit(Backend& backend, const ResolveRequest& request,
                                            Resolve& waiter);
  /// Nobody waits for the answer any more. A job that has not begun is dropped.
  static void abandon(Backend& backend, const std::shared_ptr<ResolveJob>& job) noexcept;

  explicit ResolverThreads(Backend& backend);
  ~ResolverThreads();

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable wanted;
    std::deque<std::shared_ptr<ResolveJob>> queue;
    unsigned idle = 0;
    Loop* loop = nullptr;
    bool busy[kMaxThreads] = {};  // inside getaddrinfo
  };
  friend class ResolveJob;

  static ResolverThreads& of(Backend& backend);
  static void work(std::shared_ptr<Shared> shared, std::size_t index);
  static void on_answer(Ready& node);
  void enqueue(const std::shared_ptr<ResolveJob>& job);
  void start_thread(const std::string& host);
  void loop_closing() noexcept override;

  Backend& backend_;
  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
  std::unordered_map<ResolveJob*, std::shared_ptr<ResolveJob>> jobs_;
};

}  // namespace asyncio::detail
