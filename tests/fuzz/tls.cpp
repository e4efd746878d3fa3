// SPDX-License-Identifier: BSL-1.0
/// TLS behind somebody in the middle, who cuts the records of both directions into other pieces
/// and, in some inputs, changes a byte, leaves some out, adds some or hangs up. What arrives has to
/// be what was sent, from its beginning; if nobody has changed anything, all of it.
#include "tls.hpp"

#include "asyncio/asyncio.hpp"
#include "asyncio/testing/simulated.hpp"
#include "choices.hpp"

#include <algorithm>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;
using fuzz::check;
using fuzz::Choices;
using test::pki;

namespace {

constexpr std::uint16_t kServer = 1;
constexpr std::uint16_t kMiddle = 2;

class Run {
 public:
  explicit Run(Choices& decisions) : choices(decisions) {}

  Choices& choices;
  bool honest = true;  // the one in the middle, so far
  std::string sent = test::pattern(3000);
  std::string received;
  bool ended = false;
};

/// Passes bytes on as the choices say.
Coro<> pass(Run* run, StreamReader from, StreamWriter to) {
  try {
    while (true) {
      std::ptrdiff_t most = run->choices.any() ? 1 + run->choices.byte() : 4096;
      std::string bytes = co_await from.read(most);
      if (bytes.empty()) break;
      if (run->choices.byte() >= 250) {
        run->honest = false;
        switch (run->choices.below(4)) {
          case 0:
            bytes[run->choices.byte() % bytes.size()] ^=
                static_cast<char>(1 + run->choices.byte() % 255);
            break;
          case 1:
            bytes.erase(0, 1 + run->choices.byte() % bytes.size());
            break;
          case 2:
            bytes.insert(run->choices.byte() % bytes.size(), run->choices.text(40));
            break;
          default:
            to.abort();
            co_return;
        }
      }
      co_await to.send(bytes);
      if (run->choices.one_in(8)) co_await sleep(1ms);
    }
    to.write_eof();
  } catch (const std::exception&) {  // an end has gone
  }
}

Coro<> stand_between(Run* run, StreamReader reader, StreamWriter writer) {
  Streams onward = co_await open_connection("127.0.0.1", kServer);
  Task<> there = create_task(pass, run, reader, onward.second);
  Task<> back = create_task(pass, run, onward.first, writer);
  co_await wait(there, back);
  writer.close();
  onward.second.close();
}

Coro<> receive(Run* run, StreamReader reader, StreamWriter writer) {
  try {
    while (run->received.size() < run->sent.size()) {
      std::string bytes = co_await reader.read(1000);
      if (bytes.empty()) break;
      run->received += bytes;
    }
    writer.write("all");
    co_await writer.drain();
  } catch (const std::exception&) {
  }
  run->ended = true;
  writer.close();
}

Coro<> send(Run* run) {
  ConnectOptions options;
  options.ssl(pki().client()).server_hostname("localhost").ssl_handshake_timeout(30s);
  auto streams = co_await open_connection("127.0.0.1", kMiddle, std::move(options));
  streams.second.write(run->sent);
  co_await streams.second.drain();
  std::string answer = co_await streams.first.readexactly(3);
  check(answer == "all", "the answer is not what was sent");
  check(run->received == run->sent, "an answer to what has not arrived");
  streams.second.close();
  co_await streams.second.wait_closed();
}

Coro<> through_the_middle(Run* run) {
  auto receiver = [run](StreamReader reader, StreamWriter writer) {
    return receive(run, std::move(reader), std::move(writer));
  };
  auto middle = [run](StreamReader reader, StreamWriter writer) {
    return stand_between(run, std::move(reader), std::move(writer));
  };
  ServerOptions options;
  options.ssl(pki().server()).ssl_handshake_timeout(30s);
  Server server = co_await start_server(receiver, "127.0.0.1", kServer, std::move(options));
  Server between = co_await start_server(middle, "127.0.0.1", kMiddle);
  auto outcome = co_await capture(wait_for(send(run), 100s));
  check(outcome.has_value() || !run->honest, "TLS fails although nobody changed anything");
  between.close();
  server.close();
  co_await sleep(100s);
  check(run->sent.starts_with(run->received), "something arrived that was not sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bool quiet = (set_log_handler([](const LogRecord&) {}), true);
  (void)quiet;
  Choices choices(data, size);
  Run run(choices);
  testing::run_simulated(through_the_middle, &run);
  return 0;
}
