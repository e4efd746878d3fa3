// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/net/child_state.hpp"
#include "connected_case.hpp"
#include "tls.hpp"

#include <arpa/inet.h>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/socket.h>

namespace {

/// Where the resolver's thread waits in getaddrinfo below.
struct Gate {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;

  void set(bool value) {
    std::lock_guard lock(mutex);
    open = value;
    opened.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex);
    opened.wait(lock, [this] { return open; });
  }
};

Gate& gate() {
  static Gate& instance = *new Gate;  // a thread may still be in it when the program ends
  return instance;
}

}  // namespace

// In place of the C library's: no name exists, and the answer waits for the test.
extern "C" int getaddrinfo(const char* host, const char* port, const addrinfo* hints,
                           addrinfo** list) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (hints->ai_flags & AI_NUMERICHOST) return real(host, port, hints, list);
  gate().pass();
  return EAI_NONAME;
}

namespace sweep {

using namespace asyncio;

namespace {

class StreamRead final : public Connected {
 public:
  Coro<> prepare() override {
    co_await Connected::prepare();
    peer_writer_->write("123");  // the first half of what is asked for
  }
  Coro<> operation() override { got_ = co_await reader_->readexactly(6); }
  void complete() override {
    if (!std::exchange(written_, true)) peer_writer_->write("456");
  }
  Coro<> use_again() override {
    complete();
    if (got_.empty()) got_ = co_await reader_->readexactly(6);
    require(got_ == "123456", "bytes are lost or doubled");
  }

 private:
  bool written_ = false;
  std::string got_;
};

class StreamWaitClosed final : public Connected {
 public:
  Coro<> prepare() override {
    co_await Connected::prepare();
    writer_->write(std::string(too_much_, 'x'));
    writer_->close();  // not over before the peer has read what is left
  }
  Coro<> operation() override { co_await writer_->wait_closed(); }
  void complete() override {
    if (!reading_) reading_.emplace(create_task(read_all()));
  }
  Coro<> use_again() override {
    complete();
    std::string bytes = co_await *reading_;
    require(peer_reader_->at_eof(), "more bytes than were written");
    co_await writer_->wait_closed();
  }

 private:
  Coro<std::string> read_all() {
    std::string bytes = co_await peer_reader_->readexactly(too_much_);
    co_await peer_reader_->read();
    co_return bytes;
  }
  std::optional<Task<std::string>> reading_;
};

class ServerWaitClosed final : public Connected {
 public:
  Coro<> prepare() override {
    co_await Connected::prepare();
    server_->close();
  }
  Coro<> operation() override { co_await server_->wait_closed(); }
  void complete() override { server_->abort_clients(); }
  Coro<> use_again() override {
    complete();
    co_await server_->wait_closed();
    require(!server_->is_serving(), "closed, but serving");
  }
};

/// A listener that accepts nothing: one connection fills its backlog, the next has to wait.
class Connect final : public Case {
 public:
  ~Connect() override {
    if (listener_ >= 0) backend_.close_fd(listener_);
  }
  Coro<> prepare() override {
    listen();
    first_ = co_await open_connection("127.0.0.1", port_);
  }
  Coro<> operation() override {
    auto ends = co_await open_connection("127.0.0.1", port_);
    ends.second.abort();
  }
  void complete() override {
    if (std::exchange(accepted_, true)) return;
    detail::Operation accept(nullptr, detail::Opcode::accept, listener_);
    std::int64_t fd = backend_.attempt(accept);
    require(fd >= 0, "nothing to accept");
    backend_.close_fd(static_cast<int>(fd));
  }
  Coro<> use_again() override {
    complete();
    while (true) {  // whatever is left in the backlog goes, then a plain connect works
      detail::Operation accept(nullptr, detail::Opcode::accept, listener_);
      std::int64_t fd = backend_.attempt(accept);
      if (fd < 0) break;
      backend_.close_fd(static_cast<int>(fd));
    }
    auto ends = co_await open_connection("127.0.0.1", port_);
    ends.second.abort();
  }

