// SPDX-License-Identifier: BSL-1.0
// Two sessions of HTTP/2, one the peer of the other.
#include "http/http2_session.hpp"

#include "asyncio/exceptions.hpp"
#include "http2_frames.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace {

using asyncio::http::BadRequest;
using asyncio::http::BodyFraming;
using asyncio::http::Headers;
using asyncio::http::HttpLimits;
using asyncio::http::Method;
using asyncio::http::ProtocolError;
using asyncio::http::RequestHead;
using asyncio::http::ResponseHead;
using asyncio::http::Status;
using asyncio::http::Version;
using asyncio::http::detail::Http2Code;
using asyncio::http::detail::Http2Role;
using asyncio::http::detail::Http2Session;
using asyncio::http::detail::Http2Stream;
using asyncio::http::detail::Http2Terms;
using Stream = std::shared_ptr<Http2Stream>;

constexpr auto kNow = asyncio::TimePoint(std::chrono::seconds(1));

/// Both ends, in pieces of so many bytes.
struct Both {
  explicit Both(const Http2Terms& of_server = {}, const Http2Terms& of_client = {},
                std::size_t piece_size = std::size_t{1} << 20)
      : server(Http2Role::server, of_server),
        client(Http2Role::client, of_client),
        piece(piece_size) {}

  bool pass(Http2Session& from, Http2Session& to) const {
    std::string bytes;
    from.send(bytes, std::size_t{1} << 20);
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      to.receive(std::string_view(bytes).substr(at, piece), kNow);
    return !bytes.empty();
  }
  void run() {
    for (bool more = true; more;) {
      more = pass(client, server);
      more |= pass(server, client);
    }
  }

  Http2Session server, client;
  std::size_t piece;
};

RequestHead get(std::string target, Headers fields = {}) {
  fields.add("Host", "example.org");
  return RequestHead(Method::GET, std::move(target), std::move(fields));
}

RequestHead post(std::string target, Headers fields = {}) {
  RequestHead head = get(std::move(target), std::move(fields));
  head.method = Method::POST;
  return head;
}

template <class E>
bool holds(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const E&) {
    return true;
  } catch (...) {  // Another one.
    return false;
  }
}

TEST(Http2Session, D13_a_request_and_its_answer_cross_whole_in_every_split) {
  for (std::size_t piece : {1u, 2u, 9u, 4096u}) {
    Both both({}, {}, piece);
    RequestHead head = get("/path?query", {{"X-Field", "Value"}, {"Cookie", "a=1"}});
    head.headers.add("Cookie", "b=2");
    Stream asked = both.client.request(head, "https", false);
    both.run();
    Stream got = both.server.next_request();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->request.method, Method::GET);
    EXPECT_EQ(got->request.target, "/path?query");
    EXPECT_EQ(got->request.version, Version::http_2);
    EXPECT_EQ(got->request.headers.get("host"), "example.org");
    EXPECT_EQ(got->request.headers.get("x-field"), "Value");
    EXPECT_EQ(got->request.headers.get("cookie"), "a=1; b=2");
    EXPECT_EQ(got->request.body, BodyFraming());
    EXPECT_TRUE(got->input_ended());
    both.server.respond(*got, Status::CREATED, {{"Content-Length", "5"}, {"X-Other", "y"}}, true);
    both.server.write(*got, std::string("hello"));
    both.server.end(*got);
    both.run();
    EXPECT_EQ(asked->response.status, Status::CREATED);
    EXPECT_EQ(asked->response.version, Version::http_2);
    EXPECT_EQ(asked->response.headers.get("x-other"), "y");
    EXPECT_EQ(asked->response.body, BodyFraming::of_length(5));
    EXPECT_EQ(both.client.read(*asked), "hello");
    EXPECT_TRUE(asked->input_ended());
    EXPECT_TRUE(asked->closed());
    EXPECT_FALSE(asked->error());
    EXPECT_TRUE(got->closed());
    EXPECT_EQ(both.server.active() + both.client.active(), 0u);
  }
}

