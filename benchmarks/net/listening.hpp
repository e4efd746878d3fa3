// SPDX-License-Identifier: BSL-1.0
/// What the echo servers have in common: where they listen.
#pragma once

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace echo {

/// The most that a server asks the kernel for at once.
inline constexpr std::size_t kRoom = 64 * 1024;

[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

inline void bind_local(int sock, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::bind(sock, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) give_up("bind");
  std::printf("%s\n", path.c_str());
}

inline void bind_port(int sock, const std::string& port) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<unsigned short>(std::atoi(port.c_str())));
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(sock, generic, size) != 0 || ::getsockname(sock, generic, &size) != 0) give_up("bind");
  std::printf("%u\n", static_cast<unsigned>(ntohs(address.sin_port)));
}

/// A socket for "tcp", "tls", "unix" or "udp", non-blocking, at a path or port (any free one
/// without a number); says on the standard output where it is. What is accepted from it has
/// TCP_NODELAY.
inline int listening_socket(const std::string& kind, const std::string& place) {
  bool local = kind == "unix", datagrams = kind == "udp";
  int type = (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  int sock = ::socket(local ? AF_UNIX : AF_INET, type, 0);
  if (sock < 0) give_up("socket");
  int on = 1;
  if (!local && !datagrams) ::setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (local)
    bind_local(sock, place);
  else
    bind_port(sock, place);
  if (!datagrams && ::listen(sock, 4096) != 0) give_up("listen");
  std::fflush(stdout);
  return sock;
}

}  // namespace echo
