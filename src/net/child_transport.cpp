// SPDX-License-Identifier: BSL-1.0
// Transports of subprocesses. Order follows asyncio/base_subprocess.py.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/child_state.hpp"
#include "asyncio/detail/net/transport_calls.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/sleep.hpp"
#include "child_pipes.hpp"
#include "protocol_calls.hpp"

#include <array>
#include <csignal>
#include <new>
#include <utility>

namespace asyncio::detail {

namespace {

class ChildTransport;

/// CPython: WriteSubprocessPipeProto, ReadSubprocessPipeProto.
class PipeProtocol final : public Protocol {
 public:
  PipeProtocol(std::shared_ptr<ChildTransport> process, int fd)
      : process_(std::move(process)), fd_(fd) {}

  void data_received(std::string data) override;
  void connection_lost(std::exception_ptr error) override;
  void pause_writing() override;
  void resume_writing() override;

 private:
  std::shared_ptr<ChildTransport> process_;
  int fd_;
};

class ChildTransport final : public SubprocessTransport,
                             public ChildOwner,
                             public std::enable_shared_from_this<ChildTransport> {
 public:
  ChildTransport(Loop& loop, std::shared_ptr<SubprocessProtocol> protocol)
      : loop_(loop), protocol_(std::move(protocol)) {}

  void start(const SubprocessOptions& options, const std::vector<std::string>& args) {
    Backend& backend = backend_of(loop_);
    ChildPipes pipes(backend, options);
    child_ = start_child(backend, options, args, pipes);
    child_->set_owner(this);
    self_ = shared_from_this();
    try {
      call([](ChildTransport& self) { self.protocol_->connection_made(self.shared_from_this()); });
      for (int fd = 0; fd < 3; ++fd)
        if (pipes.has(fd)) connect(backend, pipes.parent_end(fd), fd, options.get_limit());
    } catch (...) {  // Rethrown.
      close();
      throw;
    }
  }

  // BaseTransport. CPython: BaseSubprocessTransport.close.
  void close() override {
    if (std::exchange(closed_, true)) return;
    for (auto& pipe : pipes_)
      if (pipe) pipe->close();
    if (!child_->returncode()) child_->send_signal(SIGKILL);
  }
  bool is_closing() const noexcept override { return closed_; }
  std::optional<std::string> get_extra_info(std::string_view) const override {
    return std::nullopt;
  }
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override {
    auto fitting = std::dynamic_pointer_cast<SubprocessProtocol>(protocol);
    if (!fitting) throw TypeError("a SubprocessProtocol is needed for this transport");
    protocol_ = std::move(fitting);
  }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return protocol_; }

  int get_pid() const noexcept override { return child_->pid(); }
  std::optional<int> get_returncode() const noexcept override { return child_->returncode(); }
  std::shared_ptr<Transport> get_pipe_transport(int fd) const noexcept override {
    return fd >= 0 && fd < 3 ? pipes_[static_cast<std::size_t>(fd)] : nullptr;
  }
  void send_signal(int signal) override { child_->send_signal(signal); }
  void terminate() override { send_signal(SIGTERM); }
  void kill() override { send_signal(SIGKILL); }

  const std::shared_ptr<ChildState>& child() const noexcept { return child_; }
  std::size_t pipe_count() const noexcept { return pipe_count_; }

  /// Calls `function(transport)` in the next iteration. CPython: _call.
  template <class F>
  void call(F function) {
    loop_.handle().call_soon([self = shared_from_this(), function = std::move(function)]() mutable {
      if (self->protocol_) function(*self);
    });
  }
  SubprocessProtocol& protocol() const noexcept { return *protocol_; }

  void pipe_lost(int fd, std::exception_ptr error) {
    tell([fd, error = std::move(error)](ChildTransport& self) {
      self.protocol_->pipe_connection_lost(fd, error);
    });
    --open_pipes_;
    finish_if_over();
  }

 private:
  /// The same for what nobody would tell later: at once without the memory for a callback.
  template <class F>
  void tell(F function) {
    try {
      call(function);
    } catch (const std::bad_alloc&) {
      if (protocol_) function(*this);
    }
  }

  void connect(Backend& backend, OwnedSocket& end, int fd, std::size_t limit) {
    Medium medium = fd == 0 ? Medium::write_pipe : Medium::read_pipe;
    auto connection = Ref<Connection>::adopt(new Connection(backend, end.get(), limit, medium));
    end.release();
    pipes_[static_cast<std::size_t>(fd)] = start_transport(
        std::move(connection), std::make_shared<PipeProtocol>(shared_from_this(), fd));
    ++open_pipes_;
    ++pipe_count_;
  }

  /// CPython: _process_exited.
  void child_exited(int) override {
    tell([](ChildTransport& self) { self.protocol_->process_exited(); });
    finish_if_over();
  }

  void child_abandoned() noexcept override {
    auto keep = std::move(self_);
    auto protocol = std::move(protocol_);
    for (auto& pipe : pipes_) pipe.reset();
  }

  /// CPython: _try_finish.
  void finish_if_over() {
    if (open_pipes_ > 0 || !child_->returncode() || std::exchange(finished_, true)) return;
    tell([](ChildTransport& self) { self.finish(); });
  }
  void finish() {
    auto keep = std::move(self_);
    auto protocol = std::move(protocol_);
    closed_ = true;
    protocol->connection_lost(nullptr);
  }

  Loop& loop_;
  std::shared_ptr<SubprocessProtocol> protocol_;
  std::shared_ptr<ChildState> child_;
  std::array<std::shared_ptr<Transport>, 3> pipes_;
  std::size_t open_pipes_ = 0;
  std::size_t pipe_count_ = 0;
  bool closed_ = false;
  bool finished_ = false;
  std::shared_ptr<ChildTransport> self_;
};

void PipeProtocol::data_received(std::string data) {
  process_->call([fd = fd_, data = std::move(data)](ChildTransport& process) mutable {
    process.protocol().pipe_data_received(fd, std::move(data));
  });
}

void PipeProtocol::connection_lost(std::exception_ptr error) {
  std::exchange(process_, nullptr)->pipe_lost(fd_, std::move(error));
}

void PipeProtocol::pause_writing() {
  process_->call([](ChildTransport& process) { process.protocol().pause_writing(); });
}
void PipeProtocol::resume_writing() {
  process_->call([](ChildTransport& process) { process.protocol().resume_writing(); });
}

}  // namespace

Coro<std::shared_ptr<SubprocessTransport>> make_process(
    Loop& loop, std::shared_ptr<SubprocessProtocol> protocol, SubprocessOptions options,
    std::vector<std::string> args) {
  auto transport = std::make_shared<ChildTransport>(loop, std::move(protocol));
  transport->start(options, args);
  std::exception_ptr cancelled;
  try {
    // As many iterations as CPython takes: see create_subprocess.
    for (std::size_t hops = 2 + 2 * transport->pipe_count(); hops > 0; --hops)
      co_await sleep(std::chrono::seconds(0));
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  }
  if (!cancelled) co_return transport;
  transport->close();
  co_await ProcessWait(transport->child());
  std::rethrow_exception(cancelled);
}

}  // namespace asyncio::detail