TEST(Http2Session, R13TheCookiesOfARequestAreOneField) {
  Both both;
  RequestHead head = get("/", {{"Cookie", "a=1"}});
  for (int i = 0; i < 300; ++i) head.headers.add("Cookie", "b=2");
  for (int i = 0; i < 127; ++i) head.headers.add("X", "y");  // as many as there may be
  both.client.request(head, "https", false);
  head.headers.add("X", "y");
  both.client.request(head, "https", false);
  both.run();
  Stream fits = both.server.next_request(), beyond = both.server.next_request();
  ASSERT_TRUE(fits && beyond);
  EXPECT_FALSE(fits->refusal());
  EXPECT_EQ(fits->request.headers.get("cookie").value_or("").size(), 3u + 300 * 5);
  EXPECT_TRUE(beyond->refusal());
}

TEST(Http2Session, R13NoFieldOfAConnectionIsSent) {
  Both both;
  RequestHead head = get("/", {{"Connection", "X-Hop, close"},
                               {"X-Hop", "1"},
                               {"Keep-Alive", "5"},
                               {"TE", "gzip"},
                               {"Upgrade", "h2c"},
                               {"X-End", "2"}});
  both.client.request(head, "http", false);
  both.run();
  Stream got = both.server.next_request();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->request.headers.size(), 2u);
  EXPECT_EQ(got->request.headers.get("x-end"), "2");
}

TEST(Http2Session, D13_a_body_comes_no_faster_than_it_is_read) {
  Http2Terms terms;
  terms.stream_window = 1000;
  Both both(terms);
  both.run();  // the server's settings
  Stream asked = both.client.request(post("/"), "http", true);
  both.client.write(*asked, std::string(5000, 'x'));
  both.client.end(*asked);
  both.run();
  Stream got = both.server.next_request();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->request.body, BodyFraming::chunked());
  EXPECT_EQ(got->unread(), 1000u);
  EXPECT_EQ(asked->unsent(), 4000u);
  both.run();
  EXPECT_EQ(got->unread(), 1000u);
  std::string all;
  while (!got->input_ended() || got->unread() > 0) {
    all += both.server.read(*got);
    both.run();
    ASSERT_LE(got->unread(), 1000u);
  }
  EXPECT_EQ(all, std::string(5000, 'x'));
  EXPECT_TRUE(asked->output_sent());
}

TEST(Http2Session, R6NoMoreIsTakenOutAtOnceThanWasAskedFor) {
  constexpr std::size_t kBody = std::size_t{5} << 20, kMost = std::size_t{64} << 10;
  Http2Terms generous;
  generous.stream_window = generous.connection_window = 0x7fffffff;
  Both both({}, generous);
  Stream asked = both.client.request(get("/"), "http", false);
  both.run();
  Stream got = both.server.next_request();
  ASSERT_TRUE(got);
  both.server.respond(*got, Status::OK, {}, true);
  both.server.write(*got, std::string(kBody, 'x'));
  both.server.end(*got);
  std::size_t pieces = 0;
  for (; both.server.wants_output(); ++pieces) {
    std::string piece;
    both.server.send(piece, kMost);
    ASSERT_FALSE(piece.empty());
    EXPECT_LT(piece.size(), kMost + 16384 + 9);  // and the rest of a frame
    both.client.receive(piece, kNow);
  }
  EXPECT_GE(pieces, kBody / (kMost + 16384));
  EXPECT_EQ(both.client.read(*asked), std::string(kBody, 'x'));
  EXPECT_TRUE(got->output_sent());
}

TEST(Http2Session, D13_what_nobody_reads_is_given_back_to_the_connection) {
  Http2Terms terms;
  terms.stream_window = terms.connection_window = 65535;
  Both both(terms);
  both.run();
  for (int i = 0; i < 8; ++i) {
    Stream asked = both.client.request(post("/"), "http", true);
    both.client.write(*asked, std::string(60000, 'x'));
    both.client.end(*asked);
    both.run();
    Stream got = both.server.next_request();
    ASSERT_TRUE(got);
    ASSERT_TRUE(got->input_ended()) << i;  // the window was there
    both.server.respond(*got, Status::OK, {}, false);
    both.run();
    EXPECT_TRUE(got->closed());
  }
}

