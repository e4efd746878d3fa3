// SPDX-License-Identifier: BSL-1.0
// Files of a whole server: which are opened, and what of them is sent (fault 134).
#include "asyncio/testing/faults.hpp"
#include "asyncio/web/file_response.hpp"
#include "asyncio/web/static_files.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "certificates.hpp"
#include "connected.hpp"
#include "raw_client.hpp"
#include "raw_server.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Faults;
using asyncio::testing::SystemCall;
using test::count_of;
using test::exchange;
using test::get;
using test::last;
using test::say_last;
using test::serve;
using test::Served;

namespace {

/// Files are the system's.
class ServerFiles : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerFiles, test::real_backends, test::backend_name);

TEST_P(ServerFiles, fault134_names_and_ranges_of_files) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string content = test::pattern(100'000);
    std::filesystem::create_directory(folder.file("open"));
    std::ofstream(folder.file("open/page.txt")) << content;
    std::ofstream(folder.file("secret.txt")) << "secret";
    std::filesystem::create_symlink(folder.file("secret.txt"), folder.file("open/out"));
    web::Application app;
    app.get("/static/{name...}", web::StaticFiles(folder.file("open")));
    Served served = co_await serve(std::move(app));
    for (const char* name :
         {"/static/../secret.txt", "/static/%2e%2e%2fsecret.txt", "/static/%2e%2e/secret.txt",
          "/static/..%2fsecret.txt", "/static/page.txt%00", "/static/%00", "/static/", "/static//",
          "/static/out", "/static//../secret.txt", "/static/page.txt/", "/static/....//secret.txt",
          "/static/..%5csecret.txt", "/static/%252e%252e%252fsecret.txt"}) {
      std::string answer = co_await exchange(served.port(), get(name, "Connection: close\r\n"));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 ")) << name << answer.substr(0, 100);
      EXPECT_EQ(answer.find("secret"), std::string::npos) << answer;
    }
    std::string many = "bytes=0-0";
    for (int i = 1; i < 1000; ++i) many += "," + std::to_string(i) + "-" + std::to_string(i);
    for (std::string range :
         {many, std::string("bytes=0-99,50-149"), std::string("bytes=5-4"),
          std::string("bytes=--1"), std::string("bytes=-"), std::string("bytes=\xd9\xa3-"),
          std::string("bytes=0-\xd9\xa3"), std::string("bytes=18446744073709551616-")}) {
      std::string answer = co_await exchange(
          served.port(), get("/static/page.txt", "Connection: close\r\nRange: " + range + "\r\n"));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << range.substr(0, 40);
      EXPECT_TRUE(answer.ends_with(content)) << range.substr(0, 40);
    }
    co_await served.cleanup();
  });
}

TEST_P(ServerFiles, S61_a_middleware_sees_the_status_that_was_sent) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::ofstream(folder.file("page.txt")) << "page";
    std::vector<int> seen;
    web::Application app;
    app.get("/{name...}", web::StaticFiles(folder.path()));
    app.add_middleware([&](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
      web::Response response = co_await next(request);
      seen.push_back(response.get_status().code());
      co_return response;
    });
    Served served = co_await serve(std::move(app));
    for (std::string range : {"", "Range: bytes=0-1\r\n"})
      co_await exchange(served.port(), get("/page.txt", "Connection: close\r\n" + range));
    const std::vector<int> expected{200, 206};
    EXPECT_EQ(seen, expected);
    co_await served.cleanup();
  });
}

