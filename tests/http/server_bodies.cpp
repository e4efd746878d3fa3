// SPDX-License-Identifier: BSL-1.0
// Bodies of requests: content codings and their bombs (fault 132), forms with files (fault 133).
#include "allocation_count.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/http/form_data.hpp"
#include "asyncio/web/exceptions.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "encoded.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::detail::ContentCoding;
using test::count_of;
using test::encoded;
using test::exchange;
using test::get;
using test::post;
using test::serve;
using test::Served;

namespace {

class ServerBodies : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerBodies, ::testing::Values("epoll", "simulated"),
                         test::backend_name);

std::string with_length(std::string_view fields, std::string_view body) {
  return post("/",
              std::string(fields) +
                  "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n",
              body);
}

std::string with_coding(std::string_view codings, std::string_view body) {
  return with_length("Content-Encoding: " + std::string(codings) + "\r\n", body);
}

web::Application size_and_begin() {
  web::Application app;
  app.post("/", [](web::Request& request) -> Coro<web::Response> {
    std::string body = co_await request.read();
    co_return web::Response(std::to_string(body.size()) + " " + body.substr(0, 20));
  });
  return app;
}

TEST_P(ServerBodies, D13_content_codings_are_undone) {
  run([]() -> Coro<> {
    Served served = co_await serve(size_and_begin());
    std::string text = "hello" + std::string(300'000, '.');
    std::vector<std::pair<std::string, std::string>> bodies{{"identity", text}, {"", text}};
    for (ContentCoding coding : {ContentCoding::Gzip, ContentCoding::Deflate, ContentCoding::Brotli,
                                 ContentCoding::Zstd}) {
      std::string name(name_of(coding)), once = encoded(coding, text);
      bodies.emplace_back(name, once);
      bodies.emplace_back(name + ", gzip", encoded(ContentCoding::Gzip, once));
      bodies.emplace_back("GZIP ,, identity , " + name,
                          encoded(coding, encoded(ContentCoding::Gzip, text)));
    }
    for (const auto& [codings, body] : bodies) {
      std::string answer = co_await exchange(served.port(), with_coding(codings, body));
      EXPECT_TRUE(answer.ends_with("\r\n\r\n300005 hello...............")) << codings << answer;
    }
    for (const char* codings : {"unknown", "gzip, unknown", "gzip, gzip, gzip", "x-snappy"}) {
      std::string answer = co_await exchange(served.port(), with_coding(codings, "x"));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 415 ")) << codings << answer;
      EXPECT_EQ(count_of(answer, "Accept-Encoding: gzip"), 1u) << answer;
    }
    co_await served.cleanup();
  });
}

TEST_P(ServerBodies, fault132_encoded_bodies_in_single_bytes) {
  run([]() -> Coro<> {
    Served served = co_await serve(size_and_begin());
    for (ContentCoding coding : {ContentCoding::Gzip, ContentCoding::Brotli, ContentCoding::Zstd}) {
      std::string body = encoded(coding, encoded(ContentCoding::Deflate, "hello world"));
      std::string bytes = with_coding("deflate, " + std::string(name_of(coding)), body);
      std::vector<std::string> pieces;
      for (char c : bytes) pieces.emplace_back(1, c);
      std::string answer = co_await exchange(served.port(), pieces);
      EXPECT_TRUE(answer.ends_with("\r\n\r\n11 hello world")) << answer;
    }
    co_await served.cleanup();
  });
}

struct Bomb {
  std::string codings;
  std::string body;
  const char* status;
};

/// Of zeros, by gzip, in members of 64 MiB each: 10 MB, which are less than 1 MiB when encoded
/// again.
const std::string& ten_gibibytes() {
  static const std::string made = [] {
    const std::string zeros(std::size_t{64} << 20, '\0');
    const std::string part = encoded(ContentCoding::Gzip, zeros, 5);
    std::string all;
    for (int i = 0; i < 160; ++i) all += part;
    return all;
  }();
  return made;
}

/// Of 8 MiB and of 10 GiB, where 1 MiB is the limit.
std::vector<Bomb> bombs() {
  const std::string text = test::almost_nothing_but_zeros(std::size_t{8} << 20);
  const std::string zeros(text.size(), '\0');
  std::vector<Bomb> all;
  for (ContentCoding coding :
       {ContentCoding::Gzip, ContentCoding::Deflate, ContentCoding::Brotli, ContentCoding::Zstd}) {
    const std::string name(name_of(coding)), once = encoded(coding, text, 5);
    all.push_back({name, once, "413"});
    all.push_back({name + ", gzip", encoded(ContentCoding::Gzip, once, 5), "413"});
    // The limit of growth is come to first.
    const bool is_modern = coding == ContentCoding::Brotli || coding == ContentCoding::Zstd;
    all.push_back({name, encoded(coding, zeros, 5), is_modern ? "400" : "413"});
  }
  const std::string& vast = ten_gibibytes();
  all.push_back({"gzip, gzip", encoded(ContentCoding::Gzip, vast, 5), "413"});
  all.push_back({"gzip, zstd", encoded(ContentCoding::Zstd, vast, 5), "413"});
  return all;
}

TEST_P(ServerBodies, fault132_bombs) {
  run([]() -> Coro<> {
    std::ptrdiff_t peak = 0;
    web::Application app;
    app.post("/", [&](web::Request& request) -> Coro<web::Response> {
      test::AllocationCount count;
      auto body = co_await capture(request.read());
      peak = count.peak_bytes();
      co_return web::Response(std::move(body).value());
    });
    Served served = co_await serve(std::move(app));
    const std::vector<Bomb> all = bombs();
    for (const Bomb& bomb : all) {
      EXPECT_LT(bomb.body.size(), 1u << 20) << "as it comes, it is not too large";
      std::string answer = co_await exchange(served.port(), with_coding(bomb.codings, bomb.body));
      EXPECT_EQ(answer.substr(0, 13), std::string("HTTP/1.1 ") + bomb.status + " ") << bomb.codings;
      if (!test::kCountsAllocations) continue;
      EXPECT_LT(peak, (1 << 20) + (256 << 10)) << bomb.codings;
      EXPECT_GT(peak, 512 << 10) << "nothing was measured";
    }
    co_await served.cleanup();
  });
}

/// How many blocks are allocated for the answer.
Coro<std::size_t> blocks_for(std::uint16_t port, std::string request, std::string expected) {
  test::AllocationCount count;
  std::string answer = co_await exchange(port, std::move(request));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + expected)) << answer.substr(0, 200);
  co_return count.made();
}

