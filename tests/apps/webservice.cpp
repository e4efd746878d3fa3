// SPDX-License-Identifier: BSL-1.0
// apps/webservice as its users see it: a process that is asked, talked to, and stopped.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/http/nlohmann_json.hpp"
#include "connected.hpp"
#include "program.hpp"
#include "service_program.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::WebSocket;
using http::WSCloseCode;
using nlohmann::json;
using test::error_of;
using test::Service;
using test::started;
using test::with_service;

namespace {

TEST(WebService, S49_pages) {
  with_service({}, [](Service& service) -> Coro<> {
    std::string page = co_await service.text("/");
    EXPECT_NE(page.find("<h1>Hello</h1>"), std::string::npos);
    ClientResponse style = co_await service.session().get("/static/style.css");
    EXPECT_EQ(style.content_type(), "text/css");
    ClientResponse none = co_await service.session().get("/static/../CMakeLists.txt");
    EXPECT_EQ(none.status(), 404);
    std::string health = co_await service.text("/health");
    EXPECT_EQ(health,
              R"({"pid":)" + std::to_string(service.process().pid()) + R"(,"status":"ok"})");
  });
}

TEST(WebService, notes) {
  with_service({}, [](Service& service) -> Coro<> {
    const ClientSession& session = service.session();
    json note{{"text", "buy tea"}};
    ClientResponse made = co_await session.post("/api/notes", RequestOptions().json(note));
    EXPECT_EQ(made.status(), 201);
    EXPECT_EQ(made.headers().get("Location"), "/api/notes/1");
    json changed{{"text", "buy coffee"}};
    ClientResponse put = co_await session.put("/api/notes/1", RequestOptions().json(changed));
    EXPECT_EQ(put.status(), 200);
    ClientResponse all = co_await session.get("/api/notes");
    json list = co_await all.json<json>();
    EXPECT_EQ(list.dump(), R"([{"id":1,"text":"buy coffee"}])");
    ClientResponse gone = co_await session.del("/api/notes/1");
    EXPECT_EQ(gone.status(), 204);
    ClientResponse none = co_await session.get("/api/notes/1");
    EXPECT_EQ(none.status(), 404);
    ClientResponse bad = co_await session.post("/api/notes", RequestOptions().json("{"));
    EXPECT_EQ(bad.status(), 400);
    ClientResponse shape = co_await session.post("/api/notes", RequestOptions().json("[1]"));
    EXPECT_EQ(shape.status(), 422);
  });
}

TEST(WebService, S47_five_requests_take_as_long_as_one) {
  with_service({"--work", "1"}, [](Service& service) -> Coro<> {
    TimePoint begin = get_running_loop().time();
    std::vector<Coro<std::string>> five;
    for (int i = 0; i < 5; ++i) five.push_back(service.text("/api/work/" + std::to_string(i)));
    auto answers = co_await gather(std::move(five));
    auto elapsed = get_running_loop().time() - begin;
    EXPECT_GE(elapsed, 1s);
    EXPECT_LT(elapsed, 4s);  // one after the other: 5 s
    EXPECT_NE(answers.at(4).find("work on 4 is done"), std::string::npos);
    ClientResponse again = co_await service.session().get("/api/work/4");
    EXPECT_EQ(again.headers().get("X-Cache"), "hit");
  });
}

Coro<> until_metric(Service& service, std::string line) {
  while (true) {
    std::string text = co_await service.text("/metrics");
    if (text.find("\n" + line + "\n") != std::string::npos) co_return;
    co_await sleep(2ms);
  }
}

TEST(WebService, S42_the_cache_is_cleaned) {
  std::vector<std::string> options{"--ttl", "0.05", "--clean", "0.01", "--work", "0.001"};
  with_service(options, [](Service& service) -> Coro<> {
    co_await service.text("/api/work/x");
    co_await wait_for(until_metric(service, "cache_entries 0"), 20s);
    std::string text = co_await service.text("/metrics");
    EXPECT_NE(text.find("cache_misses_total 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("http_requests_total{method=\"GET\",status=\"200\"}"), std::string::npos);
  });
}

TEST(WebService, S61_a_part_of_a_file_counts_as_206) {
  with_service({}, [](Service& service) -> Coro<> {
    http::RequestOptions part;
    part.header("Range", "bytes=0-1");
    ClientResponse response = co_await service.session().get("/static/robots.txt", part);
    EXPECT_EQ(response.status(), 206);
    const std::string counted = "http_requests_total{method=\"GET\",status=\"206\"} 1";
    co_await wait_for(until_metric(service, counted), 20s);
  });
}

Coro<std::string> letter(WebSocket ws) {
  auto message = co_await ws.next();
  if (!message) co_return "closed";
  json content = json::parse(message->data);
  std::string text = content.at("kind").get<std::string>() + " " +
                     content.at("name").get<std::string>() + " " + content.value("text", "");
  co_return text;
}

TEST(WebService, S44_two_people_chat) {
  with_service({}, [](Service& service) -> Coro<> {
    const ClientSession& session = service.session();
    WebSocket ada = co_await session.ws_connect("/chat?name=Ada");
    std::string first = co_await letter(ada);
    EXPECT_EQ(first, "joined Ada ");
    WebSocket bob = co_await session.ws_connect("/chat?name=Bob");
    std::string second = co_await letter(ada);
    EXPECT_EQ(second, "joined Bob ");
    std::string own = co_await letter(bob);
    EXPECT_EQ(own, "joined Bob ");
    co_await ada.send_str("hello");
    std::string heard = co_await letter(bob);
    EXPECT_EQ(heard, "said Ada hello");
    std::string taken = co_await error_of(session.ws_connect("/chat?name=Ada"));
    EXPECT_NE(taken.find("409"), std::string::npos) << taken;
    std::string nameless = co_await error_of(session.ws_connect("/chat"));
    EXPECT_NE(nameless.find("400"), std::string::npos) << nameless;
    co_await ada.close();
    std::string left = co_await letter(bob);
    EXPECT_EQ(left, "left Ada ");
    WebSocket again = co_await session.ws_connect("/chat?name=Ada");
    co_await again.close();
    co_await bob.close();
  });
}

TEST(WebService, S43_who_does_not_answer_pings_is_missed) {
  with_service({"--heartbeat", "0.1"}, [](Service& service) -> Coro<> {
    WebSocket ada = co_await service.session().ws_connect("/chat?name=Ada");
    auto [reader, writer] = co_await open_connection("127.0.0.1", service.url().port().value());
    co_await writer.send(
        "GET /chat?name=Eve HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    std::string last;
    while (last != "left Eve ") last = co_await wait_for(letter(ada), 20s);
    EXPECT_FALSE(ada.closed());
    writer.close();
    co_await ada.close();
  });
}

/// Ada talks, and Eve sends without reading, until Eve is thrown out.
Coro<> until_eve_left(WebSocket ada, StreamWriter& eve) {
  const std::string frame("\x81\x82\0\0\0\0hi", 8);
  const std::string words(60'000, 'x');
  std::string heard;
  while (heard != "left Eve ") {
    auto sent = co_await capture(eve.send(frame));  // fails in the end
    if (sent.cancelled()) sent.rethrow();
    co_await ada.send_str(words);
    do {
      heard = co_await letter(ada);
    } while (heard != "left Eve " && heard != "closed" && !heard.starts_with("said Ada "));
  }
}

TEST(WebService, S43_who_sends_and_does_not_read_is_thrown_out) {
  with_service({"--heartbeat", "1"}, [](Service& service) -> Coro<> {
    WebSocket ada = co_await service.session().ws_connect("/chat?name=Ada");
    auto [reader, writer] = co_await open_connection("127.0.0.1", service.url().port().value());
    co_await writer.send(
        "GET /chat?name=Eve HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    co_await wait_for(until_eve_left(ada, writer), 60s);
    EXPECT_FALSE(ada.closed());
    writer.close();
    co_await ada.close();
  });
}

TEST(WebService, L13_SIGTERM_answers_what_was_asked_and_says_goodbye) {
  run([]() -> Coro<> {
    std::vector<std::string> options{"--work", "0.3"};
    Service service = co_await started(options);
    WebSocket ada = co_await service.session().ws_connect("/chat?name=Ada");
    co_await letter(ada);
    auto asking = create_task([&]() -> Coro<std::string> {
      std::string answer = co_await service.text("/api/work/late");
      co_return answer;
    });
    co_await wait_for(until_metric(service, "http_requests_in_flight 3"), 20s);
    service.process().send_signal(SIGTERM);
    std::string answer = co_await asking;
    EXPECT_NE(answer.find("late is done"), std::string::npos);
    std::string last = co_await letter(ada);
    EXPECT_EQ(last, "closed");
    EXPECT_EQ(ada.close_code(), WSCloseCode::GoingAway);
    int status = co_await service.process().wait();
    EXPECT_EQ(status, 0);
    service.session().close();
  });
}

TEST(WebService, L13_a_second_signal_ends_it_at_once) {
  run([]() -> Coro<> {
    std::vector<std::string> options{"--work", "9"};
    Service service = co_await started(options);
    WebSocket ada = co_await service.session().ws_connect("/chat?name=Ada");
    co_await letter(ada);
    auto asking = create_task([&]() -> Coro<std::string> {
      std::string error = co_await error_of(service.text("/api/work/never"));
      co_return error;
    });
    co_await wait_for(until_metric(service, "http_requests_in_flight 3"), 20s);
    service.process().send_signal(SIGTERM);
    std::string last = co_await letter(ada);
    EXPECT_EQ(last, "closed");
    service.process().send_signal(SIGTERM);
    int status = co_await service.process().wait();
    EXPECT_EQ(status, -SIGTERM);
    std::string error = co_await asking;
    EXPECT_NE(error, "nothing");
    service.session().close();
  });
}

TEST(WebService, R10_the_command_line) {
  run([]() -> Coro<> {
    test::Outcome help = co_await test::outcome_of(WEBSERVICE, "--help");
    EXPECT_EQ(help.status, 0);
    EXPECT_NE(help.out.find("--heartbeat SECONDS"), std::string::npos) << help.out;
    test::Outcome wrong = co_await test::outcome_of(WEBSERVICE, "--prot", "1");
    EXPECT_EQ(wrong.status, 2);
    EXPECT_NE(wrong.err.find("--prot"), std::string::npos) << wrong.err;
    Service service = co_await started();
    std::string port = std::to_string(service.url().port().value());
    test::Outcome busy = co_await test::outcome_of(WEBSERVICE, "--port", port);
    EXPECT_EQ(busy.status, 1);
    EXPECT_TRUE(busy.err.starts_with("webservice: ")) << busy.err;
    EXPECT_NE(busy.err.find("127.0.0.1:" + port), std::string::npos) << busy.err;
    EXPECT_NE(busy.err.find("Address already in use"), std::string::npos) << busy.err;
    int status = co_await service.stop();
    EXPECT_EQ(status, 0);
  });
}

TEST(WebService, R10_a_certificate_that_is_none) {
  run([]() -> Coro<> {
    for (std::string file : {"none.pem", ""}) {
      test::Outcome lost = co_await test::outcome_of(WEBSERVICE, "--certificate", file);
      EXPECT_EQ(lost.status, 2);
      EXPECT_NE(lost.err.find("--certificate: File does not exist: " + file), std::string::npos)
          << lost.err;
    }
    test::Outcome other =
        co_await test::outcome_of(WEBSERVICE, "--port", "0", "--certificate", WEBSERVICE);
    EXPECT_EQ(other.status, 1);
    EXPECT_TRUE(other.err.starts_with("webservice: ")) << other.err;
    EXPECT_NE(other.err.find(WEBSERVICE), std::string::npos) << other.err;
    test::Outcome alone = co_await test::outcome_of(WEBSERVICE, "--key", WEBSERVICE);
    EXPECT_EQ(alone.status, 2);
    EXPECT_NE(alone.err.find("--certificate"), std::string::npos) << alone.err;
  });
}

}  // namespace
