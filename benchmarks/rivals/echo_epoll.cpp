// SPDX-License-Identifier: BSL-1.0
// An echo server on level-triggered epoll and nothing else: what the kernel takes.
// usage: echo_epoll tcp|tls|unix|udp PATH [CERT KEY]
#include "listening.hpp"

#include <openssl/ssl.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <sys/epoll.h>
#include <vector>

namespace {

struct Peer {
  explicit Peer(int socket) : fd(socket) {}
  int fd;
  SSL* ssl = nullptr;
  std::string unsent;
  bool waits_for_room = false;
};

class EchoServer {
 public:
  EchoServer(int listener, SSL_CTX* context) : listener_(listener), context_(context) {
    watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    while (true) {
      int count = ::epoll_wait(epoll_, events, 256, -1);
      for (int i = 0; i < count; ++i) {
        auto& peer = *static_cast<Peer*>(events[i].data.ptr);
        if (&peer == &listener_)
          accept_all();
        else if (!(peer.waits_for_room ? flush(peer) : echo(peer)))
          drop(peer);
      }
    }
  }

 private:
  void watch(Peer& peer, int what, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &peer;
    ::epoll_ctl(epoll_, what, peer.fd, &event);
  }

  void accept_all() {
    int fd;
    while ((fd = ::accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      auto* peer = new Peer(fd);
      if (context_) {
        peer->ssl = SSL_new(context_);
        SSL_set_fd(peer->ssl, fd);
        SSL_set_accept_state(peer->ssl);
      }
      watch(*peer, EPOLL_CTL_ADD, EPOLLIN);
    }
  }

  void drop(Peer& peer) {
    ::close(peer.fd);
    SSL_free(peer.ssl);
    delete &peer;
  }

  /// As recv(2): 0 at the end, -1 to try again later; so is `send`.
  ssize_t receive(Peer& peer) {
    if (!peer.ssl) {
      ssize_t got = ::recv(peer.fd, room_.data(), room_.size(), 0);
      return got >= 0 ? got : errno == EAGAIN ? -1 : 0;
    }
    int got = SSL_read(peer.ssl, room_.data(), static_cast<int>(room_.size()));
    if (got > 0) return got;
    return SSL_get_error(peer.ssl, got) == SSL_ERROR_WANT_READ ? -1 : 0;
  }
  ssize_t send(Peer& peer, const char* data, std::size_t size) {
    if (!peer.ssl) {
      ssize_t sent = ::send(peer.fd, data, size, MSG_NOSIGNAL);
      return sent >= 0 ? sent : errno == EAGAIN ? -1 : 0;
    }
    int sent = SSL_write(peer.ssl, data, static_cast<int>(size));
    if (sent > 0) return sent;
    return SSL_get_error(peer.ssl, sent) == SSL_ERROR_WANT_WRITE ? -1 : 0;
  }

  /// False if the peer is gone.
  bool echo(Peer& peer) {
    // OpenSSL may have more than one record.
    do {
      ssize_t got = receive(peer);
      if (got <= 0) return got < 0;
      peer.unsent.clear();
      ssize_t sent = send(peer, room_.data(), static_cast<std::size_t>(got));
      if (sent == 0) return false;
      if (sent < got) {
        std::size_t skip = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        peer.unsent.assign(room_.data() + skip, static_cast<std::size_t>(got) - skip);
        peer.waits_for_room = true;
        watch(peer, EPOLL_CTL_MOD, EPOLLOUT);
        return true;
      }
    } while (peer.ssl && SSL_pending(peer.ssl) > 0);
    return true;
  }

  bool flush(Peer& peer) {
    ssize_t sent = send(peer, peer.unsent.data(), peer.unsent.size());
    if (sent <= 0) return sent < 0;
    peer.unsent.erase(0, static_cast<std::size_t>(sent));
    if (!peer.unsent.empty()) return true;
    peer.unsent = std::string();
    peer.waits_for_room = false;
    watch(peer, EPOLL_CTL_MOD, EPOLLIN);
    return true;
  }

  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  Peer listener_;
  SSL_CTX* context_;
  std::vector<char> room_ = std::vector<char>(echo::kRoom);
};

[[noreturn]] void echo_datagrams(int sock) {
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, sock, &event);
  std::vector<char> room(echo::kRoom);
  while (true) {
    ::epoll_wait(epoll, &event, 1, -1);
    sockaddr_storage sender{};
    socklen_t size = sizeof sender;
    auto* address = reinterpret_cast<sockaddr*>(&sender);
    ssize_t got;
    while ((got = ::recvfrom(sock, room.data(), room.size(), 0, address, &size)) >= 0) {
      ::sendto(sock, room.data(), static_cast<std::size_t>(got), 0, address, size);
      size = sizeof sender;
    }
  }
}

SSL_CTX* server_context(const char* certificate, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_use_certificate_chain_file(context, certificate);
  SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM);
  return context;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL leaves that to the program
  std::string kind = words[1];
  int sock = echo::listening_socket(kind, words[2]);
  if (kind == "udp") echo_datagrams(sock);
  EchoServer(sock, kind == "tls" ? server_context(words[3], words[4]) : nullptr).run();
}
