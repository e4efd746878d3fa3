// SPDX-License-Identifier: BSL-1.0
// What a program asks the system for that no descriptor is needed for: the time of day and chance.
// The running loop answers, so that one without a system can give its own.
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/wall_time.hpp"
#include "random.hpp"

#include <cerrno>
#include <sys/random.h>

namespace asyncio {

namespace detail {

namespace {

using WallClock = std::chrono::system_clock;

/// Null also for a loop on a poller that has nothing but a clock.
Backend* running_backend_or_null() noexcept {
  Loop* loop = running_loop_or_null();
  return loop ? loop->poller().backend() : nullptr;
}

int ask_kernel(std::span<unsigned char> bytes) noexcept {
  ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
  if (count < 0) return -errno;
  return count == static_cast<ssize_t>(bytes.size()) ? 0 : -EIO;
}

}  // namespace

WallClock::time_point Backend::wall_time() noexcept { return WallClock::now(); }

int Backend::fill_random(std::span<unsigned char> bytes) noexcept { return ask_kernel(bytes); }

void fill_random(std::span<unsigned char> bytes) {
  Backend* backend = running_backend_or_null();
  int status = backend ? backend->fill_random(bytes) : ask_kernel(bytes);
  if (status < 0) throw_os_error(-status, "getrandom");
}

}  // namespace detail

std::chrono::system_clock::time_point wall_time() noexcept {
  detail::Backend* backend = detail::running_backend_or_null();
  return backend ? backend->wall_time() : detail::WallClock::now();
}

}  // namespace asyncio
