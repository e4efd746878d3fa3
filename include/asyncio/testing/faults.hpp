// SPDX-License-Identifier: BSL-1.0
/// What a program does when the system fails it: event loops whose system calls fail on demand, and
/// whose operations end late.
#pragma once

#include "asyncio/detail/backend/fault_layer.hpp"
#include "asyncio/eventloop.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace asyncio::testing {

/// The system calls of an event loop, under the names of their manual pages; file_... those on
/// files (open, pread, statx, fsync, pwrite), which a thread makes or an io_uring; ring_... the
/// other requests to one.
using asyncio::detail::SystemCall;

/// Faults, and the loops that suffer from them. Calls of one kind are counted from 1, all loops
/// together. An example: the third `recv` finds that the connection was reset.
///
///     Faults faults;
///     faults.fail(SystemCall::recv, 3, ECONNRESET);
///     RunOptions options;
///     options.loop_factory([&] { return faults.new_epoll_event_loop(); });
///     run(main, options);
///
/// Thread   that of the loops. It has to outlive them.
class Faults final : private asyncio::detail::FaultLayer {
 public:
  /// As often as it comes to it.
  static constexpr std::uint64_t kAlways = std::numeric_limits<std::uint64_t>::max();

  Faults() = default;
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// From the `first` call on, `times` of them fail with `error`, an errno. They do nothing, but
  /// for a `close`, and a `connect` that is interrupted: as in the system, these do their work.
  Faults& fail(SystemCall call, std::uint64_t first, int error, std::uint64_t times = 1);
  /// From the `first` call on, `times` of them transfer `bytes` at most. For the calls that read or
  /// write.
  Faults& shorten(SystemCall call, std::uint64_t first, std::size_t bytes, std::uint64_t times = 1);
  /// From the `first` one on, `times` of the requests to an io_uring that stand for several events
  /// end with their first event: ring_accept, ring_wake.
  Faults& end_early(SystemCall call, std::uint64_t first, std::uint64_t times = 1);
  /// The kernel does not know a request to an io_uring; io_uring_enter stands for waiting with a
  /// time limit. For loops that are made afterwards.
  Faults& lack(SystemCall call);
  /// From the `first` operation on that has to wait for this call, `times` of them end `polls`
  /// polls of the loop later than they could, 63 at most; the loop does not sleep meanwhile.
  /// Streams wait for poll; files on an io_uring for the requests.
  Faults& delay(SystemCall call, std::uint64_t first, unsigned polls, std::uint64_t times = 1);
  /// Operations that had to wait end in another order, and some of them later; before that, so do
  /// the completions of an io_uring. The seed, which is not 0, decides.
  Faults& disorder(std::uint64_t seed);
  /// From now on no call fails, and no operation is late. The counts stay.
  void relent() noexcept;

  /// How many calls of this kind there have been.
  std::uint64_t calls(SystemCall call) const noexcept {
    return calls_[static_cast<std::size_t>(call)];
  }
  /// How many operations that had to wait for this call have ended.
  std::uint64_t waits(SystemCall call) const noexcept {
    return waits_[static_cast<std::size_t>(call)];
  }
  /// How many faults have happened.
  std::uint64_t injected() const noexcept { return injected_; }

  /// As new_simulated_event_loop. Its network counts as the system; connect is called when the
  /// other end is to answer.
  EventLoop new_simulated_event_loop(std::uint64_t seed = 0);
  EventLoop new_epoll_event_loop();
  /// As asyncio::new_uring_event_loop. The ring has room for so many requests and completions; what
  /// is more has to wait.
  EventLoop new_uring_event_loop(unsigned requests = 128, unsigned completions = 1024);

 private:
  struct Rule {
    SystemCall call;
    std::uint64_t first;
    std::uint64_t times;
    asyncio::detail::Fault fault;

    bool concerns(SystemCall which, std::uint64_t number) const noexcept {
      return which == call && number >= first && number - first < times;
    }
  };
  struct DelayRule : Rule {
    unsigned polls;
  };

  asyncio::detail::Fault before(SystemCall call) noexcept override;
  asyncio::detail::Lateness lateness(SystemCall call) noexcept override;
  bool knows(SystemCall call) const noexcept override;
  void arrange(std::vector<asyncio::detail::RingCompletion>& completions) noexcept override;
  bool holding() const noexcept override { return !held_.empty(); }
  std::uint64_t random() noexcept;

  std::vector<Rule> rules_;
  std::vector<DelayRule> delays_;
  std::array<std::uint64_t, static_cast<std::size_t>(SystemCall::count)> calls_{};
  std::array<std::uint64_t, static_cast<std::size_t>(SystemCall::count)> waits_{};
  std::uint64_t injected_ = 0;
  std::vector<SystemCall> unknown_;
  std::uint64_t disorder_ = 0;  // the state of a generator of random numbers, 0 for order
  std::vector<asyncio::detail::RingCompletion> held_;
};

}  // namespace asyncio::testing
