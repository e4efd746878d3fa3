// SPDX-License-Identifier: BSL-1.0
/// The chapter "Event Loop" of asyncio's documentation: what needs no socket.
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/detail/core/caller.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/repeated_call.hpp"
#include "asyncio/handle.hpp"
#include "asyncio/time.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

template <class T>
class Coro;
template <class T>
class Future;
template <class T>
class Task;
class AddressInfo;
class AddressInfoOptions;
class EventLoop;
class FutureHandle;
class Resolver;
class ServicePort;
class SocketAddress;
class TaskHandle;

/// What went wrong and where, as given to an exception handler: Python's context dictionary. A
/// field that does not apply is empty.
class ExceptionContext {
 public:
  explicit ExceptionContext(std::string text);
  ~ExceptionContext();
  ExceptionContext(const ExceptionContext&);
  ExceptionContext& operator=(const ExceptionContext&) = delete;

  ExceptionContext& set_exception(std::exception_ptr error);
  ExceptionContext& set_future(FutureHandle future);
  ExceptionContext& set_task(TaskHandle task);
  ExceptionContext& set_handle(Handle handle);
  /// Where the task, future or coroutine concerned was made, or the callback scheduled:
  /// "file:line". Of a handle only with debug on, as in Python; else ask the handle.
  ExceptionContext& set_source(std::string where);

  std::string message;
  std::exception_ptr exception;
  std::shared_ptr<FutureHandle> future;
  std::shared_ptr<TaskHandle> task;
  std::optional<Handle> handle;
  std::string source;

  /// The names of the fields that are set, sorted.
  std::vector<std::string> keys() const;
};

/// Sees every task of a loop; for tracers and profilers (asyncio's "Extending": _register_task,
/// _enter_task, _leave_task, _unregister_task). Install with EventLoop::set_task_hooks. The hooks
/// are called on the loop's thread and must not throw.
class TaskHooks {
 public:
  virtual ~TaskHooks() = default;
  virtual void on_create(const TaskHandle& task) noexcept { (void)task; }
  virtual void on_enter(const TaskHandle& task) noexcept { (void)task; }
  virtual void on_leave(const TaskHandle& task) noexcept { (void)task; }
  virtual void on_done(const TaskHandle& task) noexcept { (void)task; }
};

/// An event loop. A handle: copies name the same loop, which stays valid (though closed) as long
/// as there is one. Get it from `get_running_loop()`; make one with `new_event_loop()`. When the
/// last handle goes, a loop that does not run is closed: nothing could run it any more.
///
/// Thread   the one that runs the loop, except for members that say "any". With debug on, a
///          wrong thread is a RuntimeError; without, it is undefined.
/// asyncio  Event Loop
class EventLoop {
 public:
  EventLoop(const EventLoop&) noexcept = default;
  EventLoop(EventLoop&&) noexcept = default;
  EventLoop& operator=(EventLoop other) noexcept {
    loop_.swap(other.loop_);
    return *this;
  }
  ~EventLoop() {
    if (loop_) detail::Loop::drop_handle(loop_);
  }

  // --- Running and stopping ----------------------------------------------------------------

  /// Runs until `stop()`.
  ///
  /// Throws   RuntimeError if this loop is closed or running, or another one runs in this thread;
  ///          KeyboardInterrupt thrown by a callback.
  void run_forever();

  /// Runs until `coro` or `future` is done.
  ///
  /// Returns  its result.
  /// Throws   its exception; RuntimeError("Event loop stopped before Future completed.").
  template <class T>
  T run_until_complete(Coro<T> coro);
  template <class T>
  T run_until_complete(Future<T> future);

  /// Ends run_forever after the callbacks that are scheduled by now.
  void stop() {
    loop_->check_owner();
    loop_->stop();
  }
  bool is_running() const noexcept { return loop_->running(); }
  bool is_closed() const noexcept { return loop_->closed(); }

  /// Frees everything the loop holds; tasks still pending are reported and destroyed without
  /// running on. Closing twice is fine.
  ///
  /// Throws   RuntimeError if the loop is running.
  void close() { loop_->close(); }

