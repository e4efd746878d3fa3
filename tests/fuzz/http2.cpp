// SPDX-License-Identifier: BSL-1.0
/// Both ends of an HTTP/2 connection whose peer says anything. The server's: a session makes the
/// same of it however it is split, lets no request through that HTTP/1 would refuse, and says
/// nothing but whole frames; so does a whole server, which ends. The client's: two requests on one
/// connection end in the same way however it is split, and a third one has its own answer.
#include "asyncio/http/client.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/testing/simulated.hpp"
#include "choices.hpp"
#include "http/http2_session.hpp"
#include "http/write_head.hpp"
#include "http2_frames.hpp"
#include "http2_peer.hpp"
#include "pieces.hpp"
#include "raw_client.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace test;
using fuzz::check;
using fuzz::Choices;
using http::detail::Http2Role;
using http::detail::Http2Session;
using http::detail::Http2Stream;
using http::detail::Http2Terms;

namespace {

constexpr std::size_t kMaxOutput = std::size_t{1} << 20;

using fuzz::cut;
using fuzz::Sizes;

/// Frames as they were chosen, or the bytes as they are, behind what a peer begins with.
std::string said_by_peer(Choices& choices, std::string bytes) {
  if (!choices.one_in(2)) return bytes + choices.rest();
  while (choices.any()) {
    const int type = choices.below(11);
    const int flags = choices.byte();
    const auto stream = static_cast<std::uint32_t>(choices.below(8));
    bytes += h2::frame(type, flags, stream, choices.text(choices.byte()));
  }
  return bytes;
}

http::HttpLimits some_limits(bool small) {
  http::HttpLimits limits;
  if (small) limits.start_line(20).field(30).fields(4).head(200).body(20).streams(3);
  return limits;
}

// Our server

Http2Terms some_terms(bool small) {
  Http2Terms terms;
  terms.limits = some_limits(small);
  if (small) terms.stream_window = terms.connection_window = 100;
  return terms;
}

/// What could be sent on over HTTP/1 means one request there.
void check_request(const Http2Stream& stream) {
  http::RequestHead head = stream.request;
  check(head.version == http::Version::http_2, "a version that it is not");
  for (http::HeaderField field : head.headers)
    check(!field.name.starts_with(':'), "a pseudo-header field among the others");
  head.version = http::Version::http_1_1;
  std::string out;
  http::detail::write_head(out, head);
}

std::string described(Http2Session& session, Http2Stream& stream) {
  std::string text = std::to_string(stream.id()) + ":";
  if (stream.refusal())
    return text + std::to_string(stream.refusal()->status().code()) + stream.refusal()->what();
  check_request(stream);
  text += std::string(stream.request.method.str()) + stream.request.target;
  for (const auto [name, value] : stream.request.headers)
    text.append(name).append("=").append(value).append(";");
  for (const auto [name, value] : stream.trailers)
    text.append(name).append("~").append(value).append(";");
  text += stream.input_ended() ? "whole " : stream.error() ? "broken " : "open ";
  // Of a body that breaks off, as much has come as was in the pieces before.
  if (stream.input_ended()) text += session.read(stream);
  return text + "\n";
}

/// All that a session makes of the bytes in these pieces.
std::string told(const std::vector<std::string>& pieces, bool small) {
  Http2Session session(Http2Role::server, some_terms(small));
  const TimePoint now(std::chrono::seconds(1));
  for (const std::string& piece : pieces) session.receive(piece, now);
  std::string text;
  while (auto stream = session.next_request()) {
    text += described(session, *stream);
    session.respond(*stream, http::Status::OK, {}, false);
  }
  const bool has_left = session.is_ending();  // nghttp2 may look at what is behind a GOAWAY, or not
  std::string output;
  session.send(output, kMaxOutput);
  h2::Said said;
  said.take(output);
  check(said.rest().empty(), "something that is no frame");
  if (has_left) return text;
  return text + said.text() + session.failure() + (session.is_over() ? " over" : " open");
}

Coro<web::Response> echo(web::Request& request) {
  std::string body = co_await request.read();
  co_return web::Response(body);
}

Coro<std::string> answer_of_server(std::vector<std::string> pieces) {
  web::Application app;
  app.add_route("*", "/{rest...}", echo);
  web::RunnerOptions options;
  options.http2_prior_knowledge(true);
  Served served = co_await serve(std::move(app), options);
  std::string answer = co_await exchange(served.port(), std::move(pieces));
  co_await served.cleanup();
  co_return answer;
}

void try_server(const std::string& bytes, const Sizes& sizes, bool small) {
  const std::string whole = told(cut(bytes, {}), small);
  check(told(cut(bytes, sizes), small) == whole, "the pieces of the input change what it means");
  check(told(cut(bytes, {1}), small) == whole, "single bytes change what the input means");
  const std::string answer = testing::run_simulated(answer_of_server(cut(bytes, sizes)));
  h2::Said said;
  said.take(answer);
  const bool is_whole = said.rest().empty() || answer.ends_with("[reset]");
  check(is_whole, "a server's answer that is no whole frame");
}

// Our client

constexpr int kRequests = 2;  // at once, on the connection whose server says anything
constexpr std::size_t kMostSaid = 600;

class ClientSetting {
 public:
  http::Method method = http::Method::GET;  // of one of them
  bool small_limits = false;
  bool stays = false;  // the server, silent behind what it says
};

/// What callers got, and how many requests the connection has seen.
class Outcome {
 public:
  std::string text;
  int requests = 0;
};

Coro<> count_requests(StreamReader reader, int* count) {
  for (;; ++*count) co_await read_until(reader, h2::headers);
}

Coro<> say(StreamReader reader, StreamWriter writer, std::vector<std::string> pieces, bool stays,
           int* requests) {
  co_await reader.readexactly(24);
  for (; *requests < kRequests; ++*requests) co_await read_until(reader, h2::headers);
  auto counting = create_task(count_requests, reader, requests);
  for (std::string& piece : pieces) {
    co_await writer.send(std::move(piece));
    co_await sleep(1ms);
  }
  if (stays) co_await sleep(5s);
  counting.cancel();
  co_await wait(counting);
}

Coro<> answer_well(StreamReader reader, StreamWriter writer) {
  co_await reader.readexactly(24);
  co_await writer.send(h2::frame(h2::settings, 0, 0));
  for (;;) {
    const std::uint32_t id = co_await read_until(reader, h2::headers);
    co_await writer.send(whole_answer(id, "well"));
  }
}

/// Says the pieces on the first connection of all, and "well" to each request of others.
RawServer::Handler script(std::vector<std::string> pieces, bool stays, int& requests) {
  return [pieces = std::move(pieces), stays, &requests, connections = std::make_shared<int>(0)](
             StreamReader reader, StreamWriter writer) -> Coro<> {
    if (++*connections > 1) return answer_well(reader, writer);
    return say(reader, writer, pieces, stays, &requests);
  };
}

/// What nghttp2 does about a frame of a stream that it is to reset depends on whether it has sent
/// the reset: it passes over the frame, or ends the connection, and with it the other request.
constexpr const char* kClosedStream = "STREAM_CLOSED";

/// Its kind: whether a stream has failed or then its connection depends on what has come by when.
std::string kind_of(const std::exception_ptr& error) {
  const std::string text = describe_exception(error);
  if (text.find(kClosedStream) != std::string::npos) return kClosedStream;
  return text.substr(0, text.find(": "));
}

Coro<std::string> outcome_of(http::ClientSession session, http::Method method, http::URL url) {
  http::RequestOptions options;
  options.allow_redirects(false);
  if (method == http::Method::POST) options.data("body");
  auto response = co_await capture(session.request(method, url, options));
  if (!response) co_return kind_of(response.exception());
  std::string text = std::to_string(response.value().status().code()) + "\n";
  for (const auto [name, value] : response.value().headers())
    text.append(name).append(": ").append(value).append("\n");
  auto body = co_await capture(response.value().read());
  text += body ? body.value() : kind_of(body.exception());
  co_return text;
}

Coro<Outcome> outcome_of_client(ClientSetting setting, std::vector<std::string> pieces) {
  Outcome outcome;
  RawServer server =
      co_await RawServer::start(script(std::move(pieces), setting.stays, outcome.requests));
  http::SessionOptions options = over_http2();
  options.limits(some_limits(setting.small_limits)).timeout(http::ClientTimeout().total(60s));
  http::ClientSession session(options);
  auto first = create_task(outcome_of(session, http::Method::GET, server.url()));
  auto second = create_task(outcome_of(session, setting.method, server.url()));
  outcome.text = co_await first;
  std::string other = co_await second;
  outcome.text += "\n" + other;
  co_await sleep(60s);  // all has come
  std::string third = co_await outcome_of(session, http::Method::POST, server.url());
  check(third == "200\nwell", "a reply to another request");
  session.close();
  co_await server.stop();
  co_return outcome;
}

/// A request that is sent again may be answered by what follows, if that is late enough.
void try_client(const std::string& bytes, const Sizes& sizes, const ClientSetting& setting) {
  auto tried = [&](const Sizes& of) {
    return testing::run_simulated(outcome_of_client(setting, cut(bytes, of)));
  };
  const Outcome whole = tried({}), pieces = tried(sizes), single = tried({1});
  if (std::max({whole.requests, pieces.requests, single.requests}) > kRequests) return;
  for (const Outcome& each : {whole, pieces, single})
    if (each.text.find(kClosedStream) != std::string::npos) return;
  for (const Outcome& each : {pieces, single})
    if (each.text != whole.text)
      fuzz::fail("the cuts of the input change what comes of it: " + each.text + "\ninstead of " +
                 whole.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bool quiet = (set_log_handler([](const LogRecord&) {}), true);
  (void)quiet;
  Choices choices(data, size);
  const bool is_client = choices.one_in(2);
  const bool small = choices.one_in(2);
  Sizes sizes;
  for (int left = 1 + choices.below(3); left > 0; --left) sizes.push_back(1 + choices.byte() % 40u);
  if (!is_client) {
    try_server(said_by_peer(choices, h2::hello()), sizes, small);
    return 0;
  }
  ClientSetting setting;
  setting.small_limits = small;
  setting.stays = choices.one_in(2);
  const int method = choices.below(3);
  if (method > 0) setting.method = method == 1 ? http::Method::HEAD : http::Method::POST;
  std::string bytes = said_by_peer(choices, h2::frame(h2::settings, 0, 0));
  bytes.resize(std::min(bytes.size(), kMostSaid));
  try_client(bytes, sizes, setting);
  return 0;
}
