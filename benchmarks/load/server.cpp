// SPDX-License-Identifier: BSL-1.0
// The server whose memory, descriptors and time tools/load watches from outside.
//
// usage: load_server echo|tls|flood [PORT [HANDSHAKE_SECONDS]]
//
// Prints "port N", then answers each line "figures" on its standard input with one of its own:
// what is live. "trim" gives
// free memory back first. Ends with its input.
#include "certificates.hpp"
#include <asyncio/pipes.hpp>
#include <asyncio/runner.hpp>
#include <asyncio/server.hpp>
#include <asyncio/streams.hpp>
#include <asyncio/task.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <string>
#include <string_view>

namespace {

using namespace asyncio;

constexpr std::size_t kFlood = 64 * 1024 * 1024;
constexpr std::size_t kChunk = 16 * 1024;

std::int64_t connections = 0;
std::int64_t served = 0;
std::int64_t refused = 0;  // clients that reset the connection

/// Counts a connection while its handler runs.
class Present {
 public:
  Present() { ++connections; }
  ~Present() { --connections; }
  Present(const Present&) = delete;
  Present& operator=(const Present&) = delete;
};

Coro<> echo(StreamReader reader, StreamWriter writer) {
  Present present;
  try {
    while (auto line = co_await reader.next()) {
      co_await writer.send(*line);
      ++served;
    }
  } catch (const OSError&) {
    ++refused;
  }
}

/// Sends more than the peer takes.
Coro<> flood(StreamReader reader, StreamWriter writer) {
  static const std::string chunk(kChunk, 'x');
  Present present;
  try {
    for (std::size_t sent = 0; sent < kFlood; sent += kChunk)
      co_await writer.send(std::string_view(chunk));
    ++served;
  } catch (const OSError&) {
    ++refused;
  }
}

TlsContext context() {
  static const test::Folder folder;
  static const test::Identity identity{
      folder, test::CertificateSpec("localhost").alternatives("DNS:localhost")};
  TlsContext context(TlsPurpose::client_auth);
  context.load_cert_chain(identity.certfile, identity.keyfile);
  return context;
}

Coro<Server> start(std::string kind, std::uint16_t port, double handshake_seconds) {
  ServerOptions options;
  options.backlog(4096).reuse_port(port != 0);
  if (kind == "flood") co_return co_await start_server(flood, "127.0.0.1", port, options);
  if (kind == "tls")
    options.ssl(context()).ssl_handshake_timeout(std::chrono::duration<double>(handshake_seconds));
  co_return co_await start_server(echo, "127.0.0.1", port, options);
}

void print_figures() {
  struct mallinfo2 heap = ::mallinfo2();
  std::printf(
      "{\"connections\": %lld, \"served\": %lld, \"reset\": %lld, \"live\": %zu, \"tasks\": %zu}\n",
      static_cast<long long>(connections), static_cast<long long>(served),
      static_cast<long long>(refused), heap.uordblks + heap.hblkhd, all_tasks().size());
  std::fflush(stdout);
}

Coro<> answer_commands() {
  StreamReader commands = co_await connect_read_pipe(0);
  while (auto line = co_await commands.next()) {
    if (*line == "trim\n") ::malloc_trim(0);
    print_figures();
  }
}

Coro<> serve(std::string kind, std::uint16_t port, double handshake_seconds) {
  Server server = co_await start(kind, port, handshake_seconds);
  std::printf("port %u\n", static_cast<unsigned>(server.sockets().front().port()));
  std::fflush(stdout);
  co_await answer_commands();
  server.close();
  server.abort_clients();
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) return 2;
  auto port = static_cast<std::uint16_t>(count > 2 ? std::atoi(words[2]) : 0);
  double handshake_seconds = count > 3 ? std::atof(words[3]) : 60;
  return run_main(serve(words[1], port, handshake_seconds));
}
