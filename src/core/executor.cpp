// SPDX-License-Identifier: BSL-1.0
#include "asyncio/executor.hpp"

#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <system_error>
#include <thread>

namespace asyncio {

std::size_t detail::default_max_workers() noexcept {
  std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  return std::min<std::size_t>(32, processors + 4);
}

namespace {

std::string default_prefix() {
  static std::atomic<unsigned> pools{0};
  return "ThreadPoolExecutor-" + std::to_string(pools.fetch_add(1, std::memory_order_relaxed));
}

/// Linux keeps 15 bytes of a name: of a longer one the number stays.
void name_this_thread(const std::string& prefix, const std::string& number) {
  constexpr std::size_t kLongest = 15;
  std::size_t room = kLongest - std::min(kLongest, number.size());
  ::pthread_setname_np(::pthread_self(), (prefix.substr(0, room) + number).c_str());
}

/// The pool that the calling thread belongs to.
thread_local const void* own_pool = nullptr;

bool is_this_thread(const std::thread& thread) noexcept {
  return thread.get_id() == std::this_thread::get_id();
}

}  // namespace

/// The queue and the threads. CPython: concurrent/futures/thread.py.
///
/// Shared by the executor and its threads, so that a thread that is left behind finds it.
/// Invariants, all under `mutex_`:
/// 1. `waiting_` threads wait for work, so that many jobs of the queue have a thread.
/// 2. A thread is in `threads_` until it is joined or detached, by whoever takes it out. The
///    executor's destructor leaves none, so that no joinable std::thread is ever destroyed.
/// 3. `unjoined_` threads have been started and not been joined; it counts those that are out of
///    `threads_` to be joined, for the others who wait.
class ThreadPoolExecutor::Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::size_t max_workers, std::string prefix)
      : max_workers_(max_workers), prefix_(std::move(prefix)) {}

  void submit(Job job);
  void shutdown(bool wait, bool cancel_futures);
  void destroy() noexcept;
  std::vector<std::string> busy_threads() const;
  std::size_t thread_count() const;

 private:
  void start_thread();
  void work(std::size_t number);
  void close(bool cancel_futures);
  void join();
  std::string name_of(std::size_t number) const { return prefix_ + "_" + std::to_string(number); }

  const std::size_t max_workers_;
  const std::string prefix_;
  mutable std::mutex mutex_;
  std::condition_variable work_or_close_;
  std::condition_variable joined_;
  std::deque<Job> jobs_;
  std::vector<std::thread> threads_;
  std::vector<bool> busy_;  // by number, one for each thread that was started
  std::size_t waiting_ = 0;
  std::size_t unjoined_ = 0;
  bool closed_ = false;
  bool left_behind_ = false;  // shutdown(false) was the latest word
};

void ThreadPoolExecutor::Pool::submit(Job job) {
  std::lock_guard lock(mutex_);
  if (closed_) throw RuntimeError("cannot schedule new futures after shutdown");
  jobs_.push_back(std::move(job));
  if (waiting_ >= jobs_.size()) return work_or_close_.notify_one();
  if (busy_.size() == max_workers_) return;
  try {
    start_thread();
  } catch (...) {  // Rethrown, unless there are threads, which will get to it.
    if (!busy_.empty()) return;
    job = std::move(jobs_.back());  // ends after the lock
    jobs_.pop_back();
    throw;
  }
}

/// Under the lock, which the new thread takes first of all.
void ThreadPoolExecutor::Pool::start_thread() {
  threads_.reserve(threads_.size() + 1);
  std::size_t number = busy_.size();
  busy_.push_back(false);
  try {
    threads_.emplace_back([pool = shared_from_this(), number] { pool->work(number); });
  } catch (const std::system_error& error) {
    busy_.pop_back();
    throw_os_error(error.code().value(), "start thread " + name_of(number));
  } catch (...) {  // Rethrown: there is no such thread.
    busy_.pop_back();
    throw;
  }
  ++unjoined_;
}

void ThreadPoolExecutor::Pool::work(std::size_t number) {
  name_this_thread(prefix_, "_" + std::to_string(number));
  own_pool = this;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!jobs_.empty()) {
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      busy_[number] = true;
      lock.unlock();
      job();
      lock.lock();
      busy_[number] = false;
    } else if (closed_) {
      return;
    } else {
      ++waiting_;
      work_or_close_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
      --waiting_;
    }
  }
}

void ThreadPoolExecutor::Pool::close(bool cancel_futures) {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    work_or_close_.notify_all();
  }
  if (!cancel_futures) return;
  std::deque<Job> cancelled;  // outlives the lock: their end calls callbacks
  std::lock_guard lock(mutex_);
  cancelled.swap(jobs_);
}

void ThreadPoolExecutor::Pool::shutdown(bool wait, bool cancel_futures) {
  close(cancel_futures);
  {
    std::lock_guard lock(mutex_);
    left_behind_ = !wait;
    if (!wait) return;
    if (own_pool == this) throw RuntimeError("cannot join current thread");
  }
  join();
}

/// Joins every thread but the calling one, together with others who do the same.
void ThreadPoolExecutor::Pool::join() {
  std::vector<std::thread> threads;
  std::unique_lock lock(mutex_);
  threads.swap(threads_);
  lock.unlock();
  for (auto& thread : threads) is_this_thread(thread) ? thread.detach() : thread.join();
  lock.lock();
  unjoined_ -= threads.size();
  joined_.notify_all();
  joined_.wait(lock, [this] { return unjoined_ == 0; });
}

/// The executor goes. Its last owner may be one of its own jobs, so nothing here may throw.
void ThreadPoolExecutor::Pool::destroy() noexcept {
  close(false);
  std::unique_lock lock(mutex_);
  if (!left_behind_) {
    lock.unlock();
    return join();
  }
  for (auto& thread : threads_) thread.detach();
  threads_.clear();
}

std::vector<std::string> ThreadPoolExecutor::Pool::busy_threads() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (std::size_t number = 0; number < busy_.size(); ++number)
    if (busy_[number]) names.push_back(name_of(number));
  return names;
}

std::size_t ThreadPoolExecutor::Pool::thread_count() const {
  std::lock_guard lock(mutex_);
  return busy_.size();
}

ThreadPoolExecutor::ThreadPoolExecutor() : ThreadPoolExecutor(detail::default_max_workers()) {}

ThreadPoolExecutor::ThreadPoolExecutor(std::size_t max_workers, std::string thread_name_prefix) {
  if (max_workers == 0) throw ValueError("max_workers must be greater than 0");
  if (thread_name_prefix.empty()) thread_name_prefix = default_prefix();
  pool_ = std::make_shared<Pool>(max_workers, std::move(thread_name_prefix));
}

ThreadPoolExecutor::~ThreadPoolExecutor() { pool_->destroy(); }

void ThreadPoolExecutor::shutdown(bool wait, bool cancel_futures) {
  pool_->shutdown(wait, cancel_futures);
}

void ThreadPoolExecutor::submit_job(Job job) { pool_->submit(std::move(job)); }

std::vector<std::string> ThreadPoolExecutor::busy_threads() const { return pool_->busy_threads(); }

std::size_t ThreadPoolExecutor::thread_count() const { return pool_->thread_count(); }

}  // namespace asyncio
