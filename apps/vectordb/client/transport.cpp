// SPDX-License-Identifier: BSL-1.0
#include "vectordb/client/transport.hpp"

#include "vectordb/client/errors.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/http/errors.hpp>
#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/sleep.hpp>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace vectordb {

using namespace asyncio;
using http::URL;
using nlohmann::json;

namespace {

constexpr double kLongestPause = 5;        // seconds
constexpr double kLongestAskedPause = 60;  // by the server
constexpr std::size_t kLongestAnswer = std::size_t{1} << 30;

URL url_of(const std::string& address) {
  bool has_scheme = address.find("://") != std::string::npos;
  URL url(has_scheme ? address : "http://" + address);
  if (url.scheme() != "http" && url.scheme() != "https")
    throw http::InvalidURL(address + ": the address of a server is http or https");
  return url;
}

http::SessionOptions session_options(const ClientOptions& options) {
  http::SessionOptions session;
  session.limit(options.get_connections());
  if (!options.get_api_key().empty()) session.header("api-key", options.get_api_key());
  return session;
}

/// The address without a '/' at its end: the paths of the API begin with one. A proxy may have the
/// server in a folder.
std::string base_of(const URL& url) {
  std::string base(url.without_fragment().with_query(std::string_view()).str());
  while (base.ends_with('/')) base.pop_back();
  return base;
}

/// The server's words.
std::string refusal(const std::string& body, int status) {
  try {
    json answer = http::JsonCodec<json>::parse(body);
    return answer.at("status").at("error").get<std::string>();
  } catch (const ValueError&) {  // not this API: a proxy, say
  } catch (const json::exception&) {
  }
  return "status " + std::to_string(status) + (body.empty() ? "" : ": " + body.substr(0, 200));
}

/// Not all at the same time again.
double jitter() {
  thread_local std::minstd_rand random{std::random_device()()};
  return std::uniform_real_distribution<double>(0.75, 1.25)(random);
}

}  // namespace

/// What came back: a status and a body, or why there is none.
class Transport::Answer {
 public:
  Answer() {}

  int status = 0;
  bool may_have_arrived = true;  // the request, at the server
  std::string body;
  std::string retry_after;
};

Transport::Transport(const std::string& address, ClientOptions options)
    : options_(std::move(options)),
      base_(base_of(url_of(address))),
      session_(session_options(options_)) {}

namespace {

json parsed(const std::string& subject, const std::string& body, int status) {
  try {
    return http::JsonCodec<json>::parse(body);
  } catch (const ValueError& error) {
    throw ServiceError(subject + ": the answer is no JSON: " + error.what(), status);
  }
}

}  // namespace

Coro<json> Transport::call(Call call) const {
  for (int attempts = 1;; ++attempts) {
    Answer answer = co_await attempt(call);
    if (answer.status / 100 == 2) co_return parsed(call.subject, answer.body, answer.status);
    std::string why = answer.body;
    if (answer.status != 0) why = refusal(answer.body, answer.status);
    why.insert(0, call.subject + ": ");
    if (!may_repeat(call, answer, attempts)) throw_service_error(why, answer.status);
    Delay wait = pause(attempts, answer);
    if (options_.get_on_retry()) options_.get_on_retry()(why, attempts + 1, wait);
    co_await sleep(wait);
  }
}

http::ClientTimeout Transport::timeout(const Call& call) const {
  Delay limit = options_.get_timeout();
  if (call.limit.nanoseconds() < limit.nanoseconds()) limit = call.limit;
  return http::ClientTimeout().total(limit);
}

Coro<Transport::Answer> Transport::attempt(const Call& call) const {
  Answer answer;
  http::RequestOptions request;
  request.allow_redirects(false).allow_repeats(call.repeatable).timeout(timeout(call));
  if (call.body) request.json(*call.body);
  try {
    URL url(base_ + call.path);
    http::ClientResponse response = co_await session_.request(call.method, url, request);
    answer.retry_after = response.headers().get("Retry-After", "");
    answer.body = co_await response.read(kLongestAnswer);
    answer.status = response.status().code();
  } catch (const http::ClientConnectorError& error) {
    answer.body = error.what();
    answer.may_have_arrived = false;
  } catch (const http::ClientError& error) {
    answer.body = error.what();
  }
  co_return answer;
}

/// 429 and 503 say that nothing was done; the others say nothing of it.
bool Transport::may_repeat(const Call& call, const Answer& answer, int attempts) const noexcept {
  if (attempts > options_.get_retries()) return false;
  if (answer.status == 429 || answer.status == 503 || !answer.may_have_arrived) return true;
  bool may_pass = answer.status == 0 || answer.status == 502 || answer.status == 504;
  return call.repeatable && may_pass;
}

Delay Transport::pause(int attempts, const Answer& answer) const {
  double seconds = static_cast<double>(options_.get_backoff().nanoseconds()) / 1e9;
  for (int i = 1; i < attempts && seconds < kLongestPause; ++i) seconds *= 2;
  seconds = std::min(seconds * jitter(), kLongestPause);
  double asked = std::min(std::atof(answer.retry_after.c_str()), kLongestAskedPause);
  return Delay(std::chrono::duration<double>(std::max(seconds, asked)));
}

}  // namespace vectordb