TEST(Http2Session, R2AStreamThatIsResetEndsAlone) {
  Both both;
  Stream first = both.client.request(post("/1"), "http", true);
  Stream second = both.client.request(get("/2"), "http", false);
  both.run();
  Stream one = both.server.next_request(), two = both.server.next_request();
  ASSERT_TRUE(two);
  both.client.reset(*first, Http2Code::cancel);
  both.run();
  EXPECT_TRUE(one->closed());
  EXPECT_EQ(one->code(), Http2Code::cancel);
  EXPECT_TRUE(holds<asyncio::ConnectionResetError>(one->error()));
  both.server.respond(*one, Status::OK, {}, false);  // harmless
  both.server.respond(*two, Status::OK, {}, false);
  both.run();
  EXPECT_EQ(second->response.status, 200);
  EXPECT_TRUE(both.client.failure().empty());
}

TEST(Http2Session, D13_a_go_away_lets_streams_end_and_takes_no_more) {
  Both both;
  Stream asked = both.client.request(get("/"), "http", false);
  both.run();
  Stream got = both.server.next_request();
  both.server.announce_end();
  both.run();
  EXPECT_FALSE(both.client.may_request());
  EXPECT_FALSE(both.server.is_ending());
  both.server.go_away();
  both.run();
  EXPECT_FALSE(both.server.is_over());
  both.server.respond(*got, Status::OK, {}, false);
  both.run();
  EXPECT_EQ(asked->response.status, 200);
  EXPECT_TRUE(both.server.is_over());
  EXPECT_TRUE(both.client.is_over());
}

TEST(Http2Session, D13_a_request_that_was_not_taken_says_so) {
  Both both;
  both.run();
  both.server.go_away();
  both.pass(both.server, both.client);
  Stream late = both.client.request(get("/"), "http", false);
  both.run();
  EXPECT_TRUE(late->closed());
  EXPECT_EQ(late->code(), Http2Code::refused_stream);
}

TEST(Http2Session, D13_a_request_that_crosses_the_go_away_is_not_taken) {
  Both both;
  Stream first = both.client.request(get("/1"), "http", false);
  both.run();
  Stream second = both.client.request(post("/2"), "http", false);
  both.server.go_away();
  both.pass(both.client, both.server);
  EXPECT_TRUE(both.server.next_request());
  EXPECT_FALSE(both.server.next_request());  // nobody may work for what is refused
  both.run();
  EXPECT_FALSE(first->closed());
  EXPECT_TRUE(second->closed());
  EXPECT_EQ(second->code(), Http2Code::refused_stream);
}

TEST(Http2Session, R13LimitsOfAHeadAreAnsweredAtTheLimit) {
  struct Case {
    const char* what;
    HttpLimits limits;
    RequestHead head;
    Status status;
  };
  const Case cases[] = {
      {"path", HttpLimits().start_line(10), get("/1234567890"), Status::URI_TOO_LONG},
      {"field", HttpLimits().field(20), get("/", {{"x", "12345678901234567890"}}),
       Status::REQUEST_HEADER_FIELDS_TOO_LARGE},
      {"fields", HttpLimits().fields(3), get("/", {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}),
       Status::REQUEST_HEADER_FIELDS_TOO_LARGE},
      {"head", HttpLimits().head(200), get("/", {{"a", "1"}, {"b", std::string(100, 'x')}}),
       Status::REQUEST_HEADER_FIELDS_TOO_LARGE},
      {"body", HttpLimits().body(10), post("/", {{"Content-Length", "11"}}),
       Status::CONTENT_TOO_LARGE},
      {"host", HttpLimits(), RequestHead(Method::GET, "/", {{"Host", "h:1"}}), Status::OK},
  };
  for (const Case& c : cases) {
    Http2Terms terms;
    terms.limits = c.limits;
    Both both(terms);
    both.client.request(c.head, "http", c.head.method == Method::POST);
    both.run();
    Stream got = both.server.next_request();
    ASSERT_TRUE(got) << c.what;
    EXPECT_EQ(got->refusal().has_value(), c.status != 200) << c.what;
    if (!got->refusal()) continue;
    EXPECT_EQ(got->refusal()->status(), c.status) << c.what;
  }
}

TEST(Http2Session, R13ABodyBeyondItsLimitIsAnErrorOfItsReader) {
  Http2Terms terms;
  terms.limits.body(1000);
  Both both(terms);
  Stream asked = both.client.request(post("/"), "http", true);
  both.client.write(*asked, std::string(1001, 'x'));
  both.run();
  Stream got = both.server.next_request();
  ASSERT_TRUE(got);
  EXPECT_TRUE(holds<BadRequest>(got->error()));
}

