// SPDX-License-Identifier: BSL-1.0
/// How echo_load reaches a server.
#pragma once

#include <memory>
#include <string>
#include <sys/types.h>

struct ssl_ctx_st;
struct ssl_st;

namespace echo {

/// A connection to the server, non-blocking. As send(2) and recv(2): -1 says try again later.
class Wire {
 public:
  /// `kind` is "tcp", "tls", "unix" or "udp".
  Wire(const std::string& kind, const std::string& where);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int fd() const { return fd_; }
  ssize_t send(const char* data, std::size_t size);
  ssize_t receive(char* room, std::size_t size);

 private:
  void connect(const std::string& kind, const std::string& where);
  void shake_hands();

  int fd_ = -1;
  ssl_st* ssl_ = nullptr;
};

}  // namespace echo
