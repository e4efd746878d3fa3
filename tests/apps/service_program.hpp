// SPDX-License-Identifier: BSL-1.0
/// apps/webservice as a process that is asked, talked to, and stopped.
#pragma once

#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// The program, and a session that asks it.
class Service {
 public:
  Service(asyncio::Process process, asyncio::http::URL url,
          asyncio::http::SessionOptions options = {})
      : process_(std::move(process)), session_(options.base_url(url)), url_(url) {}

  const asyncio::http::ClientSession& session() const { return session_; }
  const asyncio::http::URL& url() const { return url_; }
  const asyncio::Process& process() const { return process_; }

  asyncio::Coro<std::string> text(std::string path) const {
    asyncio::http::ClientResponse response = co_await session_.get(path);
    response.raise_for_status();
    std::string body = co_await response.text();
    co_return body;
  }
  asyncio::Coro<int> stop() const {
    session_.close();
    process_.send_signal(SIGTERM);
    int status = co_await process_.wait();
    co_return status;
  }

 private:
  asyncio::Process process_;
  asyncio::http::ClientSession session_;
  asyncio::http::URL url_;
};

inline asyncio::Coro<Service> started(std::vector<std::string> more = {},
                                      asyncio::http::SessionOptions session = {}) {
  std::vector<std::string> command{WEBSERVICE, "--quiet"};
  command.insert(command.end(), more.begin(), more.end());
  if (std::ranges::find(more, "--port") == more.end()) {
    command.push_back("--port");
    command.push_back("0");
  }
  asyncio::SubprocessOptions options;
  options.stdout(asyncio::PIPE);
  asyncio::Process process = co_await asyncio::create_subprocess_exec(options, std::move(command));
  std::string line = co_await process.stdout()->readline();
  std::size_t begin = std::min(line.find("http://"), line.find("https://"));
  if (begin == std::string::npos) throw asyncio::RuntimeError("it says: " + line);
  asyncio::http::URL url(line.substr(begin, line.size() - begin - 1));
  co_return Service(std::move(process), std::move(url), std::move(session));
}

template <class F>
void with_service(std::vector<std::string> options, F body) {
  asyncio::run([&]() -> asyncio::Coro<> {
    Service service = co_await started(std::move(options));
    auto outcome = co_await asyncio::capture(body(service));
    int status = co_await service.stop();
    outcome.value();
    EXPECT_EQ(status, 0);
  });
}

}  // namespace test
