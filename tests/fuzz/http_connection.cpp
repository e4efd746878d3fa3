// SPDX-License-Identifier: BSL-1.0
/// A whole HTTP/1 server whose client says anything, and a whole client whose server or proxy does:
/// all end, a server answers the requests that there are in whole answers, no reply is taken for
/// that to another request, and all is the same however the peer's bytes are cut.
#include "asyncio/logging.hpp"
#include "asyncio/testing/simulated.hpp"
#include "asyncio/web/exceptions.hpp"
#include "choices.hpp"
#include "http_transcript.hpp"
#include "pieces.hpp"
#include "raw_client.hpp"
#include "raw_server.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace test;
using asyncio::Coro;
using asyncio::StreamReader;
using asyncio::StreamWriter;
using fuzz::check;
using fuzz::Choices;
namespace web = asyncio::web;

namespace {

using fuzz::cut;
using fuzz::Sizes;

constexpr std::size_t kMostSaid = 600;
/// No time limit of a server or client lasts longer, and each byte can cost a millisecond.
constexpr auto kPatience = 10min;

constexpr std::array<std::string_view, 40> kOfRequests{
    "GET /echo HTTP/1.1\r\nHost: h\r\n",
    "POST /echo HTTP/1.1\r\nHost: h\r\n",
    "HEAD /echo HTTP/1.1\r\nHost: h\r\n",
    "POST /ignore HTTP/1.1\r\nHost: h\r\n",
    "POST /some HTTP/1.1\r\nHost: h\r\n",
    "POST /stream HTTP/1.1\r\nHost: h\r\n",
    "HEAD /stream HTTP/1.1\r\nHost: h\r\n",
    "POST /form HTTP/1.1\r\nHost: h\r\n",
    "POST /fail HTTP/1.1\r\nHost: h\r\n",
    "GET /large HTTP/1.1\r\nHost: h\r\n",
    "POST /stream HTTP/1.0\r\n",
    "GET http://h/echo HTTP/1.1\r\nHost: h\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: h\r\n",
    "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Connection: upgrade\r\nUpgrade: websocket\r\n",
    "Expect: 100-continue\r\n",
    "Content-Encoding: gzip\r\n",
    "Content-Type: application/x-www-form-urlencoded\r\n",
    "\r\n",
    "hello",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "0\r\nX: y\r\n\r\n",
    "X: y\r\n",
    "\n",
    "POST /parts HTTP/1.1\r\nHost: h\r\n",
    "Content-Type: multipart/form-data; boundary=b\r\n",
    "Content-Length: 69\r\n",  // of the next two parts and the last one
    "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n",
    "hello world",
    "Content-Disposition: form-data; name=\"f\"; filename=\"g\"\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "--b\r\n",
    "\r\n--b\r\n",
    "\r\n--b--\r\n"};

constexpr std::array<std::string_view, 22> kOfResponses{"HTTP/1.1 200 OK\r\n",
                                                        "HTTP/1.0 200 OK\r\n",
                                                        "HTTP/1.1 404 Not Found\r\n",
                                                        "HTTP/1.1 204 No Content\r\n",
                                                        "HTTP/1.1 304 Not Modified\r\n",
                                                        "HTTP/1.1 100 Continue\r\n\r\n",
                                                        "HTTP/1.1 101 Switching\r\n",
                                                        "HTTP/1.1 302 Found\r\nLocation: /\r\n",
                                                        "Content-Length: 5\r\n",
                                                        "Content-Length: 0\r\n",
                                                        "Transfer-Encoding: chunked\r\n",
                                                        "Connection: close\r\n",
                                                        "Connection: keep-alive\r\n",
                                                        "Content-Encoding: gzip\r\n",
                                                        "Set-Cookie: a=b\r\n",
                                                        "X: y\r\n",
                                                        "\r\n",
                                                        "hello",
                                                        "5\r\nhello\r\n",
                                                        "0\r\n\r\n",
                                                        "0\r\nX: y\r\n\r\n",
                                                        "\n"};

/// Parts as they were chosen, with bytes as they are between them; or those alone.
std::string said_by_peer(Choices& choices, std::span<const std::string_view> parts) {
  if (choices.one_in(3)) return choices.text(kMostSaid);
  std::string bytes;
  while (choices.any() && bytes.size() < kMostSaid) {
    const auto part = static_cast<std::size_t>(choices.byte()) % (parts.size() + 1);
    bytes += part < parts.size() ? std::string(parts[part]) : choices.text(choices.byte() % 32u);
  }
  return bytes;
}

http::HttpLimits some_limits(bool small) {
  http::HttpLimits limits;
  if (small) limits.start_line(60).field(40).fields(6).head(200).body(40).trailers(20);
  return limits;
}

Coro<> say(StreamWriter writer, std::vector<std::string> pieces) {
  for (std::string& piece : pieces) {
    co_await writer.send(std::move(piece));
    co_await asyncio::sleep(1ms);
  }
}

// Our server

class ServerSetting {
 public:
  bool small_limits = false;
  bool half_closes = false;  // the client, behind what it says
};

/// What handlers were asked: "POST /echo".
using Requests = std::vector<std::string>;

Coro<std::string> form_of(web::Request* request) {
  web::PostData form = co_await request->post();
  std::string text = "form ";
  for (const auto& [name, value] : form) text.append(name).append("=").append(value).append(";");
  for (const web::FileField& file : form.files())
    text += file.name + "=" + file.filename + "," + file.content_type + "," + file.content + ";";
  co_return text;
}

Coro<std::string> parts_of(web::Request* request) {
  web::MultipartReader parts = request->multipart();
  std::string text = "parts ";
  while (auto part = co_await parts.next()) {
    std::string body = co_await part->read();
    text.append(part->name()).append("=").append(body).append(";") += fields_text(part->headers());
  }
  co_return text;
}

Coro<web::Response> handle(web::Request& request) {
  const std::string_view target = request.target();
  std::string body;
  if (target == "/large") co_return web::Response(std::string(20'000, 'l'));
  if (target == "/ignore") co_return web::Response("ignored");
  if (target == "/stream") {
    web::Response sent = co_await stream_back(request);
    co_return sent;
  }
  if (target == "/some") {
    co_await request.read_some();
    co_return web::Response("some");
  }
  if (target == "/form") body = co_await form_of(&request);
  if (target == "/parts") body = co_await parts_of(&request);
  if (!body.empty()) co_return web::Response(body);
  body = co_await request.read();
  if (target == "/fail") throw asyncio::RuntimeError("the handler fails");
  web::Response response(body);
  if (request.method() == "CONNECT") response = web::Response(http::Status::FORBIDDEN);
  co_return response;
}

/// It routes nothing: somebody may ask for "*".
web::Application application(Requests& asked) {
  web::Application app;
  app.add_middleware([&asked](web::Request& request, const web::Handler&) -> Coro<web::Response> {
    asked.push_back(start_text(request.head()));
    return handle(request);
  });
  return app;
}

/// The requests that there are in the bytes, up to where they are refused.
Requests requests_in(std::string_view bytes, bool small) {
  Requests found;
  RequestParser parser(some_limits(small));
  try {
    for (Event event = Event::end; event != Event::need_more;) {
      const auto parsed = parser.parse(bytes);
      bytes.remove_prefix(parsed.consumed);
      event = parsed.event;
      if (event == Event::head) found.push_back(start_text(parser.head()));
    }
  } catch (const http::BadRequest&) {
  }
  return found;
}

Coro<std::string> read_all(StreamReader reader) {
  std::string all;
  try {
    while (true) {
      std::string some = co_await reader.read(1 << 16);
      if (some.empty()) break;
      all += some;
    }
  } catch (const asyncio::OSError&) {  // also the end
  }
  co_return all;
}

Coro<std::string> answers_of_server(Requests& asked, ServerSetting setting,
                                    std::vector<std::string> pieces) {
  web::RunnerOptions options;
  options.limits(some_limits(setting.small_limits));
  Served served = co_await serve(application(asked), options);
  asyncio::Streams streams = co_await asyncio::open_connection("127.0.0.1", served.port());
  StreamWriter writer = streams.second;
  auto reading = asyncio::create_task(read_all, streams.first);
  auto said = co_await asyncio::capture(say(writer, std::move(pieces)));
  if (said && setting.half_closes && !reading.done()) writer.write_eof();
  auto answers = co_await asyncio::capture(asyncio::wait_for(reading, kPatience));
  check(answers.has_value(), "a server does not end its connection");
  writer.abort();
  co_await served.cleanup();
  co_return answers.value();
}

/// Each answer in words, and what is behind the last. What differs from one second or cut to the
/// next is not said: the date, and how much has come of an answer that breaks off.
std::string told_by_server(std::string_view answers, const Requests& asked) {
  ResponseParser parser;
  std::size_t count = 0;
  Transcript transcript(parser, [&] {
    // "100 Continue" answers nothing: the response to that request is still to come.
    if (count > 0 && parser.head().status.is_informational()) return;
    std::string method = count < asked.size() ? asked[count] : "GET";
    parser.expect(http::Method(method.substr(0, method.find(' '))), false);
    ++count;
  });
  if (transcript.feed(answers) && parser.in_message()) transcript.finish();
  std::string text = transcript.text();
  for (std::size_t at; (at = text.find("  Date: ")) != std::string::npos;)
    text.erase(at, text.find('\n', at) + 1 - at);
  return text;
}

std::string told(const ServerSetting& setting, std::string_view bytes, const Sizes& sizes) {
  Requests asked;
  const std::string answers =
      asyncio::testing::run_simulated(answers_of_server(asked, setting, cut(bytes, sizes)));
  const Requests there = requests_in(bytes, setting.small_limits);
  const bool smuggled =
      asked.size() > there.size() || !std::equal(asked.begin(), asked.end(), there.begin());
  check(!smuggled, "a request that there is not");
  std::string text = told_by_server(answers, asked);
  const std::size_t broken = text.find("error response: ");
  const bool breaks_off = text.find("error the connection ended") != std::string::npos;
  check(broken == std::string::npos, "an answer that is no HTTP");
  const bool streams = !asked.empty() && asked.back().find("/stream") != std::string::npos;
  check(!breaks_off || streams, "an answer that breaks off");
  if (breaks_off) text.erase(text.rfind("\nbody ") + 1);
  for (const std::string& request : asked) text += request + "\n";
  return text;
}

// Our client

class ClientSetting {
 public:
  http::Method method = http::Method::GET;
  bool small_limits = false;
  bool closes = false;   // the server, behind what it says
  bool tunnels = false;  // the server is a proxy that was asked for a tunnel
};

/// Says the pieces to the first request of all, and "second" to the others.
RawServer::Handler script(std::vector<std::string> pieces, bool closes, bool& has_spoken) {
  return [pieces = std::move(pieces), closes, &has_spoken](StreamReader reader,
                                                           StreamWriter writer) -> Coro<> {
    for (;;) {
      co_await read_request(reader);
      if (std::exchange(has_spoken, true)) {
        co_await writer.send(response_with("second"));
        continue;
      }
      co_await say(writer, pieces);
      if (closes) co_return;
    }
  };
}

std::string described(const http::ClientResponse& response) {
  std::string text = std::to_string(response.status().code()) + " " +
                     std::string(response.reason()) + "\n" + fields_text(response.headers());
  return text;
}

/// Why there is no request, in words. Bytes behind a proxy's "200" may come with it, which is
/// refused, or later, when TLS has begun: it takes them for its own.
std::string why_not(const ClientSetting& setting, const std::exception_ptr& error) {
  std::string text = asyncio::describe_exception(error);
  const auto says = [&text](std::string_view part) { return text.find(part) != std::string::npos; };
  const bool later = says("begins with bytes of the proxy") || says("TLS") || says("Timeout");
  return setting.tunnels && later ? "a tunnel to nobody" : text;
}

/// What a caller gets.
Coro<std::string> outcome_of(http::ClientSession session, ClientSetting setting, http::URL url) {
  http::RequestOptions options;
  options.allow_redirects(false);
  if (setting.method == http::Method::POST) options.data("body");
  if (setting.tunnels) {
    options.proxy(std::exchange(url, http::URL("https://origin.example/")));
    static const asyncio::TlsContext trusts_nobody(asyncio::TlsPurpose::server_auth);
    options.ssl(trusts_nobody);
  }
  auto response = co_await asyncio::capture(session.request(setting.method, url, options));
  if (!response) co_return why_not(setting, response.exception());
  check(!setting.tunnels, "an answer of a server that nobody was");
  std::string text = described(response.value());
  auto body = co_await asyncio::capture(response.value().read());
  text += body ? body.value() : asyncio::describe_exception(body.exception());
  co_return text;
}

Coro<std::string> told_by_client(ClientSetting setting, std::vector<std::string> pieces) {
  bool has_spoken = false;
  RawServer server =
      co_await RawServer::start(script(std::move(pieces), setting.closes, has_spoken));
  http::SessionOptions options;
  options.limits(some_limits(setting.small_limits)).keepalive_timeout(kPatience);
  options.timeout(http::ClientTimeout().total(60s));
  http::ClientSession session(options);
  std::string first = co_await outcome_of(session, setting, server.url());
  co_await asyncio::sleep(60s);  // all has come
  auto second = co_await asyncio::capture(text_of(session, server.url()));
  check(second && second.value() == "second", "a reply to another request");
  session.close();
  co_await server.stop();
  co_return first;
}

std::string told(const ClientSetting& setting, std::string_view bytes, const Sizes& sizes) {
  return asyncio::testing::run_simulated(told_by_client(setting, cut(bytes, sizes)));
}

template <class Setting>
void compare_cuts(const Setting& setting, const std::string& bytes, const Sizes& sizes) {
  const std::string whole = told(setting, bytes, {});
  check(told(setting, bytes, sizes) == whole, "the cuts of the input change what comes of it");
  check(told(setting, bytes, {1}) == whole, "single bytes change what comes of the input");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bool quiet = (asyncio::set_log_handler([](const asyncio::LogRecord&) {}), true);
  (void)quiet;
  Choices choices(data, size);
  const int kind = choices.below(5);
  const bool small = choices.one_in(3);
  const bool closes = choices.one_in(2);
  Sizes sizes;
  for (int left = 1 + choices.below(4); left > 0; --left) sizes.push_back(1 + choices.byte() % 40u);
  if (kind < 2) {
    ServerSetting setting;
    setting.small_limits = small;
    setting.half_closes = closes;
    compare_cuts(setting, said_by_peer(choices, kOfRequests), sizes);
    return 0;
  }
  ClientSetting setting;
  setting.small_limits = small;
  setting.closes = closes;
  setting.tunnels = kind == 4;
  if (kind == 3) setting.method = choices.one_in(2) ? http::Method::HEAD : http::Method::POST;
  compare_cuts(setting, said_by_peer(choices, kOfResponses), sizes);
  return 0;
}