TEST(Http2Session, R13AResponseBeyondALimitEndsItsStreamAlone) {
  Http2Terms terms;
  terms.limits.fields(2);
  Both both({}, terms);
  Stream asked = both.client.request(get("/"), "http", false);
  both.run();
  Stream got = both.server.next_request();
  both.server.respond(*got, Status::OK, {{"a", "1"}, {"b", "2"}, {"c", "3"}}, true);
  both.run();
  EXPECT_TRUE(holds<ProtocolError>(asked->error()));
  EXPECT_TRUE(got->closed());
  EXPECT_TRUE(both.client.failure().empty());
}

TEST(Http2Session, R13_the_rest_of_a_response_that_was_given_up_is_not_looked_at_in_any_split) {
  Headers fields;
  for (int i = 0; i < 40; ++i) fields.add("x" + std::to_string(i), "y");
  for (std::size_t piece : {1u, 9u, 4096u}) {
    Http2Terms terms;
    terms.limits.head(200);  // by far less than all the fields
    Both both({}, terms);
    Stream large = both.client.request(get("/1"), "http", false);
    Stream other = both.client.request(get("/2"), "http", false);
    both.run();
    both.server.respond(*both.server.next_request(), Status::OK, fields, false);
    both.server.respond(*both.server.next_request(), Status::ACCEPTED, {}, false);
    std::string bytes, answers;
    both.server.send(bytes, std::size_t{1} << 20);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      both.client.receive(std::string_view(bytes).substr(at, piece), kNow);
      both.client.send(answers, std::size_t{1} << 20);
    }
    EXPECT_TRUE(holds<ProtocolError>(large->error()));
    EXPECT_EQ(other->response.status, Status::ACCEPTED) << piece;
    EXPECT_EQ(both.client.failure(), "") << piece;
  }
}

TEST(Http2Session, D13_heads_of_status1xx_go_before_the_answer) {
  Both both;
  Stream asked = both.client.request(get("/"), "http", false);
  both.run();
  Stream got = both.server.next_request();
  both.server.inform(*got, ResponseHead(Status::EARLY_HINTS, {{"link", "</x>"}}));
  both.run();
  EXPECT_FALSE(asked->has_head());
  both.server.respond(*got, Status::OK, {}, false);
  both.run();
  EXPECT_EQ(asked->response.status, 200);
  EXPECT_FALSE(asked->response.headers.contains("link"));
}

TEST(Http2Session, fault145_a_body_that_is_not_as_long_as_its_head_says_is_no_success) {
  Both both;
  Stream asked = both.client.request(get("/"), "http", false);
  both.run();
  Stream got = both.server.next_request();
  both.server.respond(*got, Status::OK, {{"Content-Length", "5"}}, true);
  both.server.write(*got, std::string("four"));
  both.server.end(*got);
  both.run();
  EXPECT_FALSE(asked->input_ended());
  EXPECT_TRUE(asked->error());
}

TEST(Http2Session, fault125_answers_that_are_not_read_do_not_pile_up) {
  Http2Session server(Http2Role::server, {});
  server.receive(test::h2::hello(), kNow);
  for (std::uint32_t id = 1; id < 100000 && server.failure().empty(); id += 2)
    server.receive(test::h2::get(id, "/"), kNow);
  EXPECT_EQ(server.failure(), "answers are not read");
  EXPECT_EQ(server.active(), 0u);
  std::string output;
  server.send(output, std::size_t{1} << 20);
  EXPECT_LT(output.size(), 30000u);
  EXPECT_NE(test::h2::said(output).find("goaway ENHANCE_YOUR_CALM"), std::string::npos);
  EXPECT_TRUE(server.is_over());
}

TEST(Http2Session, R2EveryStreamOfALostConnectionHasItsError) {
  Both both;
  Stream asked = both.client.request(get("/"), "http", false);
  both.client.lose(std::make_exception_ptr(asyncio::ConnectionResetError(ECONNRESET, "gone")));
  EXPECT_TRUE(asked->closed());
  EXPECT_TRUE(holds<asyncio::ConnectionResetError>(asked->error()));
  EXPECT_FALSE(both.client.is_over());
}

}  // namespace