 private:
  void listen() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    listener_ = backend_.socket(AF_INET, SOCK_STREAM, 0);
    require(listener_ >= 0, "socket");
    require(backend_.bind(listener_, generic, sizeof address) == 0, "bind");
    require(backend_.listen(listener_, 0) == 0, "listen");
    std::uint32_t size = sizeof address;
    require(backend_.getsockname(listener_, generic, size) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
  }

  detail::Backend& backend_ = detail::backend_of(get_running_loop().impl());
  int listener_ = -1;
  std::uint16_t port_ = 0;
  bool accepted_ = false;
  std::optional<std::pair<StreamReader, StreamWriter>> first_;
};

class Resolve final : public Case {
 public:
  Resolve() { gate().set(false); }
  ~Resolve() override { gate().set(true); }
  Coro<> operation() override {
    try {
      co_await get_running_loop().getaddrinfo("name.test", 80);
    } catch (const GaiError&) {
      // The only answer there is.
    }
  }
  void complete() override { gate().set(true); }
  Coro<> use_again() override {
    complete();
    co_await operation();
  }
};

/// A peer that has not begun its side.
class TlsHandshake final : public Connected {
 public:
  Coro<> operation() override {
    begun_ = true;
    co_await writer_->start_tls(test::pki().client(),
                                TlsStartOptions().server_hostname("localhost"));
  }
  void complete() override {
    if (!serving_) serving_.emplace(create_task(serve()));
  }
  Coro<> use_again() override {
    complete();
    // Without memory it may have begun without telling the peer.
    bool plain = !writer_->connection()->tls() && !writer_->is_closing();
    if (!begun_ || plain) co_await operation();
    auto served = co_await capture(*serving_);
    if (writer_->is_closing()) {
      require(!served.has_value(), "closed by us, but open for the peer");
      co_return;
    }
    peer_writer_->write("secret");
    std::string got = co_await reader_->readexactly(6);
    require(got == "secret", "not usable, but open");
    require(writer_->ssl_object()->version == "TLSv1.3", "open, but plain");
  }

 private:
  Coro<> serve() { co_await peer_writer_->start_tls(test::pki().server()); }
  bool begun_ = false;
  std::optional<Task<>> serving_;
};

/// Of a simulated loop, which has no processes: the state alone, which a test ends by hand.
class ProcessWait final : public Case {
 public:
  Coro<> operation() override { co_await detail::ProcessWait(child_); }
  void complete() override { child_->ended(0); }
  Coro<> use_again() override {
    complete();
    int status = co_await detail::ProcessWait(child_);
    require(status == 0, "the status is lost");
  }

 private:
  std::shared_ptr<detail::ChildState> child_ =
      std::make_shared<detail::ChildState>(detail::backend_of(get_running_loop().impl()));
};

/// `cat` ends when its input does.
class RealProcess final : public Case {
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

constexpr Entry kEntries[] = {
    {"connect", AwaitableKind::operation, make<Connect>, On::simulated},
    {"stream_read", AwaitableKind::stream_read, make<StreamRead>},
    {"stream_drain", AwaitableKind::stream_drain, make<Drains<Connected>>},
    {"stream_wait_closed", AwaitableKind::stream_wait_closed, make<StreamWaitClosed>},
    {"server_wait_closed", AwaitableKind::server_wait_closed, make<ServerWaitClosed>},
    {"resolve", AwaitableKind::resolve, make<Resolve>},
    {"tls_handshake", AwaitableKind::tls_handshake, make<TlsHandshake>},
    {"process_state", AwaitableKind::process_wait, make<ProcessWait>, On::simulated},
    {"process_wait", AwaitableKind::process_wait, make<RealProcess>, On::system},
};
static_assert(cover(kEntries, AwaitableKind::operation, AwaitableKind::count));

}  // namespace

std::span<const Entry> net_entries() { return kEntries; }

}  // namespace sweep
