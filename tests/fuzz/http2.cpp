// SPDX-License-Identifier: BSL-1.0
/// The server's end of an HTTP/2 connection whose client says anything: a session makes the same of
/// it however it is split, lets no request through that HTTP/1 would refuse, and says nothing but
/// whole frames; so does a whole server, which ends.
#include "asyncio/logging.hpp"
#include "asyncio/testing/simulated.hpp"
#include "choices.hpp"
#include "http/http2_session.hpp"
#include "http/write_head.hpp"
#include "http2_frames.hpp"
#include "raw_client.hpp"

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

/// Frames as they were chosen, or the bytes as they are.
std::string said_by_client(Choices& choices) {
  std::string bytes = h2::hello();
  if (!choices.one_in(2)) return bytes + choices.rest();
  while (choices.any()) {
    const int type = choices.below(11);
    const int flags = choices.byte();
    const auto stream = static_cast<std::uint32_t>(choices.below(8));
    bytes += h2::frame(type, flags, stream, choices.text(choices.byte()));
  }
  return bytes;
}

Http2Terms some_terms(bool small) {
  Http2Terms terms;
  if (small) terms.limits.start_line(20).field(30).fields(4).head(200).body(20).streams(3);
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

/// All that a session makes of the bytes, in pieces of these sizes; in one if there are none.
std::string told(std::string_view bytes, const std::vector<std::size_t>& pieces, bool small) {
  Http2Session session(Http2Role::server, some_terms(small));
  const TimePoint now(std::chrono::seconds(1));
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    const std::string piece(
        bytes.substr(0, pieces.empty() ? bytes.size() : pieces[i % pieces.size()]));
    session.receive(piece, now);
    bytes.remove_prefix(piece.size());
  }
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

Coro<std::string> answer_of_server(std::string bytes, std::vector<std::size_t> sizes) {
  web::Application app;
  app.add_route("*", "/{rest...}", echo);
  web::RunnerOptions options;
  options.http2_prior_knowledge(true);
  Served served = co_await serve(std::move(app), options);
  std::vector<std::string> pieces;
  for (std::size_t i = 0, at = 0; at < bytes.size(); at += sizes[i++ % sizes.size()])
    pieces.push_back(bytes.substr(at, sizes[i % sizes.size()]));
  std::string answer = co_await exchange(served.port(), std::move(pieces));
  co_await served.cleanup();
  co_return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bool quiet = (set_log_handler([](const LogRecord&) {}), true);
  (void)quiet;
  Choices choices(data, size);
  const bool small = choices.one_in(2);
  std::vector<std::size_t> pieces;
  for (int left = 1 + choices.below(3); left > 0; --left)
    pieces.push_back(1 + choices.byte() % 40u);
  const std::string bytes = said_by_client(choices);
  const std::string whole = told(bytes, {}, small);
  check(told(bytes, pieces, small) == whole, "the pieces of the input change what it means");
  check(told(bytes, {1}, small) == whole, "single bytes change what the input means");
  const std::string answer = testing::run_simulated(answer_of_server(bytes, pieces));
  h2::Said said;
  said.take(answer);
  const bool is_whole = said.rest().empty() || answer.ends_with("[reset]");
  check(is_whole, "a server's answer that is no whole frame");
  return 0;
}