/// Not by reading it and writing that.
TEST_P(ServerFiles, S61_the_system_sends_a_file) {
  constexpr std::size_t kSize = std::size_t{1} << 20;
  test::Folder folder;
  const std::string content = test::pattern(kSize);
  std::ofstream(folder.file("page.txt")) << content;
  Faults calls;
  RunOptions counted;
  counted.loop_factory([&] {
    return GetParam() == "io_uring" ? calls.new_uring_event_loop() : calls.new_epoll_event_loop();
  });
  auto main = [&]() -> Coro<> {
    web::Application app;
    app.get("/{name...}", web::StaticFiles(folder.path()));
    Served served = co_await serve(std::move(app));
    std::string answer =
        co_await exchange(served.port(), get("/page.txt", "Connection: close\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + content)) << answer.substr(0, 200);
    co_await served.cleanup();
  };
  asyncio::run(main(), counted);
  EXPECT_GE(calls.calls(SystemCall::sendfile), 4u);  // by the slices that have to be taken in time
  const std::uint64_t sends = calls.calls(SystemCall::send) + calls.calls(SystemCall::sendmsg) +
                              calls.calls(SystemCall::write);
  EXPECT_LE(sends, 4u) << "the request and the head";
}

/// A list may be cut into several fields (RFC 9110, 5.3).
TEST_P(ServerFiles, S61_conditions_in_several_fields) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::ofstream(folder.file("page.txt")) << "page";
    web::Application app;
    app.get("/{name...}", web::StaticFiles(folder.path()));
    Served served = co_await serve(std::move(app));
    auto status = [&](std::string fields) -> Coro<std::string> {
      std::string answer =
          co_await exchange(served.port(), get("/page.txt", "Connection: close\r\n" + fields));
      co_return answer;
    };
    std::string whole = co_await status("");
    std::string etag = test::field_of(whole, "ETag");
    const std::string first = ": \"other\", \"more\"\r\n";
    for (std::string name : {"If-None-Match", "If-Match"}) {
      const bool is_none = name == "If-None-Match";
      std::string with = co_await status(name + first + name + ": " + etag + "\r\n");
      EXPECT_TRUE(with.starts_with(is_none ? "HTTP/1.1 304 " : "HTTP/1.1 200 ")) << with;
      std::string without = co_await status(name + first + name + ": \"third\"\r\n");
      EXPECT_TRUE(without.starts_with(is_none ? "HTTP/1.1 200 " : "HTTP/1.1 412 ")) << without;
    }
    co_await served.cleanup();
  });
}

TEST_P(ServerFiles, fault134_nothing_but_the_files_of_the_folder_is_opened) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::filesystem::create_directory(folder.file("open"));
    std::filesystem::create_directory(folder.file("open/closed"));
    std::ofstream(folder.file("open/closed/page.txt")) << "page";
    std::ofstream(folder.file("there")) << "there";
    std::filesystem::permissions(folder.file("there"), std::filesystem::perms::none);
    ::mkfifo(folder.file("fifo").c_str(), 0600);
    ::mkfifo(folder.file("open/fifo").c_str(), 0600);
    web::Application app;
    app.get("/static/{name...}", web::StaticFiles(folder.file("open")));
    app.get("/all/{name...}", web::StaticFiles("/"));
    app.get("/unnamed", web::StaticFiles(folder.file("open")));
    app.get("/fifo", [&](web::Request& request) {
      return web::file_response(request, folder.file("fifo"));
    });
    Served served = co_await serve(std::move(app));
    auto ask = [&](std::string path) -> Coro<std::string> {
      return exchange(served.port(), get(path, "Connection: close\r\n"));
    };
    std::string missing = co_await ask("/static/missing");
    for (const char* path : {"/static/../there", "/static/../missing", "/static/../fifo",
                             "/static/%2e%2e%2fthere", "/static/closed/..%2f../there",
                             "/static/closed/../closed/page.txt", "/static/fifo", "/fifo"}) {
      std::string answer = co_await ask(path);
      EXPECT_EQ(test::without_dates(answer), test::without_dates(missing)) << path;
    }
    std::string page = co_await ask("/all" + folder.file("open/closed/page.txt"));
    EXPECT_TRUE(page.ends_with("\r\n\r\npage")) << page;
    test::LogCapture log;
    std::string unnamed = co_await ask("/unnamed");
    EXPECT_TRUE(unnamed.starts_with("HTTP/1.1 500 ")) << unnamed;
    EXPECT_EQ(log.count("StaticFiles: its route names no part"), 1) << log.all();
    co_await served.cleanup();
  });
}

