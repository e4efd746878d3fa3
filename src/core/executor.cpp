// SPDX-License-Identifier: BSL-1.0
// Order follows concurrent/futures/thread.py.
#include "asyncio/executor.hpp"

#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <deque>
#include <pthread.h>
#include <thread>
#include <vector>

namespace asyncio {

/// What the pool and its threads share; the last of them frees it.
///
/// `live` counts threads that have not left their loop. Whoever takes `threads` out joins or
/// detaches them: once, so that no joinable thread is ever destroyed.
struct ThreadPoolExecutor::Shared {
  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable ended;
  std::deque<std::unique_ptr<detail::Job>> jobs;
  std::vector<std::thread> threads;
  std::size_t max_workers = 0;
  std::size_t idle = 0;  // waiting threads that no job is meant for yet
  std::size_t live = 0;
  bool closed = false;
  bool abandoned = false;  // nobody waits for the threads any more
  std::string prefix;
};

namespace {

std::size_t default_workers() {
  std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  return std::min<std::size_t>(32, processors + 4);
}

template <class Shared>
std::unique_ptr<detail::Job> next_job(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  if (shared.jobs.empty() && !shared.closed) {
    ++shared.idle;
    shared.work.wait(lock, [&] { return shared.closed || !shared.jobs.empty(); });
  }
  if (shared.jobs.empty()) {
    --shared.live;
    if (shared.live == 0) shared.ended.notify_all();
    return nullptr;
  }
  auto job = std::move(shared.jobs.front());
  shared.jobs.pop_front();
  return job;
}

template <class Shared>
void work(std::shared_ptr<Shared> shared) {
  while (auto job = next_job(*shared)) job->run();
}

}  // namespace

ThreadPoolExecutor::ThreadPoolExecutor() : ThreadPoolExecutor(default_workers()) {}

ThreadPoolExecutor::ThreadPoolExecutor(std::size_t max_workers, std::string thread_name_prefix)
    : shared_(std::make_shared<Shared>()) {
  if (max_workers == 0) throw ValueError("max_workers must be greater than 0");
  shared_->max_workers = max_workers;
  shared_->prefix = std::move(thread_name_prefix);
}

ThreadPoolExecutor::~ThreadPoolExecutor() { shutdown(true); }

void ThreadPoolExecutor::submit_job(std::unique_ptr<detail::Job> job) {
  std::lock_guard lock(shared_->mutex);
  if (shared_->closed) throw RuntimeError("cannot schedule new futures after shutdown");
  shared_->jobs.push_back(std::move(job));
  // Always: a waiting thread that another one was faster than is not counted as idle.
  shared_->work.notify_one();
  if (shared_->idle > 0) {
    --shared_->idle;
    return;
  }
  if (shared_->live == shared_->max_workers) return;
  try {
    start_thread();
  } catch (const std::system_error& error) {
    if (shared_->live > 0) return;  // the threads there are will get to it
    shared_->jobs.pop_back();
    throw OSError(error.code().value(), "start a thread of an executor");
  }
}

/// Under the lock.
void ThreadPoolExecutor::start_thread() {
  shared_->threads.reserve(shared_->threads.size() + 1);
  std::thread thread(&work<Shared>, shared_);
  std::string name = shared_->prefix + "_" + std::to_string(shared_->threads.size());
  ::pthread_setname_np(thread.native_handle(), name.substr(0, 15).c_str());
  shared_->threads.push_back(std::move(thread));
  ++shared_->live;
}

void ThreadPoolExecutor::shutdown(bool wait, bool cancel_futures) {
  std::deque<std::unique_ptr<detail::Job>> cancelled;
  std::vector<std::thread> threads;
  bool join = wait;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->closed = true;
    if (cancel_futures) cancelled.swap(shared_->jobs);
    if (!wait) shared_->abandoned = true;
    shared_->work.notify_all();
    shared_->ended.notify_all();
    if (wait) {
      auto over = [this] { return shared_->live == 0 || shared_->abandoned; };
      auto own = [](const std::thread& t) { return t.get_id() == std::this_thread::get_id(); };
      // A job may drop the last reference to its own pool: it cannot wait for itself.
      if (std::any_of(shared_->threads.begin(), shared_->threads.end(), own))
        join = false;
      else
        shared_->ended.wait(lock, over);
      join = join && !shared_->abandoned;
    }
    threads.swap(shared_->threads);
  }
  for (auto& job : cancelled) job->cancel();
  for (auto& thread : threads) join ? thread.join() : thread.detach();
}

}  // namespace asyncio
