// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/backend/simulated.hpp"
#include "asyncio/detail/backend/uring.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/runner.hpp"

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace asyncio {

namespace detail {

EventLoop make_event_loop(std::unique_ptr<Backend> backend) {
  Backend& attached = *backend;
  auto loop = std::make_shared<Loop>(std::move(backend));
  attached.attach(*loop);
  const char* debug = std::getenv("ASYNCIODEBUG");
  if (debug && *debug && std::string_view(debug) != "0") loop->set_debug(true);
  return EventLoop(std::move(loop));
}

EventLoop make_uring_or_epoll_event_loop(const UringOptions& options) {
  static std::atomic<bool> told{false};
  std::string refusal;
  if (auto backend = make_uring_backend(refusal, options))
    return make_event_loop(std::move(backend));
  if (!told.exchange(true))
    log(LogLevel::warning, "io_uring cannot be used, event loops are on epoll: " + refusal);
  return make_event_loop(make_epoll_backend(options.faults));
}

}  // namespace detail

EventLoop new_uring_event_loop() { return detail::make_uring_or_epoll_event_loop(); }

EventLoop new_epoll_event_loop() { return detail::make_event_loop(detail::make_epoll_backend()); }

EventLoop new_event_loop() {
  const char* variable = std::getenv("ASYNCIO_BACKEND");
  std::string_view backend = variable ? variable : "";
  if (backend.empty() || backend == "epoll") return new_epoll_event_loop();
  if (backend == "io_uring") return new_uring_event_loop();
  if (backend == "simulated") return detail::make_event_loop(detail::make_simulated_backend(0));
  throw ValueError("ASYNCIO_BACKEND: no backend '" + std::string(backend) +
                   "'; there are epoll, io_uring and simulated");
}

}  // namespace asyncio
