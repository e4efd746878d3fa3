// SPDX-License-Identifier: BSL-1.0
// https_get HOST [PATH] [PORT] [CAFILE]: prints what a server answers over TLS.
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [get]
Coro<std::string> https_get(std::string host, std::string path, int port, TlsContext tls) {
  auto [reader, writer] =
      co_await open_connection(host, static_cast<std::uint16_t>(port), ConnectOptions().ssl(tls));
  co_await writer.send("GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
  std::string answer = co_await reader.read();
  writer.close();
  co_await writer.wait_closed();
  co_return answer;
}
// [/get]

Coro<int> run_example(std::vector<std::string> words) {
  if (words.empty() || words.size() > 4) {
    std::fputs("usage: https_get HOST [PATH] [PORT] [CAFILE]\n", stderr);
    co_return 2;
  }
  std::string path = words.size() > 1 ? words[1] : "/";
  int port = words.size() > 2 ? std::stoi(words[2]) : 443;
  TlsContext tls = create_default_context();
  if (words.size() > 3) tls.load_verify_locations(words[3]);
  try {
    std::string answer = co_await wait_for(https_get(words[0], path, port, tls), 30s);
    std::fputs(answer.c_str(), stdout);
  } catch (const SSLCertVerificationError& e) {
    std::fprintf(stderr, "%s is not to be trusted: %s\n", words[0].c_str(),
                 e.verify_message().c_str());
    co_return 1;
  } catch (const OSError& e) {
    std::fprintf(stderr, "%s\n", e.what());
    co_return 1;
  }
  co_return 0;
}

int main(int argc, char** argv) {
  return run_main(run_example(std::vector<std::string>(argv + 1, argv + argc)));
}