TEST_P(ServerFiles, fault134_a_file_that_becomes_shorter) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string path = folder.file("page.txt");
    constexpr std::size_t kSize = std::size_t{64} << 20;
    std::ofstream(path) << "begin";
    std::filesystem::resize_file(path, kSize);
    web::Application app;
    app.get("/last", say_last);
    app.get("/", [&](web::Request& request) { return web::file_response(request, path); });
    Served served = co_await serve(std::move(app));
    test::LogCapture log;
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(get("/") + last());
    std::string head = co_await reader.readuntil("\r\n\r\n");
    EXPECT_NE(head.find("Content-Length: " + std::to_string(kSize)), std::string::npos) << head;
    std::filesystem::resize_file(path, kSize / 2);
    std::size_t got = 0;
    while (true) {
      std::string part = co_await reader.read(1 << 20);
      if (part.empty()) break;
      got += part.size();
    }
    EXPECT_LT(got, kSize);
    EXPECT_EQ(log.count("a file became shorter"), 1) << log.all();
    writer.close();
    co_await served.cleanup();
  });
}

TEST_P(ServerFiles, L14_a_client_that_does_not_read_is_left_without_an_error) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string path = folder.file("page.txt");
    std::ofstream(path) << "begin";
    std::filesystem::resize_file(path, std::size_t{64} << 20);
    web::Application app;
    Event ended;
    app.get("/", [&](web::Request& request) -> Coro<web::Response> {
      auto sent = co_await capture(web::file_response(request, path));
      ended.set();
      co_return std::move(sent).value();
    });
    Served served = co_await serve(std::move(app), web::RunnerOptions().progress_timeout(300ms));
    test::LogCapture log;
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(get("/"));
    std::string head = co_await reader.readuntil("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
    co_await ended.wait();
    co_await served.cleanup();
    EXPECT_EQ(log.count("Error handling request"), 0) << log.all();
    writer.abort();
  });
}

TEST_P(ServerFiles, D13_when_a_range_is_answered) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::ofstream(folder.file("page.txt")) << "0123456789";
    web::Application app;
    app.add_route("*", "/{name...}", web::StaticFiles(folder.file("")));
    Served served = co_await serve(std::move(app));
    auto ask = [&](std::string method, std::string fields) -> Coro<std::string> {
      return exchange(served.port(), method + " /page.txt HTTP/1.1\r\nHost: h\r\n" +
                                         "Connection: close\r\nRange: bytes=2-4\r\n" + fields +
                                         "\r\n");
    };
    std::string part = co_await ask("GET", "");
    EXPECT_TRUE(part.starts_with("HTTP/1.1 206 ")) << part;
    EXPECT_TRUE(part.ends_with("\r\n\r\n234")) << part;
    std::string modified = part.substr(part.find("Last-Modified: ") + 15, 29);
    std::string etag = part.substr(part.find("ETag: ") + 6);
    etag.resize(etag.find('\r'));
    for (std::string same : {modified, etag}) {
      std::string answer = co_await ask("GET", "If-Range: " + same + "\r\n");
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 206 ")) << same << answer;
    }
    for (const char* other : {"Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 2100 23:59:59 GMT",
                              "\"other\"", "yesterday"}) {
      std::string answer = co_await ask("GET", std::string("If-Range: ") + other + "\r\n");
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << other << answer;
      EXPECT_TRUE(answer.ends_with("\r\n\r\n0123456789")) << other << answer;
    }
    for (const char* method : {"HEAD", "POST"}) {
      std::string answer = co_await ask(method, "");
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
      EXPECT_NE(answer.find("Content-Length: 10\r\n"), std::string::npos) << answer;
    }
    co_await served.cleanup();
  });
}

}  // namespace
