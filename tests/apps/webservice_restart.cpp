// SPDX-License-Identifier: BSL-1.0
// apps/webservice when it is replaced: its listening sockets go to the next process, and no client
// notices (L13).
#include "../http/raw_client.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/http/nlohmann_json.hpp"
#include "folder.hpp"
#include "program.hpp"
#include "service_program.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <netinet/in.h>
#include <set>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using nlohmann::json;
using test::Service;
using test::started;

namespace {

/// Processes that are not ours to wait for: they end with the test, whatever happens in it.
class Pids : public std::set<int> {
 public:
  Pids() = default;
  Pids(const Pids&) = delete;
  Pids& operator=(const Pids&) = delete;
  ~Pids() {
    for (int pid : *this) ::kill(pid, SIGKILL);
  }
};

/// Asks on a connection of its own. Returns the process that has answered; 0 and a failed test if
/// none has.
Coro<int> asked_pid(std::uint16_t port) {
  std::string answer = co_await test::exchange(port, test::get("/health", "Connection: close\r\n"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  std::size_t body = answer.find("\r\n\r\n");
  if (body == std::string::npos) co_return 0;
  json health = json::parse(answer.substr(body));
  EXPECT_EQ(health.at("status"), "ok");
  co_return health.at("pid").get<int>();
}

/// Asks until somebody answers who is not among `known`.
Coro<int> new_pid(std::uint16_t port, const Pids& known) {
  int pid = 0;
  do {
    pid = co_await asked_pid(port);
  } while (pid == 0 || known.contains(pid));
  co_return pid;
}

/// The line of a process that listens.
Coro<std::string> said_where(const Process& process) {
  std::string line = co_await wait_for(process.stdout()->readline(), 30s);
  co_return line;
}

TEST(WebServiceRestart, L13_two_successors_lose_no_request) {
  run([]() -> Coro<> {
    Service service = co_await started();
    const std::uint16_t port = service.url().port().value();
    Pids pids;
    bool enough = false;
    auto ask = [&]() -> Coro<> {
      while (!enough) {
        int pid = co_await asked_pid(port);
        if (pid != 0) pids.insert(pid);
      }
    };
    std::vector<Task<>> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(create_task(ask()));
    int last = service.process().pid();
    Pids known;
    for (int restarts = 0; restarts < 2; ++restarts) {
      while (!pids.contains(last)) co_await sleep(1ms);
      known.insert(last);
      ::kill(last, SIGUSR2);
      std::string line = co_await said_where(service.process());
      EXPECT_EQ(line, "webservice: " + std::string(service.url().str()) + "\n");
      last = co_await wait_for(new_pid(port, known), 30s);
    }
    int status = co_await wait_for(service.process().wait(), 30s);
    EXPECT_EQ(status, 0);
    for (int i = 0; i < 50; ++i) co_await asked_pid(port);  // the others ask as often meanwhile
    enough = true;
    for (Task<>& client : clients) co_await client;
    EXPECT_EQ(pids.size(), 3u);
    ::kill(last, SIGTERM);
    std::string rest = co_await wait_for(service.process().stdout()->read(), 30s);
    EXPECT_EQ(rest, "");  // all three have ended
    service.session().close();
  });
}

Coro<std::string> line_with(StreamReader reader, std::string words) {
  std::string line;
  do {
    line = co_await reader.readline();
  } while (!line.empty() && line.find(words) == std::string::npos);
  co_return line;
}

TEST(WebServiceRestart, L13_without_a_successor_it_goes_on_and_says_why) {
  run([]() -> Coro<> {
    const test::Folder folder;  // which it needs to start
    SubprocessOptions options;
    options.stdout(PIPE).stderr(PIPE);
    Process process = co_await create_subprocess_exec(options, WEBSERVICE, "--quiet", "--port", "0",
                                                      "--static", folder.path());
    std::string where = co_await said_where(process);
    auto port = http::URL(where.substr(where.find("http"), where.find('\n') - 12)).port().value();
    Pids pids;
    pids.insert(process.pid());
    std::filesystem::remove(folder.path());
    process.send_signal(SIGUSR2);
    std::string why = co_await wait_for(line_with(*process.stderr(), "no restart"), 30s);
    EXPECT_NE(why.find("the successor has ended, before it listened, with status 2"),
              std::string::npos)
        << why;
    int pid = co_await asked_pid(port);
    EXPECT_EQ(pid, process.pid());
    std::filesystem::create_directory(folder.path());
    process.send_signal(SIGUSR2);
    co_await said_where(process);
    pid = co_await wait_for(new_pid(port, pids), 30s);
    pids.insert(pid);
    int status = co_await wait_for(process.wait(), 30s);
    EXPECT_EQ(status, 0);
    ::kill(pid, SIGTERM);
    std::string rest = co_await wait_for(process.stdout()->read(), 30s);
    EXPECT_EQ(rest, "");
  });
}

/// What systemd keeps for a unit.
class UnitSocket {
 public:
  UnitSocket() : number_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    if (::bind(number_, address, size) != 0 || ::listen(number_, 100) != 0 ||
        ::getsockname(number_, address, &size) != 0)
      throw OSError(errno, "listen");
  }
  UnitSocket(const UnitSocket&) = delete;
  UnitSocket& operator=(const UnitSocket&) = delete;
  ~UnitSocket() { ::close(number_); }

  int number() const noexcept { return number_; }
  std::uint16_t port() const noexcept { return ntohs(address_.sin_port); }

  /// Starts the service on it. `pid` is what it is told its number is, for the shell.
  Coro<Process> start(std::string pid = "$$") const {
    std::string script = "LISTEN_PID=" + pid + " LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; " +
                         R"(exec "$0" --quiet --port 0 3<&0 0</dev/null)";
    SubprocessOptions options;
    options.stdin(number_).stdout(PIPE);
    Process process =
        co_await create_subprocess_exec(options, "sh", "-c", std::move(script), WEBSERVICE);
    co_return process;
  }

 private:
  int number_;
  sockaddr_in address_{};
};

TEST(WebServiceRestart, L13_on_a_socket_of_systemd_clients_wait_for_the_next_process) {
  run([]() -> Coro<> {
    UnitSocket unit;
    for (int i = 0; i < 2; ++i) {
      auto asking = create_task(asked_pid(unit.port()));  // while there is no process
      co_await sleep(10ms);
      Process process = co_await unit.start();
      std::string where = co_await said_where(process);
      EXPECT_EQ(where, "webservice: http://127.0.0.1:" + std::to_string(unit.port()) + "/\n");
      int pid = co_await wait_for(asking, 30s);
      EXPECT_EQ(pid, process.pid());
      process.send_signal(SIGTERM);
      int status = co_await wait_for(process.wait(), 30s);
      EXPECT_EQ(status, 0);
    }
    // They were for somebody else.
    Process process = co_await unit.start("1");
    std::string where = co_await said_where(process);
    EXPECT_EQ(where.find(":" + std::to_string(unit.port()) + "/"), std::string::npos) << where;
    process.send_signal(SIGTERM);
    co_await process.wait();
  });
}

TEST(WebServiceRestart, R10_sockets_that_are_not_there) {
  run([]() -> Coro<> {
    const std::string script = R"(export LISTEN_PID=$$ LISTEN_FDS=$1; exec "$0" </dev/null 3<&0)";
    test::Outcome none = co_await test::outcome_of("sh", "-c", script, WEBSERVICE, "1000");
    EXPECT_EQ(none.status, 1);
    EXPECT_TRUE(none.err.starts_with("webservice: LISTEN_FDS=1000: descriptor ")) << none.err;
    EXPECT_TRUE(none.err.ends_with(": Bad file descriptor\n")) << none.err;
    test::Outcome file = co_await test::outcome_of("sh", "-c", script, WEBSERVICE, "1");
    EXPECT_EQ(file.status, 1);
    EXPECT_TRUE(file.err.starts_with("webservice: socket 3: ")) << file.err;
  });
}

}  // namespace
