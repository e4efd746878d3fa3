// SPDX-License-Identifier: BSL-1.0
// usage: graceful_shutdown GRACE CERTIFICATE KEY
//
// Two servers, one of them over TLS, whose clients send a number and get it back after so many
// milliseconds. On SIGTERM they stop listening and finish what was asked for, in GRACE seconds at
// most; then the program ends with 0.
#include <asyncio/gather.hpp>
#include <asyncio/runner.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/streams.hpp>
#include <asyncio/task.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

using namespace asyncio;

Coro<> answer(StreamReader reader, StreamWriter writer) {
  try {
    while (auto line = co_await reader.next()) {
      co_await sleep(std::chrono::milliseconds(std::atoi(line->c_str())));
      co_await writer.send(*line);
    }
  } catch (const OSError&) {
    // The client is gone, or was given up.
  }
}

Coro<> serve(double grace, std::string certificate, std::string key) {
  ServerOptions options;
  options.grace(std::chrono::duration<double>(grace)).backlog(4096);
  Server plain = co_await start_server(answer, "127.0.0.1", 0, options);
  TlsContext context = create_default_context(TlsPurpose::client_auth);
  context.load_cert_chain(certificate, key);
  Server secure = co_await start_server(answer, "127.0.0.1", 0, options.ssl(context));
  std::cout << plain.sockets().front().port() << ' ' << secure.sockets().front().port()
            << std::endl;

  TaskHandle serving = *current_task();
  get_running_loop().add_signal_handler(SIGTERM, [serving]() mutable { serving.cancel(); });
  try {
    co_await gather(return_exceptions, plain.serve_forever(), secure.serve_forever());
  } catch (const CancelledError&) {
    // Everything is over.
  }
}

int main(int count, char** words) {
  if (count != 4) return 2;
  return run_main(serve(std::atof(words[1]), words[2], words[3]));
}
