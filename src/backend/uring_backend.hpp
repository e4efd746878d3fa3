// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "readiness_backend.hpp"
#include "request_name.hpp"
#include "ring.hpp"
#include "wake_event.hpp"

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace asyncio::detail {

struct UringOptions;

/// Operations by io_uring.
///
/// Sockets and pipes: as ReadinessBackend; the kernel is asked by a poll request for each direction
/// in which an operation waits, and forgets it with its one answer. Files: each operation is a
/// request of its own. Listeners whose owner goes on accepting: one request for all connections.
///
/// What is to be asked is collected and submitted by the next poll of the loop, in one system call
/// with the waiting. Between two runs of the loop the kernel holds nothing but the poll of the wake
/// event, since the next run may be another thread's.
///
/// An operation is, while its phase is `waiting`, in one of: the waiting ones of its direction;
/// `unsubmitted_`; `in_flight_`, where its address is the name of the request, so that it must not
/// go before the completion has come.
class UringBackend final : public ReadinessBackend {
 public:
  /// Throws RingRefused, OSError.
  explicit UringBackend(const UringOptions& options);

  std::string_view name() const noexcept override { return "io_uring"; }
  void poll(TimePoint deadline) override;
  int wake() noexcept override { return wake_.set(); }
  void stopped() noexcept override;
  void close() noexcept override;

  bool supports(Opcode opcode) const noexcept override;
  bool start(Operation& op) noexcept override;
  std::int64_t attempt(Operation& op) noexcept override;
  void cancel(Operation& op) noexcept override;
  void forget(Operation& op) noexcept override;

 private:
  /// A listening descriptor whose connections the kernel accepts as they come. Linked while the
  /// request for that is to be submitted.
  struct Listener : Links {
    explicit Listener(Watch& its_watch) : watch(its_watch) {}  // a deque takes memory at once
    Watch& watch;
    bool armed = false;
    bool cancelled = false;
    std::deque<int> taken;  // connections that nobody has asked for yet, or a negative error number
  };

  int arm(Side& side) noexcept override;
  void disarm(Watch& watch) noexcept override;

  static bool is_request(const Operation& op) noexcept;
  bool knows(Opcode opcode) const noexcept;
  void operation_ended(Operation& op) noexcept;
  void requeue(Operation& op) noexcept;
  bool cancel_operations_on(int fd) noexcept;

  // Listeners.
  bool start_accept(Operation& op) noexcept;
  std::int64_t take_accepted(Listener& listener, Operation& op) noexcept;
  Listener* find_listener(int fd) noexcept;
  void arm(Listener& listener) noexcept;
  void accepted(Listener& listener, int result) noexcept;
  bool drop_listener(int fd) noexcept;

  // Requests.
  bool fill() noexcept;
  bool add_poll() noexcept;
  bool add_accept() noexcept;
  bool add_operation() noexcept;
  bool add_wake() noexcept;
  void submit_as(io_uring_sqe* sqe, std::uint64_t request, SystemCall call) noexcept;
  bool cancel_request(std::uint64_t request) noexcept;
  bool take_back(std::uint64_t request) noexcept;
  int flush() noexcept;
  static std::uint64_t name_of(const Side& side) noexcept;
  static std::uint64_t name_of(const Listener& listener) noexcept;

  // Completions.
  int enter(TimePoint deadline) noexcept;
  void recover(int error, TimePoint deadline);
  void wait_for_completion() noexcept;
  unsigned reap() noexcept;
  RingCompletion as_forced(const RingCompletion& completion) noexcept;
  void completed(const RingCompletion& completion) noexcept;
  void poll_completed(const RingCompletion& completion) noexcept;
  void accept_completed(const RingCompletion& completion) noexcept;
  void operation_completed(const RingCompletion& completion) noexcept;

  WakeEvent wake_;
  Ring ring_;
  List<Side> arming_;
  List<Listener> opening_;
  List<Operation> unsubmitted_;
  List<Operation> in_flight_;
  std::vector<std::uint64_t> cancels_;  // requests to cancel; never grows
  std::unordered_map<int, Listener> listeners_;
  std::size_t outstanding_ = 0;  // requests that the kernel has, but for cancels and the wake event
  bool watching_wake_ = false;
  bool stopping_ = false;
  bool closed_ = false;
  bool reaping_ = false;
  std::vector<RingCompletion> forced_;  // for tests: what completions are to say instead
};

}  // namespace asyncio::detail
