// SPDX-License-Identifier: BSL-1.0
// M8: N requests of URL, C at once. asyncio_peer_client URL N C
#include <asyncio/asyncio.hpp>
#include <asyncio/http.hpp>
#include <asyncio/http/client.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace {

using namespace asyncio;

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class Requests {
 public:
  Requests(http::ClientSession session, std::string_view url, long count)
      : session_(std::move(session)), url_(url), left_(count) {}

  Coro<> work() {
    while (left_-- > 0) {
      http::ClientResponse response = co_await session_.get(url_);
      std::string body = co_await response.read();
      total_ += body.size();
    }
  }

  std::size_t total() const { return total_; }

 private:
  http::ClientSession session_;
  http::URL url_;
  long left_;
  std::size_t total_ = 0;
};

Coro<std::size_t> fetch(http::ClientSession session, std::string_view url, long count,
                        int at_once) {
  Requests requests(session, url, count);
  std::vector<Coro<>> workers;
  for (int i = 0; i < at_once; ++i) workers.push_back(requests.work());
  co_await gather(std::move(workers));
  co_return requests.total();
}

Coro<> measure(std::string_view url, long count, int at_once) {
  http::ClientSession session(http::SessionOptions().limit(static_cast<std::size_t>(at_once)));
  std::size_t warm_up = co_await fetch(session, url, count / 10, at_once);
  double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::size_t total = co_await fetch(session, url, count, at_once);
  wall = seconds(CLOCK_MONOTONIC) - wall;
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  session.close();
  if (warm_up == 0 || total != static_cast<std::size_t>(count) * 1024)
    throw RuntimeError("not every byte has come");
  std::printf("{\"w\":\"M8\",\"n\":%ld,\"wall\":%.9f,\"cpu\":%.9f}\n", count, wall, cpu);
}

}  // namespace

int main(int, char** arguments) {
  return asyncio::run_main(measure(arguments[1], std::atol(arguments[2]), std::atoi(arguments[3])));
}
