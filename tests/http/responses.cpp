// SPDX-License-Identifier: BSL-1.0
// Responses in pieces and from files, on every backend that has them.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/event_source.hpp"
#include "asyncio/web/file_response.hpp"
#include "asyncio/web/static_files.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "certificates.hpp"
#include "connected.hpp"
#include "served.hpp"
#include "subprocesses.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using test::error_of;
using test::serve;
using test::Served;

namespace {

class StreamedResponses : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, StreamedResponses, test::all_backends, test::backend_name);

/// Files come from the system.
class Files : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Files, ::testing::Values("epoll", "io_uring"),
                         test::backend_name);

TEST_P(StreamedResponses, D13_pieces_arrive_as_they_are_written) {
  run([]() -> Coro<> {
    Event seen;
    web::Application app;
    app.get("/", [&](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      co_await stream.prepare(request);
      co_await stream.write("one");
      co_await seen.wait();
      co_await stream.write("two");
      web::Response response = co_await stream.write_eof();
      co_return response;
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    ClientResponse response = co_await session.get(served.url());
    EXPECT_EQ(response.headers().get("Transfer-Encoding"), "chunked");
    std::string first = co_await response.read_some();
    EXPECT_EQ(first, "one");
    seen.set();
    std::string rest = co_await response.read();
    EXPECT_EQ(rest, "two");
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(StreamedResponses, fault136_a_handler_that_stops_inside_its_response_is_no_whole_one) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/chunked", [](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      co_await stream.prepare(request);
      co_await stream.write("half");
      throw std::runtime_error("broken");
      co_return web::Response();
    });
    app.get("/counted", [](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      stream.content_length(10);
      co_await stream.prepare(request);
      co_await stream.write("half");
      web::Response response = co_await stream.write_eof();
      co_return response;
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    for (const char* path : {"chunked", "counted"}) {
      ClientResponse response = co_await session.get(served.url() / path);
      std::string error = co_await error_of(response.read());
      EXPECT_NE(error.find("ended inside the body"), std::string::npos) << error;
    }
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(StreamedResponses, D13_server_sent_events) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/", [](web::Request& request) -> Coro<web::Response> {
      web::EventSourceResponse events;
      co_await events.prepare(request);
      co_await events.send(web::ServerEvent("one\ntwo").event("news").id("7").retry(500ms));
      web::Response response = co_await events.write_eof();
      co_return response;
    });
    Served served = co_await serve(std::move(app));
    ClientSession session;
    ClientResponse response = co_await session.get(served.url());
    EXPECT_EQ(response.content_type(), "text/event-stream");
    std::string text = co_await response.text();
    EXPECT_EQ(text, "id: 7\nevent: news\nretry: 500\ndata: one\ndata: two\n\n");
    EXPECT_THROW(web::ServerEvent("x").event("a\nb").text(), ValueError);
    session.close();
    co_await served.cleanup();
  });
}

std::string location_of(const ClientResponse& response) {
  return std::string(response.headers().get("Location", "-"));
}

TEST_P(Files, D13_a_folder_answers_with_its_index) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::filesystem::create_directories(folder.file("sub/empty"));
    std::ofstream(folder.file("index.html")) << "outer";
    std::ofstream(folder.file("sub/index.html")) << "inner";
    std::filesystem::create_directory_symlink("/etc", folder.file("out"));
    web::Application app;
    app.get("/{name...}", web::StaticFiles(folder.path()).index("index.html"));
    Served served = co_await serve(std::move(app));
    ClientSession session(http::SessionOptions().base_url(served.url()));
    auto get = [&](const char* path) -> Coro<ClientResponse> {
      return session.get(path, RequestOptions().allow_redirects(false));
    };
    for (const char* path : {"/", "/sub/", "/sub/index.html"}) {
      ClientResponse response = co_await get(path);
      std::string text = co_await response.text();
      EXPECT_EQ(text, path[1] == '\0' ? "outer" : "inner") << path;
      EXPECT_EQ(response.content_type(), "text/html") << path;
    }
    ClientResponse moved = co_await get("/sub?a=1");
    EXPECT_EQ(moved.status(), 301);
    EXPECT_EQ(location_of(moved), "/sub/?a=1");
    http::URL there("http://127.0.0.1:" + std::to_string(served.port()) + "//sub");
    ClientResponse elsewhere =
        co_await session.get(there, RequestOptions().allow_redirects(false));  // as "//sub/" is
    EXPECT_EQ(location_of(elsewhere), "/sub/");
    for (const char* path : {"/sub/empty/", "/out", "/out/", "/none/", "/index.html/"}) {
      ClientResponse response = co_await get(path);
      EXPECT_EQ(response.status(), 404) << path;
    }
    EXPECT_THROW(web::StaticFiles(folder.path()).index("../x"), ValueError);
    session.close();
    co_await served.cleanup();
  });
}

TEST_P(Files, D13_ranges_conditions_and_what_is_not_there) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string content = test::pattern(200'000);
    std::ofstream(folder.file("page.html")) << content;
    std::filesystem::create_symlink("/etc/hostname", folder.file("out"));
    std::filesystem::create_directory(folder.file("sub"));
    web::Application app;
    app.get("/static/{name...}", web::StaticFiles(folder.path()));
    Served served = co_await serve(std::move(app));
    ClientSession session;
    auto get = [&](const char* name, RequestOptions options) -> Coro<ClientResponse> {
      return session.get(served.url() / "static" / name, std::move(options));
    };
    ClientResponse whole = co_await get("page.html", {});
    EXPECT_EQ(whole.status(), 200);
    EXPECT_EQ(whole.content_type(), "text/html");
    std::string text = co_await whole.text();
    EXPECT_TRUE(text == content);
    std::string etag(whole.headers().get("ETag", ""));
    ClientResponse same = co_await get("page.html", RequestOptions().header("If-None-Match", etag));
    EXPECT_EQ(same.status(), 304);
    ClientResponse part =
        co_await get("page.html", RequestOptions().header("Range", "bytes=10-19"));
    EXPECT_EQ(part.status(), 206);
    EXPECT_EQ(part.headers().get("Content-Range"), "bytes 10-19/200000");
    std::string piece = co_await part.text();
    EXPECT_EQ(piece, content.substr(10, 10));
    ClientResponse beyond =
        co_await get("page.html", RequestOptions().header("Range", "bytes=200000-"));
    EXPECT_EQ(beyond.status(), 416);
    for (const char* name : {"none", "sub", "out", "..%2f..%2fetc/passwd"}) {
      ClientResponse response = co_await get(name, {});
      EXPECT_EQ(response.status(), 404) << name;
    }
    session.close();
    co_await served.cleanup();
  });
}

}  // namespace
