// SPDX-License-Identifier: BSL-1.0
// The beginnings of sites, and an application that is served until a signal.
#include "asyncio/web.hpp"
#include "descriptors.hpp"
#include "left_open.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace sweep {

using namespace asyncio;

namespace {

/// What a site was given, which may not have taken it without memory.
using Given = std::optional<GivenFd>;

Coro<> start_tcp_site(web::AppRunner runner, Given*) {
  web::TCPSite site(runner, "127.0.0.1", 0);
  co_await site.start();
}
/// Takes a socket, and gives back none: one that is not served is closed.
Coro<> start_sock_site(web::AppRunner runner, Given* given) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(fd >= 0, "no socket");
  given->emplace(fd);
  web::SockSite site(runner, fd);
  co_await site.start();
  given->reset();
}

template <Coro<> (*start)(web::AppRunner, Given*)>
class Starts final : public Case {
 public:
  Coro<> prepare() override {
    co_await runner_.setup();
    left_.begin();
  }
  Coro<> operation() override { co_await start(runner_, &given_); }
  void complete() override {}
  Coro<> use_again() override {
    if (runner_.addresses().empty()) {
      co_await sleep(std::chrono::milliseconds(1));
      if (given_) given_->close_if_open();
      if (!loop_.is_closed()) co_await left_.require_nothing();
      co_await start(runner_, &given_);
    }
    auto [reader, writer] = co_await open_connection("127.0.0.1", runner_.addresses()[0].port());
    writer.write("GET / HTTP/1.0\r\n\r\n");
    std::string answer = co_await reader.read();
    require(answer.starts_with("HTTP/1.1 404 "), "it is not served");
    writer.close();
    co_await runner_.cleanup();
  }

 private:
  EventLoop loop_ = get_running_loop();
  LeftOpen left_;
  Given given_;
  web::AppRunner runner_{web::Application()};
};

using SignalHandler = void (*)(int);

SignalHandler handler_of(int signal) {
  struct sigaction now{};
  ::sigaction(signal, nullptr, &now);
  return now.sa_handler;
}
bool is_handled(int signal) { return handler_of(signal) != SIG_DFL; }

/// Drops what is printed while it lives.
class Quiet {
 public:
  Quiet() {
    std::fflush(stdout);
    test::OwnFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(nothing.fd, STDOUT_FILENO);
  }
  ~Quiet() {
    std::fflush(stdout);
    ::dup2(output_.fd, STDOUT_FILENO);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  test::OwnFd output_{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
};

/// Serves until a signal, and leaves no handler of one.
class ServesApp final : public Case {
 public:
  Coro<> prepare() override {
    left_.begin();
    co_return;
  }
  Coro<> operation() override {
    web::Application app;
    app.on_startup([](web::Application&) -> Coro<> { co_await sleep(std::chrono::seconds(0)); });
    app.on_cleanup([this](web::Application&) -> Coro<> {
      ++ended_;
      co_return;
    });
    Quiet quiet;
    co_await web::serve_app(std::move(app), "127.0.0.1", 0);
  }
  void complete() override {
    if (is_handled(SIGTERM)) ::raise(SIGTERM);
  }
  Coro<> use_again() override {
    if (!loop_.is_closed()) {
      bool handled = is_handled(SIGTERM) || handler_of(SIGINT) != at_interrupt_;
      require(!handled, "a signal is still handled");
      co_await left_.require_nothing();
    }
    auto serving = create_task(operation());
    auto is_served = [] { return is_handled(SIGTERM); };
    bool served = co_await comes_true(is_served);
    require(served, "it is not served");
    complete();
    co_await serving;
    require(ended_ > 0, "the application does not end");
  }

 private:
  EventLoop loop_ = get_running_loop();
  const SignalHandler at_interrupt_ = handler_of(SIGINT);
  int ended_ = 0;
  LeftOpen left_;
};

constexpr auto kCoroutine = AwaitableKind::coroutine;

constexpr Entry kEntries[] = {
    {"tcp_site", kCoroutine, make<Starts<start_tcp_site>>, On::system, true},
    {"sock_site", kCoroutine, make<Starts<start_sock_site>>, On::system, true},
    {"serve_app", kCoroutine, make<ServesApp>, On::system, true},
};

}  // namespace

std::span<const Entry> site_entries() { return kEntries; }

}  // namespace sweep
