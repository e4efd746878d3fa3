// SPDX-License-Identifier: BSL-1.0
#include "served.hpp"

#include "speed.hpp"
#include <asyncio/asyncio.hpp>
#include <asyncio/http/client.hpp>

#include <csignal>
#include <fstream>
#include <unistd.h>

namespace bench {

using namespace asyncio;

namespace {

Coro<> wait_until_ready(const std::string& address) {
  http::ClientSession session;
  http::URL url("http://" + address + "/readyz");
  while (true) {
    http::ClientResponse response = co_await session.get(url);
    co_await response.read();
    if (response.status() == http::Status::OK) break;
    co_await sleep(std::chrono::milliseconds(5));
  }
  session.close();
}

std::vector<std::string> serve_command(const std::string& program, const std::string& folder) {
  return {program, "serve", "--port", "0", "--quiet", "--data", folder};
}

}  // namespace

Coro<Served> Served::start(std::string program, std::string folder) {
  const auto begin = SteadyClock::now();
  SubprocessOptions options;
  options.stdout(PIPE).stderr(DEVNULL);
  Process process = co_await create_subprocess_exec(options, serve_command(program, folder));
  std::string line = co_await process.stdout()->readline();
  const std::string scheme = "http://";
  const std::size_t at = line.find(scheme);
  if (at == std::string::npos) throw RuntimeError(program + " serve says: " + line);
  std::string address = line.substr(at + scheme.size());
  while (address.ends_with('\n') || address.ends_with('/')) address.pop_back();
  Served served(std::move(process), std::move(address));
  co_await wait_until_ready(served.address_);
  served.ready_seconds_ = seconds_since(begin);
  co_return served;
}

std::size_t Served::resident_bytes() const {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/" + std::to_string(process_.pid()) + "/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double Served::processor_time() const {
  std::ifstream file("/proc/" + std::to_string(process_.pid()) + "/stat");
  std::string skipped;
  std::getline(file, skipped, ')');                          // its number and name
  for (int field = 0; field < 11; ++field) file >> skipped;  // up to the times, proc(5)
  double user = 0, system = 0;
  file >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Coro<> Served::stop() const {
  process_.send_signal(SIGTERM);
  int status = co_await process_.wait();
  if (status != 0) throw RuntimeError("vectordb serve ended with " + std::to_string(status));
}

}  // namespace bench
