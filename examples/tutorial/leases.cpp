// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>
#include <asyncio/testing/network.hpp>
#include <asyncio/testing/seeds.hpp>

#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [service]
/// Keeps leases: who does not renew one for a minute has lost it.
class Leases {
 public:
  Coro<> serve(StreamReader reader, StreamWriter writer) {
    try {
      while (auto line = co_await reader.next()) {
        renew(line->substr(0, line->find('\n')));
        co_await writer.send("ok\n");
      }
    } catch (const OSError&) {
      // The connection broke: the client comes again, or its lease ends.
    }
    writer.close();
  }

  std::size_t held() const { return leases_.size(); }
  const std::vector<std::string>& lost() const { return lost_; }
  int renewals() const { return renewals_; }

 private:
  void renew(const std::string& name) {
    ++renewals_;
    if (auto lease = leases_.find(name); lease != leases_.end()) lease->second.cancel();
    auto end = [this, name] {
      leases_.erase(name);
      lost_.push_back(name);
    };
    leases_.insert_or_assign(name, get_running_loop().call_later(60s, end));
  }

  std::map<std::string, TimerHandle> leases_;
  std::vector<std::string> lost_;
  int renewals_ = 0;
};

/// Renews the lease of the machine `host` every 20 seconds, over a new connection if need be.
Coro<> keep_lease(std::string host) {
  auto options = ConnectOptions().local_addr(host, 0);
  while (true) {
    try {
      auto [reader, writer] = co_await wait_for(open_connection("10.0.1.1", 7000, options), 5s);
      while (true) {
        co_await writer.send(host + "\n");
        std::string answer = co_await wait_for(reader.readline(), 5s);
        if (answer.empty()) break;
        co_await sleep(20s);
      }
    } catch (const OSError&) {
      // Among them TimeoutError.
    }
    co_await sleep(1s);
  }
}
// [/service]

// [test]
void expect(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

Coro<> a_day() {
  testing::Network network;
  network.latency(5ms, 80ms).slices(true);

  Leases leases;
  auto handler = [&](StreamReader reader, StreamWriter writer) {
    return leases.serve(std::move(reader), std::move(writer));
  };
  Server server = co_await start_server(handler, "10.0.1.1", 7000);

  auto day = [&](TaskGroup& group) -> Coro<> {
    for (int i = 1; i <= 10; ++i) group.create_task(keep_lease, "10.0.0." + std::to_string(i));

    co_await sleep(3h);
    network.partition("10.0.0.3", "10.0.1.1");
    co_await sleep(5min);
    expect(leases.held() == 9, "one machine has been cut off");
    network.heal();

    co_await sleep(9h);
    network.reset("10.0.1.1");  // everybody has to connect again

    co_await sleep(12h);
    expect(leases.held() == 10, "all are back");
    group.cancel();
  };
  co_await with(TaskGroup(), day);

  expect(leases.lost() == std::vector<std::string>{"10.0.0.3"}, "nobody else lost a lease");
  std::cout << "a day, " << leases.renewals() << " renewals\n";
}

int main() { testing::run_seeds(3, a_day); }
// [/test]
