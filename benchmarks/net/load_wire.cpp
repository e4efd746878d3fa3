// SPDX-License-Identifier: BSL-1.0
#include "load_wire.hpp"

#include "listening.hpp"

#include <openssl/ssl.h>

#include <cerrno>
#include <fcntl.h>

namespace echo {

namespace {

SSL_CTX* client_context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    return made;
  }();
  return context;
}

[[noreturn]] void lost(const char* what) {
  std::fprintf(stderr, "%s: the server is gone\n", what);
  std::exit(1);
}

}  // namespace

Wire::Wire(const std::string& kind, const std::string& where) {
  connect(kind, where);
  if (kind == "tls") shake_hands();
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Wire::~Wire() {
  SSL_free(ssl_);
  ::close(fd_);
}

void Wire::connect(const std::string& kind, const std::string& where) {
  sockaddr_un local{};
  sockaddr_in internet{};
  local.sun_family = AF_UNIX;
  std::strncpy(local.sun_path, where.c_str(), sizeof local.sun_path - 1);
  internet.sin_family = AF_INET;
  internet.sin_port = htons(static_cast<in_port_t>(std::atoi(where.c_str())));
  internet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool is_local = kind == "unix";
  auto* address =
      is_local ? reinterpret_cast<sockaddr*>(&local) : reinterpret_cast<sockaddr*>(&internet);
  socklen_t size = is_local ? sizeof local : sizeof internet;
  fd_ = ::socket(address->sa_family, kind == "udp" ? SOCK_DGRAM : SOCK_STREAM, 0);
  if (fd_ < 0 || ::connect(fd_, address, size) != 0) give_up("connect");
  int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // means nothing to the others
}

void Wire::shake_hands() {
  ssl_ = SSL_new(client_context());
  SSL_set_fd(ssl_, fd_);
  if (SSL_connect(ssl_) != 1) lost("TLS handshake");
}

ssize_t Wire::send(const char* data, std::size_t size) {
  if (ssl_) {
    int sent = SSL_write(ssl_, data, static_cast<int>(size));
    if (sent <= 0 && SSL_get_error(ssl_, sent) != SSL_ERROR_WANT_WRITE) lost("TLS send");
    return sent > 0 ? sent : -1;
  }
  ssize_t sent = ::send(fd_, data, size, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) give_up("send");
  return sent;
}

ssize_t Wire::receive(char* room, std::size_t size) {
  if (ssl_) {
    int got = SSL_read(ssl_, room, static_cast<int>(size));
    if (got <= 0 && SSL_get_error(ssl_, got) != SSL_ERROR_WANT_READ) lost("TLS recv");
    return got > 0 ? got : -1;
  }
  ssize_t got = ::recv(fd_, room, size, 0);
  if (got == 0) lost("recv");
  if (got < 0 && errno != EAGAIN) give_up("recv");
  return got;
}

}  // namespace echo
