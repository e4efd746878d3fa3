// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/fault_layer.hpp"
#include "asyncio/detail/backend/operation.hpp"
#include "asyncio/detail/core/poller.hpp"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>

struct sockaddr;

namespace asyncio {
class EventLoop;
}

namespace asyncio::detail {

class LateEndings;
class Loop;

/// What has to let go of its descriptors and operations when its loop closes.
class Resource : public Links {
 public:
  /// Closes every descriptor and forgets every operation; nothing may be awaited any more. The
  /// object is no longer in the backend's list and may end its own life.
  virtual void loop_closing() noexcept = 0;

 protected:
  Resource() noexcept = default;
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;
  ~Resource() { unlink(); }
};

/// The operating system as the layers above see it: operations that end later, and a few calls that
/// never wait.
///
/// The life of an operation:
/// 1. Its owner fills it in and calls `start`. True: it has ended, `result` is set, and `run` will
///    not be called. False: it is waiting. Buffers, address and the operation itself belong to the
///    backend until it ends, and the descriptor must stay open.
/// 2. It ends exactly once: the backend sets `result` and puts the operation into the loop's ready
///    queue, which calls `run`. From then on it belongs to its owner again.
/// 3. `cancel` makes a waiting operation end soon: with its result if it has one by then, else with
///    -ECANCELED. By the time of `run` neither the kernel nor the backend touches its buffer or
///    descriptor. For an operation that has ended, `cancel` does nothing.
/// 4. `forget` is for destructors: it returns when nobody touches the operation any more, and `run`
///    will not be called. A result that it had is in `result`.
/// `attempt` does at once what `start` would do, and gives -EAGAIN where that would wait.
///
/// Operations on one descriptor that wait for the same direction are served in order. EINTR never
/// reaches a caller. All descriptors are non-blocking and not inherited by child processes.
///
/// Thread   the loop's, but for `wake`.
class Backend : public Poller {
 public:
  ~Backend() override;

  Backend* backend() noexcept final { return this; }
  /// Called once, before anything else.
  void attach(Loop& loop) noexcept { loop_ = &loop; }
  Loop& loop() const noexcept { return *loop_; }

  /// Whether operations with this code can succeed; they end with -EOPNOTSUPP if not.
  virtual bool supports(Opcode opcode) const noexcept = 0;
  /// Whether descriptors that others have made mean something here.
  virtual bool has_system_descriptors() const noexcept { return true; }
  virtual bool start(Operation& operation) noexcept = 0;
  virtual std::int64_t attempt(Operation& operation) noexcept = 0;
  virtual void cancel(Operation& operation) noexcept = 0;
  virtual void forget(Operation& operation) noexcept = 0;

  // The calls below return a value or a negative error number.
  virtual int socket(int family, int type, int protocol) noexcept = 0;
  virtual int bind(int fd, const sockaddr* address, std::uint32_t size) noexcept = 0;
  virtual int listen(int fd, int backlog) noexcept = 0;
  virtual int setsockopt(int fd, int level, int name, const void* value,
                         std::uint32_t size) noexcept = 0;
  virtual int getsockopt(int fd, int level, int name, void* value,
                         std::uint32_t& size) noexcept = 0;
  virtual int getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept = 0;
  virtual int getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept = 0;
  virtual int shutdown(int fd, int how) noexcept = 0;
  /// The inode of the Unix socket at `path`; -ENOTSOCK for another kind of file.
  virtual std::int64_t socket_inode(const char* path) noexcept = 0;
  virtual int unlink(const char* path) noexcept = 0;
  /// Takes over a descriptor that somebody else made: it becomes non-blocking, and what was known
  /// about an earlier one with the same number is void.
  virtual int adopt(int fd) noexcept = 0;
  /// For a descriptor that stays somebody else's, who may close it: forgets what is known about it,
  /// unless operations wait on it.
  virtual void release(int fd) noexcept { (void)fd; }
  /// Cancels the operations that wait on `fd` and closes it once the kernel has let go of them.
  virtual int close_fd(int fd) noexcept = 0;
  /// At most 256 at once: so many the kernel gives whole.
  virtual int fill_random(std::span<unsigned char> bytes) noexcept;

  /// What becomes of a call that others make for the loop, in a thread say. One that is interrupted
  /// is made again.
  Fault next_fault(SystemCall call) noexcept;
  /// The same for a call on the loop's thread, with -1 and errno for an error as in C.
  template <class F>
  int outside(SystemCall call, F function) noexcept {
    int error = next_fault(call).error;
    if (error == 0) return function();
    errno = error;
    return -1;
  }

  /// The time of day.
  virtual std::chrono::system_clock::time_point wall_time() noexcept;

  /// A stream, transport or server has `fd` for itself, from `own` to `disown`.
  void own(int fd);
  void disown(int fd) noexcept;
  /// Throws RuntimeError if one has: two would take each other's bytes, and close the number twice.
  /// CPython: _ensure_fd_no_transport.
  void check_not_owned(int fd) const;

  /// Room for bytes on their way from a descriptor to their place: good until the next use of the
  /// backend. One for all streams, so that an idle one needs none.
  static constexpr std::size_t kScratchSize = 64 * 1024;
  char* scratch();

  /// What the net layer keeps for each loop.
  std::shared_ptr<void> net_state;

  /// `resource` is told when the loop closes, unless it is unlinked or dead by then.
  void add_resource(Resource& resource) noexcept { resources_.push_back(resource); }

 protected:
  /// `faults` may delay the ends of operations, if given.
  explicit Backend(FaultLayer* faults);

  /// For implementations: ends a waiting operation.
  void finish(Operation& operation, std::int64_t result) noexcept;
  /// For implementations of Poller::poll, which begin with it: lets owners hear of operations that
  /// have ended before. Returns until when to wait, as things are then.
  TimePoint end_late(TimePoint deadline) noexcept;
  /// For implementations of Poller::close: tells every resource.
  void close_resources() noexcept;

 private:
  Loop* loop_ = nullptr;
  std::unique_ptr<char[]> scratch_;
  std::unordered_map<unsigned, std::uint64_t> owned_;  // bits of 64 descriptors each
  FaultLayer* faults_;
  std::unique_ptr<LateEndings> late_;  // with faults
  List<Resource> resources_;
};

/// The backend of a loop. Throws RuntimeError if the loop runs on a poller that has no sockets.
Backend& backend_of(Loop& loop);

/// A loop on `backend`; env ASYNCIODEBUG=1 switches its debug mode on.
EventLoop make_event_loop(std::unique_ptr<Backend> backend);

/// `faults` stands between it and the system, if given, and has to outlive it.
std::unique_ptr<Backend> make_epoll_backend(FaultLayer* faults = nullptr);

}  // namespace asyncio::detail
