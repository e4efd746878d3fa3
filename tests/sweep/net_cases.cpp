// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/net/child_state.hpp"
#include "connected_case.hpp"
#include "tls.hpp"

#include <condition_variable>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <netdb.h>
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
/// Says the numbers.
extern "C" int getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_size,
                           char* service, socklen_t service_size, int flags) {
  using Function = int (*)(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int);
  static auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getnameinfo"));
  gate().pass();
  return real(address, size, host, host_size, service, service_size,
              flags | NI_NUMERICHOST | NI_NUMERICSERV);
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

Coro<> wait_closed(Server server) { co_await server.wait_closed(); }
Coro<> at_end_of_with(Server server) {
  co_await with(server, [](Server&) {});
}

template <Coro<> (*wait)(Server)>
class ServerWaitClosed final : public Connected {
 public:
  Coro<> prepare() override {
    co_await Connected::prepare();
    server_->close();
  }
  Coro<> operation() override { co_await wait(*server_); }
  void complete() override { server_->abort_clients(); }
  Coro<> use_again() override {
    complete();
    co_await wait(*server_);
    require(!server_->is_serving(), "closed, but serving");
  }
};

/// What the C library is asked, in a thread of the loop's.
template <Coro<> (*ask)()>
class Resolve final : public Case {
 public:
  Resolve() { gate().set(false); }
  ~Resolve() override { gate().set(true); }
  Coro<> operation() override { co_await ask(); }
  void complete() override { gate().set(true); }
  Coro<> use_again() override {
    complete();
    co_await operation();
  }
};

Coro<> ask_for_addresses() {
  auto answer = co_await capture(get_running_loop().getaddrinfo("name.test", 80));
  if (!answer.holds<GaiError>()) answer.value();  // the only one there is
}
Coro<> ask_for_names() {
  EventLoop loop = get_running_loop();
  auto names = co_await loop.getnameinfo(SocketAddress::numeric("127.0.0.1", 80));
  require(names.first == "127.0.0.1" && names.second == "80", "not the names of the address");
}
Coro<> ask_resolver_for_addresses() {
  Resolver resolver;
  auto asking = resolver.getaddrinfo("name.test", 80, AddressFamily::inet, 0);
  auto answer = co_await capture(std::move(asking));
  if (!answer.holds<GaiError>()) answer.value();
}
Coro<> ask_resolver_for_names() {
  Resolver resolver;
  auto names = co_await resolver.getnameinfo(SocketAddress::numeric("127.0.0.1", 80), 0);
  require(names.first == "127.0.0.1" && names.second == "80", "not the names of the address");
}

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

constexpr Entry kEntries[] = {
    {"stream_read", AwaitableKind::stream_read, make<StreamRead>},
    {"stream_drain", AwaitableKind::stream_drain, make<Drains<Connected>>},
    {"stream_wait_closed", AwaitableKind::stream_wait_closed, make<StreamWaitClosed>},
    {"server_wait_closed", AwaitableKind::server_wait_closed, make<ServerWaitClosed<wait_closed>>},
    {"server_with", AwaitableKind::server_wait_closed, make<ServerWaitClosed<at_end_of_with>>},
    {"getaddrinfo", AwaitableKind::resolve, make<Resolve<ask_for_addresses>>},
    {"getnameinfo", AwaitableKind::resolve, make<Resolve<ask_for_names>>},
    {"resolver_addresses", AwaitableKind::resolve, make<Resolve<ask_resolver_for_addresses>>},
    {"resolver_names", AwaitableKind::resolve, make<Resolve<ask_resolver_for_names>>},
    {"tls_handshake", AwaitableKind::tls_handshake, make<TlsHandshake>},
    {"process_state", AwaitableKind::process_wait, make<ProcessWait>, On::simulated},
};
static_assert(cover(kEntries, AwaitableKind::stream_read, AwaitableKind::count));

}  // namespace

std::span<const Entry> net_entries() { return kEntries; }

}  // namespace sweep
