// SPDX-License-Identifier: BSL-1.0
// Processes of the system, and the signals that ask this one to end: their beginnings, which wait
// for iterations of the loop alone, what they say, and their end. One whose beginning is cancelled
// is killed and waited for.
#include "descriptors.hpp"
#include "left_open.hpp"
#include "told.hpp"

#include <csignal>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <utility>

namespace sweep {

using namespace asyncio;

namespace {

/// `cat` ends when its input does.
class ProcessWait final : public Case {
 public:
  Coro<> prepare() override {
    process_ = co_await create_subprocess_exec(SubprocessOptions().stdin(PIPE), "cat");
  }
  Coro<> operation() override { co_await process_->wait(); }
  void complete() override { process_->stdin()->close(); }
  Coro<> use_again() override {
    complete();
    int status = co_await process_->wait();
    require(status == 0 || (loop_.is_closed() && status == -SIGKILL), "the status is lost");
  }

 private:
  EventLoop loop_ = get_running_loop();  // kills it when it closes
  std::optional<Process> process_;
};

/// `cat` says what it is told, and ends when there is no more.
class Communicate final : public Case {
 public:
  Coro<> prepare() override {
    int both[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0, "no sockets");
    test::OwnFd its(both[0]);
    input_.fd = both[1];
    process_ =
        co_await create_subprocess_exec(SubprocessOptions().stdin(its.fd).stdout(PIPE), "cat");
  }
  Coro<> operation() override {
    auto output = co_await process_->communicate();
    got_ = output.first;
  }
  void complete() override {
    if (input_.fd < 0) return;
    ::send(input_.fd, "hello", 5, MSG_NOSIGNAL);  // unless it was killed
    input_.close();
  }
  Coro<> use_again() override {
    complete();
    if (got_.empty()) co_await operation();
    require(got_ == "hello" || loop_.is_closed(), "what a process says is lost or doubled");
  }

 private:
  EventLoop loop_ = get_running_loop();  // kills it when it closes
  test::OwnFd input_;
  std::string got_;
  std::optional<Process> process_;
};

const SubprocessOptions& both_pipes() {
  static const SubprocessOptions options = SubprocessOptions().stdin(PIPE).stdout(PIPE);
  return options;
}

/// Begins `cat`, and then lets it say something.
class Begins : public Case {
 public:
  Coro<> prepare() override {
    left_.begin();
    co_return;
  }
  Coro<> operation() override { co_await begin(); }
  void complete() override {}
  bool ends_at_once() const override { return false; }  // it is killed and waited for
  Coro<> use_again() override {
    if (is_begun() && loop_.is_closed()) co_return;  // killed with the loop
    if (!is_begun()) {
      if (loop_.is_closed())
        forget();
      else
        co_await require_nothing();
      co_await begin();
    }
    std::string said = co_await say("hello");
    require(said == "hello", "what a process says is lost or doubled");
  }

 protected:
  virtual Coro<> begin() = 0;
  virtual bool is_begun() const = 0;
  virtual Coro<std::string> say(std::string text) = 0;
  virtual Coro<> require_nothing() { co_await left_.require_nothing(); }
  /// What a loop that was closed has told of its end, or has not.
  virtual void forget() {}

 private:
  EventLoop loop_ = get_running_loop();
  LeftOpen left_;
};

template <Coro<Process> (*create)()>
class CreatesProcess final : public Begins {
 private:
  Coro<> begin() override { process_ = co_await create(); }
  bool is_begun() const override { return process_.has_value(); }
  Coro<std::string> say(std::string text) override {
    auto output = co_await process_->communicate(text);
    require(process_->returncode() == 0, "the program failed");
    co_return output.first;
  }

  std::optional<Process> process_;
};

Coro<Process> exec() { co_return co_await create_subprocess_exec(both_pipes(), "cat"); }
Coro<Process> shell() { co_return co_await create_subprocess_shell(both_pipes(), "cat"); }

using MadeProcess = std::pair<std::shared_ptr<SubprocessTransport>, std::shared_ptr<ToldOutput>>;

template <Coro<MadeProcess> (*create)(Protocols<ToldOutput>*)>
class CreatesTransport final : public Begins {
 private:
  Coro<> begin() override {
    auto made = co_await create(&protocols_);
    transport_ = made.first;
  }
  bool is_begun() const override { return transport_ != nullptr; }
  Coro<> require_nothing() override {
    co_await protocols_.require_lost();
    co_await Begins::require_nothing();
  }
  void forget() override { protocols_ = Protocols<ToldOutput>(); }
  Coro<std::string> say(std::string text) override {
    auto input = transport_->get_pipe_transport(0);
    input->write(text);
    input->close();
    co_await protocols_.require_lost();
    if (transport_->get_returncode() != 0) throw RuntimeError("the program failed");
    co_return protocols_.last()->received;
  }

  Protocols<ToldOutput> protocols_;
  std::shared_ptr<SubprocessTransport> transport_;
};

Coro<MadeProcess> exec_protocol(Protocols<ToldOutput>* noted) {
  auto factory = [noted] { return noted->make(); };
  EventLoop loop = get_running_loop();
  co_return co_await loop.subprocess_exec(factory, both_pipes(), "cat");
}
Coro<MadeProcess> shell_protocol(Protocols<ToldOutput>* noted) {
  auto factory = [noted] { return noted->make(); };
  EventLoop loop = get_running_loop();
  co_return co_await loop.subprocess_shell(factory, both_pipes(), "cat");
}

class StopSignalsCase final : public Case {
 public:
  Coro<> operation() override { co_await signals_.wait(); }
  void complete() override { signals_.stop(); }
  Coro<> use_again() override {
    complete();
    co_await signals_.wait();
    require(signals_.stopped(), "the end that was asked for is lost");
  }

 private:
  StopSignals signals_;
};

constexpr auto kCoroutine = AwaitableKind::coroutine;

constexpr Entry kEntries[] = {
    {"process_wait", AwaitableKind::process_wait, make<ProcessWait>, On::system},
    {"communicate", kCoroutine, make<Communicate>, On::system},
    {"create_subprocess_exec", kCoroutine, make<CreatesProcess<exec>>, On::system},
    {"create_subprocess_shell", kCoroutine, make<CreatesProcess<shell>>, On::system},
    {"subprocess_exec", kCoroutine, make<CreatesTransport<exec_protocol>>, On::system},
    {"stop_signals", AwaitableKind::event_wait, make<StopSignalsCase>, On::system},
    {"subprocess_shell", kCoroutine, make<CreatesTransport<shell_protocol>>, On::system},
};

}  // namespace

std::span<const Entry> process_entries() { return kEntries; }

}  // namespace sweep