TEST_P(ServerBodies, fault132_many_tiny_members_take_blocks_in_proportion) {
  run([]() -> Coro<> {
    Served served = co_await serve(size_and_begin(), web::RunnerOptions().client_max_size(4 << 20));
    const std::string member = encoded(ContentCoding::Gzip, "x");
    std::string few, many;
    for (int i = 0; i < 10'000; ++i) few += member;
    for (int i = 0; i < 10; ++i) many += few;
    const std::string twenty(20, 'x');
    const std::size_t some =
        co_await blocks_for(served.port(), with_coding("gzip", few), "10000 " + twenty);
    const std::size_t all =
        co_await blocks_for(served.port(), with_coding("gzip", many), "100000 " + twenty);
    if (test::kCountsAllocations) {
      EXPECT_LT(all, 12 * some) << "10 times as much";
    }
    co_await served.cleanup();
  });
}

TEST_P(ServerBodies, fault132_who_reads_piece_by_piece_gets_pieces_of_a_known_size) {
  run([]() -> Coro<> {
    web::Application app;
    app.post("/", [](web::Request& request) -> Coro<web::Response> {
      std::size_t size = 0;
      for (;;) {
        std::string_view some = co_await request.read_some();
        if (some.empty()) break;
        EXPECT_LE(some.size(), std::size_t{64} << 10);
        size += some.size();
      }
      co_return web::Response(std::to_string(size));
    });
    Served served = co_await serve(std::move(app));
    const std::string bytes = encoded(ContentCoding::Gzip, test::pattern(3'000'000));
    std::string answer = co_await exchange(served.port(), with_coding("gzip", bytes));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n3000000")) << answer;
    co_await served.cleanup();
  });
}

TEST_P(ServerBodies, fault132_bodies_that_are_not_what_they_say) {
  run([]() -> Coro<> {
    Served served = co_await serve(size_and_begin());
    std::string whole = encoded(ContentCoding::Gzip, "hello");
    for (std::string body : {std::string("nonsense"), whole.substr(0, whole.size() - 1),
                             whole.substr(0, 5), std::string("\x1f\x8b")}) {
      std::string answer = co_await exchange(served.port(), with_coding("gzip", body));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    }
    std::string behind = co_await exchange(served.port(), with_coding("gzip", whole + "garbage"));
    EXPECT_TRUE(behind.ends_with("\r\n\r\n5 hello")) << behind;
    co_await served.cleanup();
  });
}

web::Application form_application() {
  web::Application app;
  app.post("/", [](web::Request& request) -> Coro<web::Response> {
    web::PostData form = co_await request.post();
    std::string text;
    for (const auto& [name, value] : form) text += name + "=" + value + ";";
    for (const web::FileField& file : form.files())
      text += file.name + ":" + file.filename + ":" + file.content_type + ":" +
              std::to_string(file.content.size()) + ";";
    co_return web::Response(text);
  });
  app.post("/parts", [](web::Request& request) -> Coro<web::Response> {
    std::string text;
    web::MultipartReader parts = request.multipart(web::MultipartOptions().max_parts(20));
    while (auto part = co_await parts.next()) {
      text += std::string(part->name()) + "=";
      if (part->name() == "skipped") continue;
      for (;;) {
        std::string some(co_await part->read_some());
        if (some.empty()) break;
        text += some;
      }
      text += ";";
    }
    co_return web::Response(text);
  });
  return app;
}

TEST_P(ServerBodies, R13_a_read_that_was_cancelled_has_lost_nothing) {
  run([]() -> Coro<> {
    Event waits;
    web::Application app;
    app.post("/", [&](web::Request& request) -> Coro<web::Response> {
      std::string first = co_await test::error_of(wait_for(request.read(), 50ms));
      EXPECT_NE(first.find("TimeoutError"), std::string::npos) << first;
      waits.set();
      std::string body = co_await request.read();
      co_return web::Response(body);
    });
    Served served = co_await serve(std::move(app));
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(post("/", "Connection: close\r\nContent-Length: 10\r\n", "01234"));
    co_await waits.wait();
    writer.write("56789");
    std::string answer = co_await reader.read();
    EXPECT_TRUE(answer.ends_with("\r\n\r\n0123456789")) << answer;
    writer.close();
    co_await served.cleanup();
  });
}

std::string form_request(const http::FormData& form) {
  return with_length("Content-Type: " + form.content_type() + "\r\n", form.body());
}

TEST_P(ServerBodies, D13_forms_with_files) {
  run([]() -> Coro<> {
    Served served = co_await serve(form_application());
    http::FormData form;
    form.add_field("name", "Ann").add_field("empty", "");
    form.add_file("photo", test::pattern(200'000), "me.png", "image/png");
    form.add_field("skipped", "much").add_field("last", "x\r\ny");
    std::string bytes = form_request(form);
    std::string answer = co_await exchange(served.port(), bytes);
    EXPECT_TRUE(answer.ends_with(
        "\r\n\r\nname=Ann;empty=;skipped=much;last=x\r\ny;photo:me.png:image/png:200000;"))
        << answer;
    http::FormData small;
    small.add_field("a", "1").add_field("skipped", "2").add_file("b", "3", "f");
    bytes = form_request(small);
    bytes.replace(0, 6, "POST /parts");
    for (std::size_t i = 1; i < bytes.size(); ++i) {
      std::vector<std::string> pieces{bytes.substr(0, i), bytes.substr(i)};
      std::string split = co_await exchange(served.port(), pieces);
      EXPECT_TRUE(split.ends_with("\r\n\r\na=1;skipped=b=3;")) << split << i;
      if (HasFailure()) break;
    }
    std::string plain = co_await exchange(
        served.port(),
        with_length("Content-Type: application/x-www-form-urlencoded\r\n", "a=1&b=%20"));
    EXPECT_TRUE(plain.ends_with("\r\n\r\na=1;b= ;")) << plain;
    co_await served.cleanup();
  });
}

TEST_P(ServerBodies, D13_a_form_can_be_asked_for_again) {
  run([]() -> Coro<> {
    web::Application app;
    app.post("/", [](web::Request& request) -> Coro<web::Response> {
      web::PostData first = co_await request.post();
      web::PostData second = co_await request.post();
      co_return web::Response(std::string(first.get("a", "")) + std::string(second.get("a", "")) +
                              second.files().at(0).content);
    });
    Served served = co_await serve(std::move(app));
    http::FormData form;
    form.add_field("a", "1").add_file("b", "2", "f");
    std::string answer = co_await exchange(served.port(), form_request(form));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n112")) << answer;
    co_await served.cleanup();
  });
}

/// Handlers that read the body, some of it or all, before they ask for its parts.
web::Application reading_before() {
  web::Application app;
  auto part = [](web::Request& request) -> Coro<web::Response> {
    web::MultipartReader parts = request.multipart();
    auto first = co_await parts.next();
    std::string text = co_await first.value().read();
    co_return web::Response("a=" + text);
  };
  app.post("/post", [](web::Request& request) -> Coro<web::Response> {
    std::string body = co_await request.read();
    web::PostData data = co_await request.post();
    co_return web::Response("a=" + std::string(data.get("a", "")));
  });
  app.post("/parts", [part](web::Request& request) -> Coro<web::Response> {
    std::string body = co_await request.read();
    web::Response once = co_await part(request);
    web::Response twice = co_await part(request);
    co_return once.get_body() == twice.get_body() ? once : web::Response("differs");
  });
  app.post("/some", [part](web::Request& request) -> Coro<web::Response> {
    co_await request.read_some();
    web::Response response = co_await part(request);
    co_return response;
  });
  app.post("/two_readers", [part](web::Request& request) -> Coro<web::Response> {
    web::Response once = co_await part(request);
    web::Response twice = co_await part(request);
    co_return twice;
  });
  return app;
}

TEST_P(ServerBodies, D13_parts_of_a_body_that_was_read_before) {
  run([]() -> Coro<> {
    Served served = co_await serve(reading_before());
    const std::string body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" +
                             std::string(5000, '1') + "\r\n--b--\r\n";
    const std::string fields =
        "Connection: close\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n";
    test::LogCapture log;
    for (const char* path : {"/post", "/parts"}) {
      std::string answer = co_await exchange(served.port(), post(path, fields, body));
      EXPECT_TRUE(answer.ends_with("\r\n\r\na=" + std::string(5000, '1'))) << path << answer;
    }
    EXPECT_EQ(log.records.size(), 0u) << log.all();
    for (const char* path : {"/some", "/two_readers"}) {
      std::string answer = co_await exchange(served.port(), post(path, fields, body));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << path << answer;
      EXPECT_EQ(log.count(path, "multipart: some of the body was read before"), 1) << log.all();
    }
    co_await served.cleanup();
  });
}

TEST_P(ServerBodies, fault133_forms_that_are_wrong) {
  run([]() -> Coro<> {
    Served served = co_await serve(form_application());
    std::string part = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
    std::string head = "--B\r\nContent-Disposition: form-data; name=a\r\n";
    std::string flood, parts;
    for (int i = 0; i < 40; ++i) flood += "X: y\r\n";
    for (int i = 0; i < 1001; ++i) parts += part;
    const std::string good = "multipart/form-data; boundary=B";
    std::vector<std::pair<std::string, std::string>> cases{
        {good, ""},
        {good, "no boundary"},
        {good, part},
        {good, part + "--B"},
        {good, part + "--B-"},
        {good, part + "--Bx\r\n"},
        {good, head + "\r\n1"},
        {good, head},
        {good, head + flood + "\r\n1\r\n--B--"},
        {good, head + "X: " + std::string(9000, 'x') + "\r\n\r\n1\r\n--B--"},
        {good, head + "no colon\r\n\r\n1\r\n--B--"},
        {good, head + "X: \x01\r\n\r\n1\r\n--B--"},
        {good, "--B\r\nContent-Disposition: \"\r\n\r\n1\r\n--B--"},
        {good, "--B\r\nContent-Disposition: form-data; name=\"a\rb\"\r\n\r\n1\r\n--B--"},
        {good, "--B\r\nContent-Disposition: form-data; name=\"a\nb\"\r\n\r\n1\r\n--B--"},
        {good, parts + "--B--"},
        {"multipart/form-data", part + "--B--"},
        {"multipart/form-data; boundary=\"\"", part + "--B--"},
        {"multipart/form-data; boundary=" + std::string(71, 'B'), part + "--B--"}};
    for (const auto& [type, body] : cases) {
      std::string answer =
          co_await exchange(served.port(), with_length("Content-Type: " + type + "\r\n", body));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << type << body.substr(0, 90) << answer;
    }
    // Made of parts a thousand deep: bytes, which nobody looks into.
    std::string deep = "1";
    for (int i = 0; i < 1000; ++i) {
      std::string boundary = "b" + std::to_string(i);
      deep = "--" + boundary + "\r\nContent-Type: multipart/mixed; boundary=" + boundary +
             "\r\n\r\n" + deep + "\r\n--" + boundary + "--";
    }
    std::string answer = co_await exchange(
        served.port(),
        with_length("Content-Type: " + good + "\r\n", head + "\r\n" + deep + "\r\n--B--"));
    EXPECT_TRUE(answer.ends_with("a=" + deep + ";")) << answer.substr(0, 200);
    // A large one does not get into memory.
    answer = co_await exchange(
        served.port(), with_length("Content-Type: " + good + "\r\n",
                                   head + "\r\n" + std::string(2 << 20, 'x') + "\r\n--B--"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
    // Nor do many empty ones with long names.
    std::string named;
    for (int i = 0; i < 300; ++i)
      named += "--B\r\nContent-Disposition: form-data; name=a; filename=" + std::string(4000, 'f') +
               "\r\n\r\n\r\n";
    answer = co_await exchange(served.port(),
                               with_length("Content-Type: " + good + "\r\n", named + "--B--"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer.substr(0, 200);
    co_await served.cleanup();
  });
}

TEST_P(ServerBodies, fault133_names_are_as_the_client_gave_them) {
  run([]() -> Coro<> {
    Served served = co_await serve(form_application());
    std::string body =
        "--B\r\nContent-Disposition: form-data; name=\"up\"; filename=\"../../etc/pass\\\"wd\"\r\n"
        "\r\n1\r\n--B\r\nContent-Disposition: form-data; name=\"a%0D%0Ab\"\r\n\r\n2\r\n--B--\r\n";
    std::string answer = co_await exchange(
        served.port(), with_length("Content-Type: multipart/form-data; boundary=B\r\n", body));
    EXPECT_TRUE(answer.ends_with("\r\n\r\na%0D%0Ab=2;up:../../etc/pass\"wd:text/plain:1;"))
        << answer;
    co_await served.cleanup();
  });
}

TEST_P(ServerBodies, fault133_a_part_is_over_when_the_next_is_asked_for) {
  run([]() -> Coro<> {
    std::string error;
    web::Application app;
    app.post("/", [&](web::Request& request) -> Coro<web::Response> {
      web::MultipartReader parts = request.multipart();
      std::optional<web::BodyPart> first = co_await parts.next();
      std::optional<web::BodyPart> second = co_await parts.next();
      error = co_await test::error_of(first->read());
      co_return web::Response(co_await second->read());
    });
    Served served = co_await serve(std::move(app));
    http::FormData form;
    form.add_field("a", "1").add_field("b", "2");
    std::string answer = co_await exchange(served.port(), form_request(form));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n2")) << answer;
    EXPECT_NE(error.find("RuntimeError: this part of the body is over"), std::string::npos)
        << error;
    co_await served.cleanup();
  });
}

}  // namespace