  /// Closes every asynchronous generator that is still suspended.
  Coro<void> shutdown_asyncgens();
  /// Joins the threads of the default executor.
  ///
  /// Awaits   their jobs, at most `timeout`, then logs a warning and leaves them behind.
  Coro<void> shutdown_default_executor(OptionalDelay timeout = std::nullopt);

  // --- Scheduling callbacks ------------------------------------------------------------------

  // A Context before the function is the one that it runs in; without, that is a copy of the
  // current one. Callable and arguments are copied or moved into the loop. Reports of errors and of
  // slow callbacks say where they were scheduled.

  /// `call_soon(function, args...)`: calls `function(args...)` in the next iteration. Reports do
  /// not say where if there are more than four: context, function and arguments together.
  ///
  /// Throws   RuntimeError if the loop is closed; with debug on, from a foreign thread.
  template <class... Args>
    requires(sizeof...(Args) > 4)
  Handle call_soon(Args&&... args) {
    return soon({}, std::forward<Args>(args)...);
  }
  template <class F>
  Handle call_soon(F&& function,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return soon(where.location, std::forward<F>(function));
  }
  template <class F, class A>
  Handle call_soon(F&& function, A&& a,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return soon(where.location, std::forward<F>(function), std::forward<A>(a));
  }
  template <class F, class A, class B>
  Handle call_soon(F&& function, A&& a, B&& b,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return soon(where.location, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b));
  }
  template <class F, class A, class B, class C>
  Handle call_soon(F&& function, A&& a, B&& b, C&& c,
                   detail::Caller where = detail::Caller(std::source_location::current())) {
    return soon(where.location, std::forward<F>(function), std::forward<A>(a), std::forward<B>(b),
                std::forward<C>(c));
  }

  /// The same from any thread: wakes the loop. Calls of one thread keep their order.
  ///
  /// Thread   any.
  template <class... Args>
    requires(sizeof...(Args) > 4)
  Handle call_soon_threadsafe(Args&&... args) {
    return threadsafe({}, std::forward<Args>(args)...);
  }
  template <class F>
  Handle call_soon_threadsafe(
      F&& function, detail::Caller where = detail::Caller(std::source_location::current())) {
    return threadsafe(where.location, std::forward<F>(function));
  }
  template <class F, class A>
  Handle call_soon_threadsafe(
      F&& function, A&& a, detail::Caller where = detail::Caller(std::source_location::current())) {
    return threadsafe(where.location, std::forward<F>(function), std::forward<A>(a));
  }
  template <class F, class A, class B>
  Handle call_soon_threadsafe(
      F&& function, A&& a, B&& b,
      detail::Caller where = detail::Caller(std::source_location::current())) {
    return threadsafe(where.location, std::forward<F>(function), std::forward<A>(a),
                      std::forward<B>(b));
  }
  template <class F, class A, class B, class C>
  Handle call_soon_threadsafe(
      F&& function, A&& a, B&& b, C&& c,
      detail::Caller where = detail::Caller(std::source_location::current())) {
    return threadsafe(where.location, std::forward<F>(function), std::forward<A>(a),
                      std::forward<B>(b), std::forward<C>(c));
  }

  /// `call_later(delay, function, args...)`: calls it after `delay`; never early. Equal deadlines
  /// fire in call order.
  template <class... Args>
  TimerHandle call_later(detail::Placed<Delay> delay, Args&&... args) {
    return at(detail::deadline_after(loop_->now_ns(), delay.value), delay.location,
              std::forward<Args>(args)...);
  }
  /// The same when `time()` reaches `when`.
  template <class... Args>
  TimerHandle call_at(detail::Placed<TimePoint> when, Args&&... args) {
    return at(when.value.time_since_epoch().count(), when.location, std::forward<Args>(args)...);
  }

  /// The loop's monotonic clock.
  TimePoint time() const noexcept { return loop_->now(); }

  // --- Futures and tasks ---------------------------------------------------------------------

  template <class T = void>
  Future<T> create_future(std::source_location where = std::source_location::current());
  /// As asyncio::create_task, on this loop, which need not be running yet.
  template <class T, std::same_as<TaskOptions> Options = TaskOptions>
  Task<T> create_task(Coro<T>&& coro, Options options = Options(),
                      std::source_location where = std::source_location::current());
  template <class... Args>
    requires(sizeof...(Args) > 4)
  auto create_task(Args&&... args);
  template <class F>
  auto create_task(F&& function,
                   detail::Caller where = detail::Caller(std::source_location::current()));
  template <class F, class A>
  auto create_task(F&& function, A&& a,
                   detail::Caller where = detail::Caller(std::source_location::current()));
  template <class F, class A, class B>
  auto create_task(F&& function, A&& a, B&& b,
                   detail::Caller where = detail::Caller(std::source_location::current()));
  template <class F, class A, class B, class C>
  auto create_task(F&& function, A&& a, B&& b, C&& c,
                   detail::Caller where = detail::Caller(std::source_location::current()));

  /// Called for each new task with its options, which it may change; empty for none.
  void set_task_factory(TaskFactory factory) { loop_->set_task_factory(std::move(factory)); }
  const TaskFactory& get_task_factory() const noexcept { return loop_->task_factory(); }
  /// `hooks` must outlive the loop or be replaced; null for none. From the next iteration on.
  void set_task_hooks(TaskHooks* hooks) noexcept { loop_->set_task_hooks(hooks); }

  // --- Executors -----------------------------------------------------------------------------

  /// Calls `function(args...)` in a thread of `executor` (nullptr: the default one), with a
  /// std::stop_token first if it can only be called so.
  ///
  /// Returns  a Future of the result; cancelling it asks the job to stop, or never to begin.
  template <class F, class... Args>
  auto run_in_executor(Executor& executor, F&& function, Args&&... args);
  template <class F, class... Args>
  auto run_in_executor(std::nullptr_t, F&& function, Args&&... args);
  void set_default_executor(std::shared_ptr<Executor> executor);

  // --- Descriptors and signals ---------------------------------------------------------------

  /// Calls `function(args...)` once an iteration while `fd` is readable: there are bytes,
  /// connections, an error or the end. Replaces the callback that was there.
  ///
  /// Throws   OSError for what cannot be watched, as files; RuntimeError, as every call here that
  ///          takes a descriptor, for one that a stream, transport or server has.
  /// asyncio  Event Loop, Watching File Descriptors
  template <class F, class... Args>
  void add_reader(detail::Placed<int> fd, F&& function, Args&&... args) {
    watch(
        fd.value, false,
        detail::repeated_call(fd.location, std::forward<F>(function), std::forward<Args>(args)...));
  }
  /// Call it before `fd` is closed. Returns whether there was a callback.
  bool remove_reader(int fd) { return unwatch(fd, false); }
  /// The same while `fd` takes bytes.
  template <class F, class... Args>
  void add_writer(detail::Placed<int> fd, F&& function, Args&&... args) {
    watch(
        fd.value, true,
        detail::repeated_call(fd.location, std::forward<F>(function), std::forward<Args>(args)...));
  }
  bool remove_writer(int fd) { return unwatch(fd, true); }

  /// Calls `function(args...)`, as a callback of the loop, once for each signal. Replaces the
  /// callback that was there, and what the process did with the signal until it is removed.
  ///
  /// Throws   ValueError for what is no signal; RuntimeError for one that cannot be caught, or that
  ///          another loop handles.
  /// asyncio  Event Loop, Unix signals
  template <class F, class... Args>
  void add_signal_handler(detail::Placed<int> signal, F&& function, Args&&... args) {
    watch_signal(signal.value, detail::repeated_call(signal.location, std::forward<F>(function),
                                                     std::forward<Args>(args)...));
  }
  /// The signal does again what it did before. Returns whether there was a callback.
  ///
  /// Throws   ValueError for what is no signal.
  bool remove_signal_handler(int signal);

  // --- Sockets -------------------------------------------------------------------------------
  // `sock` is a non-blocking socket of the caller's, who keeps it open until the await is over, as
  // everything that `room` and `data` refer to.
  //
  // Throws   OSError; RuntimeError if a stream, transport or server has the socket; ValueError in
  //          debug mode if it is blocking.
  // Cancel   takes nothing from the socket; a sendall may have sent a part.
  // asyncio  Event Loop, Working with socket objects directly

  /// Up to `count` bytes; none at the end of the stream.
  Coro<std::string> sock_recv(int sock, std::size_t count);
  /// Returns  how many bytes.
  Coro<std::size_t> sock_recv_into(int sock, std::span<char> room);
  /// A datagram, cut to `count` bytes, and who sent it.
  Coro<std::pair<std::string, SocketAddress>> sock_recvfrom(int sock, std::size_t count);
  Coro<std::pair<std::size_t, SocketAddress>> sock_recvfrom_into(int sock, std::span<char> room);
  Coro<void> sock_sendall(int sock, std::string_view data);
  /// Returns  how many bytes.
  Coro<std::size_t> sock_sendto(int sock, std::string_view data, SocketAddress address);
  Coro<void> sock_connect(int sock, SocketAddress address);
  /// A connection, which the caller closes, and its peer.
  Coro<std::pair<int, SocketAddress>> sock_accept(int sock);
  /// Sends a file from `offset` on to its end, or `count` bytes of it; with `fallback` by reading
  /// and sending where the system cannot do better.
  ///
  /// Returns  how many bytes.
  /// Throws   SendfileNotAvailableError without `fallback`.
  Coro<std::size_t> sock_sendfile(int sock, int file, std::int64_t offset = 0,
                                  std::optional<std::size_t> count = std::nullopt,
                                  bool fallback = true);

  // --- Transports and protocols --------------------------------------------------------------
  // Each is awaited; transports.hpp has them, with their arguments.

  template <class... Args>
  auto create_connection(Args&&... args);
  template <class... Args>
  auto create_unix_connection(Args&&... args);
  template <class... Args>
  auto create_server(Args&&... args);
  template <class... Args>
  auto create_unix_server(Args&&... args);
  template <class... Args>
  auto connect_accepted_socket(Args&&... args);
  template <class... Args>
  auto create_datagram_endpoint(Args&&... args);
  template <class... Args>
  auto connect_read_pipe(Args&&... args);
  template <class... Args>
  auto connect_write_pipe(Args&&... args);
  template <class... Args>
  auto subprocess_exec(Args&&... args);
  template <class... Args>
  auto subprocess_shell(Args&&... args);
  template <class... Args>
  auto start_tls(Args&&... args);
  template <class... Args>
  auto sendfile(Args&&... args);

  // --- Names ---------------------------------------------------------------------------------

  /// The addresses of a host, with each kind of socket for the service, a port or a name as "http";
  /// an empty host means the loopback addresses, or with AI_PASSIVE all interfaces. See dns.hpp.
  ///
  /// Awaits   the loop's resolver, by default a thread of the loop's own, unless the name is a
  ///          numeric address.
  /// Throws   GaiError, also for a service or kind of socket that is not there; ValueError for what
  ///          cannot be a host name; what a resolver of yours throws.
  /// Cancel   ends the wait alone.
  /// asyncio  Event Loop, DNS
  Coro<std::vector<AddressInfo>> getaddrinfo(std::string host, ServicePort service);
  Coro<std::vector<AddressInfo>> getaddrinfo(std::string host, ServicePort service,
                                             AddressInfoOptions options);
  /// The names of a host and of its service; with NI_... flags.
  Coro<std::pair<std::string, std::string>> getnameinfo(SocketAddress address, int flags = 0);

  /// Whom this loop asks for names from now on, wherever it needs one: getaddrinfo, getnameinfo,
  /// open_connection, create_connection, start_server, datagrams. Null for the system. The loop
  /// keeps it until it is closed. Python: a loop that overrides getaddrinfo. See dns.hpp.
  void set_resolver(std::shared_ptr<Resolver> resolver);
  /// Null for the system.
  std::shared_ptr<Resolver> get_resolver() const;

  // --- Errors and debugging ------------------------------------------------------------------

  /// Replaces the handler of errors that nobody awaits; empty restores the default, which logs.
  void set_exception_handler(ExceptionHandler handler) {
    loop_->exception_handler = std::move(handler);
  }
  const ExceptionHandler& get_exception_handler() const noexcept {
    return loop_->exception_handler;
  }
  void default_exception_handler(const ExceptionContext& context) const {
    loop_->default_exception_handler(context);
  }
  void call_exception_handler(const ExceptionContext& context) noexcept {
    loop_->call_exception_handler(context);
  }

  bool get_debug() const noexcept { return loop_->debug(); }
  void set_debug(bool enabled) noexcept { loop_->set_debug(enabled); }
  /// How long a callback or task step may take before debug mode reports it.
  std::chrono::nanoseconds slow_callback_duration() const noexcept {
    return loop_->slow_callback_duration;
  }
  void set_slow_callback_duration(Delay duration) noexcept {
    loop_->slow_callback_duration = duration.duration();
  }

  /// "<EventLoop running=True closed=False debug=False backend=epoll>".
  std::string repr() const;
  /// The backend's name: "epoll", "io_uring" or "simulated".
  std::string_view backend_name() const noexcept { return loop_->poller().name(); }

  friend bool operator==(const EventLoop& a, const EventLoop& b) noexcept {
    return a.loop_ == b.loop_;
  }

  /// For the library's other layers.
  explicit EventLoop(std::shared_ptr<detail::Loop> loop) noexcept : loop_(std::move(loop)) {}
  detail::Loop& impl() const noexcept { return *loop_; }

 private:
  template <class State, class F, class... Args>
  State& make(std::source_location where, F&& function, Args&&... args) {
    if constexpr (std::same_as<std::remove_cvref_t<F>, Context>)
      return make_in<State>(detail::ContextSlot(function), where, std::forward<Args>(args)...);
    else
      return make_in<State>(detail::ContextSlot(), where, std::forward<F>(function),
                            std::forward<Args>(args)...);
  }
  template <class State, class F, class... Args>
  State& make_in(detail::ContextSlot context, std::source_location where, F&& function,
                 Args&&... args) {
    if constexpr (detail::check_callback<std::decay_t<F>, std::decay_t<Args>...>()) {
      return *new detail::Callback<State, std::decay_t<F>, std::decay_t<Args>...>(
          *loop_, std::move(context), where, std::forward<F>(function),
          std::forward<Args>(args)...);
    } else {
      return detail::refused<State&>();
    }
  }
  template <class... Args>
  Handle soon(std::source_location where, Args&&... args) {
    loop_->check_schedulable();
    auto& state = make<detail::SoonState>(where, std::forward<Args>(args)...);
    loop_->schedule(state);
    return Handle(state);
  }
  template <class... Args>
  Handle threadsafe(std::source_location where, Args&&... args) {
    auto& state = make<detail::SoonState>(where, std::forward<Args>(args)...);
    state.make_shared_between_threads();
    Handle handle(state);
    loop_->schedule_threadsafe(state);
    return handle;
  }
  template <class... Args>
  TimerHandle at(std::int64_t when, std::source_location where, Args&&... args) {
    loop_->check_schedulable();
    auto& state = make<detail::TimerState>(where, std::forward<Args>(args)...);
    TimerHandle handle(state);
    loop_->schedule_at(state, when);
    return handle;
  }

  // Defined by the net layer.
  void watch(int fd, bool writing, std::unique_ptr<detail::RepeatedCall> call);
  bool unwatch(int fd, bool writing);
  void watch_signal(int signal, std::unique_ptr<detail::RepeatedCall> call);

  std::shared_ptr<detail::Loop> loop_;
};

/// Writes `repr()`.
std::ostream& operator<<(std::ostream& out, const EventLoop& loop);

/// The loop that runs in this thread.
///
/// Throws   RuntimeError("no running event loop").
EventLoop get_running_loop();
/// The running loop, else the one that set_event_loop named.
///
/// Throws   RuntimeError if there is neither.
EventLoop get_event_loop();
/// Names the loop that get_event_loop returns in this thread; nullopt for none.
void set_event_loop(std::optional<EventLoop> loop);

}  // namespace asyncio
