// SPDX-License-Identifier: BSL-1.0
// A service and its client on one loop, over HTTP/1 and HTTP/2. What a handler cannot do is an
// error of its response, which the client tells.
#include "asyncio/http/client.hpp"
#include "asyncio/web.hpp"
#include "connected.hpp"
#include "folder.hpp"
#include "programs.hpp"

#include <cerrno>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace faults {

using namespace asyncio;
using test::pattern;

namespace {

constexpr std::size_t kBytes = 20'000;

/// Stays for all runs.
const test::Folder& folder() {
  static const test::Folder instance;
  return instance;
}
const std::string& file() {
  static const std::string path = folder().write("file", pattern(kBytes));
  return path;
}

// --- The service ---------------------------------------------------------------------------------

Coro<web::Response> whole(web::Request& request) {
  std::string body = co_await request.read();
  co_return web::Response(body);
}
Coro<web::Response> pieces(web::Request& request) {
  std::string body;
  for (std::string_view some = "x"; !some.empty();) {
    some = co_await request.read_some();
    body += some;
  }
  co_return web::Response(body);
}
Coro<web::Response> field(web::Request& request) {
  web::PostData form = co_await request.post();
  co_return web::Response(std::string(form.get("name").value_or("")));
}
Coro<web::Response> parts(web::Request& request) {
  std::string texts;
  web::MultipartReader all = request.multipart();
  while (true) {
    auto part = co_await all.next();
    if (!part) break;
    std::string text = co_await part->read();
    texts.append(part->name()).append("=").append(text).append(";");
  }
  co_return web::Response(texts);
}
Coro<web::Response> stream(web::Request& request) {
  web::StreamResponse response;
  co_await response.prepare(request);
  co_await response.write("in ");
  co_await response.write("pieces");
  co_return co_await response.write_eof();
}
Coro<web::Response> events(web::Request& request) {
  web::EventSourceResponse response;
  co_await response.prepare(request);
  co_await response.send(web::ServerEvent("told"));
  co_return co_await response.write_eof();
}
Coro<web::Response> send_file(web::Request& request) {
  co_return co_await web::file_response(request, file());
}
Coro<web::Response> chat(web::Request& request) {
  http::WebSocket socket = co_await web::websocket(request);
  std::string said = co_await socket.receive_str();
  co_await socket.send_str(said + " and back");
  co_await socket.close();
  co_return web::Response::sent();
}

web::Application service() {
  web::Application app;
  app.post("/whole", &whole);
  app.post("/pieces", &pieces);
  app.post("/field", &field);
  app.post("/parts", &parts);
  app.get("/stream", &stream);
  app.get("/events", &events);
  app.get("/file", &send_file);
  app.get("/files/{name...}", web::StaticFiles(folder().path()));
  app.get("/chat", &chat);
  return app;
}

// --- Its clients ---------------------------------------------------------------------------------

Coro<std::string> post(http::ClientSession* session, http::URL url, http::RequestOptions options) {
  http::ClientResponse response = co_await session->post(url, options);
  std::string text = co_await response.text();
  co_return text;
}
Coro<std::string> get(http::ClientSession* session, http::URL url) {
  http::ClientResponse response = co_await session->get(url);
  std::string text = co_await response.text();
  co_return text;
}

Coro<> send_bodies(http::ClientSession* session, http::URL url) {
  const std::string much = pattern(kBytes);
  http::RequestOptions data;
  data.data(much);
  std::string got = co_await post(session, url / "whole", data);
  require(got == much, "not the body that was sent");
  got = co_await post(session, url / "pieces", data);
  require(got == much, "not the pieces of the body that was sent");
  http::MultiDict fields;
  fields.add("name", "value");
  http::RequestOptions form;
  form.form(fields);
  got = co_await post(session, url / "field", form);
  require(got == "value", "not the field that was sent");
  http::FormData parts;
  parts.add_field("name", "value").add_file("text", "of a file", "name.txt");
  http::RequestOptions multipart;
  multipart.data(parts);
  got = co_await post(session, url / "field", multipart);
  require(got == "value", "not the part that was sent");
  got = co_await post(session, url / "parts", multipart);
  require(got == "name=value;text=of a file;", "not the parts that were sent");
}

Coro<> get_bodies(http::ClientSession* session, http::URL url) {
  std::string got = co_await get(session, url / "stream");
  require(got == "in pieces", "not the stream");
  got = co_await get(session, url / "events");
  require(got == "data: told\n\n", "not the event");
  got = co_await get(session, url / "file");
  require(got == pattern(kBytes), "not the file");
  got = co_await get(session, url / "files" / "file");
  require(got == pattern(kBytes), "not the file of the folder");
}

Coro<> talk(http::ClientSession* session, http::URL url) {
  http::WebSocket socket = co_await session->ws_connect(url / "chat");
  co_await socket.send_str("there");
  auto said = co_await socket.next();
  if (!said) throw ConnectionResetError(ECONNRESET, "the WebSocket has ended");
  require(said->data == "there and back", "not what was said");
  co_await socket.close();
}

using Talk = Coro<> (*)(http::ClientSession*, http::URL);

Coro<> with_service(Talk client, http::Http2 version) {
  web::RunnerOptions options;
  options.http2_prior_knowledge(version == http::Http2::PriorKnowledge);
  web::AppRunner runner(service(), options);
  co_await runner.setup();
  web::TCPSite site(runner, "127.0.0.1", 0);
  co_await site.start();
  http::SessionOptions of_client;
  of_client.http2(version).raise_for_status(true);
  http::ClientSession session(of_client);
  const std::string port = std::to_string(runner.addresses().at(0).port());
  co_await client(&session, http::URL("http://127.0.0.1:" + port));
  session.close();
  co_await runner.cleanup();
}

/// What a client says of its server is an error of the system's for who judges.
Coro<> judged(Talk client, http::Http2 version) {
  try {
    co_await with_service(client, version);
  } catch (const TimeoutError&) {
    throw;
  } catch (const OSError&) {
    throw;
  } catch (const http::ClientError&) {
    throw ConnectionAbortedError(ECONNABORTED, describe_exception(std::current_exception()));
  }
}

Coro<> http_bodies() { return judged(&send_bodies, http::Http2::Off); }
Coro<> http_responses() { return judged(&get_bodies, http::Http2::Off); }
Coro<> http_websocket() { return judged(&talk, http::Http2::Off); }
Coro<> http2_bodies() { return judged(&send_bodies, http::Http2::PriorKnowledge); }
Coro<> http2_responses() { return judged(&get_bodies, http::Http2::PriorKnowledge); }

constexpr Program kPrograms[] = {
    {"http_bodies", http_bodies},       {"http_responses", http_responses},
    {"http_websocket", http_websocket},
#ifdef ASYNCIO_HAS_NGHTTP2
    {"http2_bodies", http2_bodies},     {"http2_responses", http2_responses},
#endif
};

}  // namespace

std::span<const Program> http_programs() { return kPrograms; }

}  // namespace faults
