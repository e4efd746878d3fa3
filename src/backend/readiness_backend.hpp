// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "system_backend.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace asyncio::detail {

/// Operations that are tried with a system call and, if they would wait, tried again when the
/// system says that the descriptor is ready. How it is asked to say so is for who derives.
///
/// Nothing but such a question is ever left with the system, so an operation that is cancelled has
/// taken nothing.
class ReadinessBackend : public SystemBackend {
 public:
  bool supports(Opcode opcode) const noexcept override;
  bool start(Operation& op) noexcept override;
  std::int64_t attempt(Operation& op) noexcept override;
  void cancel(Operation& op) noexcept override;
  void forget(Operation& op) noexcept override;
  int socket(int family, int type, int protocol) noexcept override;
  int adopt(int fd) noexcept override;
  void release(int fd) noexcept override;
  int close_fd(int fd) noexcept override;

 protected:
  using SystemBackend::SystemBackend;

  struct Watch;

  /// One direction of a descriptor. The links are for who derives.
  struct Side : Links {
    Side(Watch& owner, bool writes) noexcept : watch(owner), writing(writes) {}
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;

    Watch& watch;
    List<Operation> waiting;
    bool writing;
    /// Nothing can be read (or written) until the system says otherwise. Known for streams only.
    bool blocked = false;
    bool armed = false;  // the system has been asked; for who derives
  };

  /// What is known about a descriptor number.
  struct Watch {
    explicit Watch(int number) noexcept : fd(number), reading(*this, false), writing(*this, true) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    int fd;
    std::uint32_t generation = 0;  // tells events of an earlier descriptor with this number
    /// A short read does not mean that nothing is left. So it is once an end, an error or urgent
    /// data was reported: such an edge may have come together with that of the data before it. And
    /// it always is on a Unix socket, which stops reading where its peer passed a descriptor.
    bool shorts_deceive = false;
    bool examined = false;  // for being a Unix socket
    bool lent = false;      // by somebody who may close it unseen: asked about one event at a time
    bool registered = false;     // the system knows it, for what is armed; for who derives
    std::uint32_t requests = 0;  // operations on it that the kernel works on; for who derives
    Side reading;
    Side writing;

    /// Known to the system, which has nothing to say until it is asked again.
    bool parked() const noexcept { return registered && !reading.armed && !writing.armed; }
  };

  /// Sees to it that `serve` is called when something changes for `side`. Returns 0 or the negative
  /// error number.
  virtual int arm(Side& side) noexcept = 0;
  /// Its number is about to name another descriptor, or none: nothing may come from it any more.
  virtual void disarm(Watch& watch) noexcept = 0;

  /// The side may be ready: ends what can be done now, in order.
  void serve(Side& side) noexcept;
  /// Disarms a number and forgets all about it. What waits on it ends with `error`.
  void renew(int fd, int error) noexcept;
  void renew(Watch& watch, int error) noexcept;
  static bool ended_at_once(Operation& op, std::int64_t result) noexcept {
    op.phase = Operation::Phase::ended;
    op.result = result;
    return true;
  }

  /// Null for a number that nobody has asked about.
  Watch* find(int fd) noexcept {
    auto number = static_cast<std::size_t>(fd);
    return number < watches_.size() ? watches_[number].get() : nullptr;
  }
  /// Makes `find(fd)` succeed. Null, with the negative error number, for one that is no open
  /// descriptor: nothing is remembered of it; and without memory.
  Watch* remember(int fd, int& error) noexcept {
    Watch* watch = find(fd);
    return watch ? watch : remember_new(fd, error);
  }
  const std::vector<std::unique_ptr<Watch>>& watches() const noexcept { return watches_; }

 private:
  Watch* remember_new(int fd, int& error) noexcept;
  static Side& side_of(Watch& watch, const Operation& op) noexcept {
    return waits_for_write(op.opcode) ? watch.writing : watch.reading;
  }
  std::int64_t attempt_on(Side& side, Operation& op) noexcept;
  std::int64_t poll_once(const Operation& op) noexcept;
  std::int64_t connect_outcome(int fd) noexcept;
  bool trusts_short_reads(Watch& watch) noexcept;
  std::int64_t perform_and_note(Operation& op, Side& side) noexcept;
  static void forget_state(Watch& watch) noexcept;

  std::vector<std::unique_ptr<Watch>> watches_;  // by number; the lists in them must stay put
};

}  // namespace asyncio::detail
