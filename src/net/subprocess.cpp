// SPDX-License-Identifier: BSL-1.0
// Order follows asyncio/subprocess.py, base_subprocess.py and unix_events.py.
#include "asyncio/subprocess.hpp"

#include "asyncio/detail/net/child_state.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "child_pipes.hpp"

#include <csignal>
#include <utility>

namespace asyncio {

namespace detail {

ProcessWait::ProcessWait(std::shared_ptr<ChildState> child) noexcept : child_(std::move(child)) {}

bool ProcessWait::await_ready() const noexcept { return child_->returncode().has_value(); }

void ProcessWait::await_suspend(PromiseBase& promise) {
  suspend_waiter(promise);
  child_->waiters().push_back(*this);
}

int ProcessWait::await_resume() {
  bool cancelled = ended_cancelled();
  unlink();
  if (cancelled) throw_cancelled();
  return *child_->returncode();
}

namespace {

Ref<Connection> connection_of(Backend& backend, OwnedSocket& end, std::size_t limit,
                              Medium medium) {
  auto connection = Ref<Connection>::adopt(new Connection(backend, end.get(), limit, medium));
  end.release();
  return connection;
}

Process start(Backend& backend, const SubprocessOptions& options,
              const std::vector<std::string>& args) {
  ChildPipes pipes(backend, options);
  auto child = start_child(backend, options, args, pipes);
  auto reader = [&](int fd) {
    std::optional<StreamReader> stream;
    if (pipes.has(fd))
      stream.emplace(
          connection_of(backend, pipes.parent_end(fd), options.get_limit(), Medium::read_pipe));
    return stream;
  };
  std::optional<StreamWriter> in;
  if (pipes.has(0))
    in.emplace(
        connection_of(backend, pipes.parent_end(0), options.get_limit(), Medium::write_pipe));
  return Process(std::move(child), std::move(in), reader(1), reader(2));
}

/// As many iterations as CPython takes: for the task that connects the pipes, for each pipe, for
/// the waiter.
Coro<void> connect_pipes(const Process& process) {
  int hops = 2;
  if (process.stdin()) hops += 2;
  if (process.stdout()) hops += 2;
  if (process.stderr()) hops += 2;
  while (hops-- > 0) co_await sleep(std::chrono::seconds(0));
}

void close_all(const Process& process) {
  if (process.stdin()) process.stdin()->close();
  // The readers close with their last handle, which this process is.
  if (!process.returncode()) process.kill();
}

/// CPython: SubprocessStreamProtocol's StreamWriter: a child that does not read is no error.
Coro<Unit> feed(std::optional<StreamWriter> in, Bytes input) {
  if (!in) co_return Unit();
  try {
    if (!input.empty()) in->write(std::move(input));
    co_await in->drain();
  } catch (const BrokenPipeError&) {
    // communicate() ignores these two.
  } catch (const ConnectionResetError&) {
  }
  in->close();
  co_return Unit();
}

/// Into the child's state, where it stays if the wait for the other pipe, or for the end of the
/// process, is cancelled.
Coro<Unit> read_all(std::optional<StreamReader> reader, std::shared_ptr<ChildState> child, int fd) {
  if (!reader) co_return Unit();
  Bytes bytes = co_await reader->read();
  Bytes& output = child->output(fd);
  if (output.empty())
    output = std::move(bytes);
  else
    output += bytes;
  co_return Unit();
}

}  // namespace

Coro<Process> create_subprocess(SubprocessOptions options, std::vector<std::string> args) {
  Backend& backend = backend_of(running_loop());
  Process process = start(backend, options, args);
  std::exception_ptr cancelled;
  try {
    co_await connect_pipes(process);
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  if (!cancelled) co_return process;
  close_all(process);
  co_await process.wait();
  std::rethrow_exception(cancelled);
}

}  // namespace detail

int Process::pid() const noexcept { return child_->pid(); }
std::optional<int> Process::returncode() const noexcept { return child_->returncode(); }
void Process::send_signal(int signal) const { child_->send_signal(signal); }
void Process::terminate() const { send_signal(SIGTERM); }
void Process::kill() const { send_signal(SIGKILL); }

Coro<std::pair<Bytes, Bytes>> Process::communicate(Bytes input) const {
  Process self = *this;
  co_await gather(detail::feed(self.stdin_, std::move(input)),
                  detail::read_all(self.stdout_, self.child_, 1),
                  detail::read_all(self.stderr_, self.child_, 2));
  co_await self.wait();
  auto taken = [&](int fd) { return std::exchange(self.child_->output(fd), Bytes()); };
  co_return std::pair(taken(1), taken(2));
}

Coro<Process> create_subprocess_shell(SubprocessOptions options, std::string command) {
  std::string shell = options.get_executable().value_or("/bin/sh");
  return detail::create_subprocess(std::move(options),
                                   detail::strings(std::move(shell), "-c", std::move(command)));
}

Coro<Process> create_subprocess_shell(std::string command) {
  return create_subprocess_shell(SubprocessOptions(), std::move(command));
}

}  // namespace asyncio
