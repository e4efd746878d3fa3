// SPDX-License-Identifier: BSL-1.0
// llhttp's own cases for a whole server: what the parser makes of a case (llhttp_cases.cpp compares
// that with the case) is what handlers get and how they are answered, whole and byte by byte.
#include "asyncio/testing/simulated.hpp"
#include "asyncio/web/application.hpp"
#include "captures.hpp"
#include "http_transcript.hpp"
#include "llhttp_cases.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace test;
using asyncio::Coro;
using asyncio::testing::run_simulated;
namespace web = asyncio::web;

namespace {

/// What came of the requests of a connection.
class Course {
 public:
  /// The start, the fields, the body and the end of each request; no end of one that was refused.
  std::string handled;
  std::vector<std::string> methods;  // of those that are answered
  std::vector<int> statuses;
  bool closed = false;  // at once, not when the connection has been idle for long
};

std::string end_text(std::string_view body) {
  return (body.empty() ? "" : "body " + std::string(body) + "\n") + "end\n";
}

/// A tunnel would follow a success, which has no body.
int answer_to(const http::RequestHead& head) { return head.method == "CONNECT" ? 403 : 200; }

/// What has to come of these bytes and an open connection behind them.
Course expected_of(std::string_view input) {
  Course course;
  RequestParser parser;
  std::string body;
  try {
    for (;;) {
      const auto parsed = parser.parse(input);
      input.remove_prefix(parsed.consumed);
      body += parsed.body;
      if (parsed.event == Event::need_more) break;
      if (parsed.event == Event::head) {
        course.handled += head_text(parser.head());
        course.methods.emplace_back(parser.head().method.str());
      }
      if (parsed.event != Event::end) continue;
      course.handled += end_text(std::exchange(body, {}));
      course.statuses.push_back(answer_to(parser.head()));
      course.closed = !parser.head().keep_alive;
      if (course.closed) return course;
    }
    if (parser.in_message()) course.statuses.push_back(408);
  } catch (const http::BadRequest& refused) {
    course.statuses.push_back(refused.status().code());
    course.closed = true;
  }
  return course;
}

/// An application that notes what its handlers get. It routes nothing: a case may ask for "*".
class Witness {
 public:
  web::Application application() {
    web::Application app;
    app.add_middleware([this](web::Request& request, const web::Handler&) -> Coro<web::Response> {
      course.handled += head_text(request.head());
      course.methods.emplace_back(request.method().str());
      std::string body = co_await request.read();
      course.handled += end_text(body);
      web::Response response{http::Status(answer_to(request.head()))};
      response.text("ok");
      co_return response;
    });
    return app;
  }

  Course course;
};

/// The statuses of the answers, each of which is whole, and which are all that was said.
std::vector<int> statuses_of(std::string_view answers, const std::vector<std::string>& methods) {
  std::vector<int> statuses;
  ResponseParser parser;
  while (!answers.empty()) {
    // What is refused without a whole head has no method.
    const std::size_t index = statuses.size();
    parser.expect(http::Method(index < methods.size() ? methods[index] : "GET"), false);
    for (Event event = Event::head; event != Event::end;) {
      const auto parsed = parser.parse(answers);
      answers.remove_prefix(parsed.consumed);
      event = parsed.event;
      if (event == Event::head && !parser.head().status.is_informational())
        statuses.push_back(parser.head().status.code());
      if (event == Event::need_more) {
        ADD_FAILURE() << "the last answer is not whole";
        return statuses;
      }
    }
  }
  return statuses;
}

Coro<> expect_course(std::string input, std::size_t piece) {
  const Course expected = expected_of(input);
  Witness witness;
  Served served = co_await serve(witness.application());
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < input.size(); at += std::min(piece, input.size() - at))
    pieces.push_back(input.substr(at, piece));
  const asyncio::TimePoint began = asyncio::get_running_loop().time();
  const std::string answers = co_await exchange(served.port(), std::move(pieces));
  const bool closed = asyncio::get_running_loop().time() - began < 10s;
  EXPECT_EQ(witness.course.handled, expected.handled) << input;
  EXPECT_EQ(statuses_of(answers, expected.methods), expected.statuses) << input << "\n" << answers;
  EXPECT_EQ(closed, expected.closed) << input;
  co_await served.cleanup();
}

/// How many there are.
int expect_courses(std::size_t piece) {
  LogCapture log;
  int count = 0;
  for (const Case& one : all_cases()) {
    if (!one.is_request()) continue;
    SCOPED_TRACE(one.name);
    run_simulated(expect_course, one.input, piece);
    run_simulated(expect_course, with_hosts(one, Expected(one).hosts), piece);
    ++count;
  }
  EXPECT_EQ(log.count("Error handling request"), 0) << log.all();
  return count;
}

TEST(LlhttpCases, a_whole_server_makes_of_them_what_the_parser_does) {
  EXPECT_GE(expect_courses(std::string::npos), 150);
}

TEST(LlhttpCases, fault75_a_whole_server_byte_by_byte) { EXPECT_GE(expect_courses(1), 150); }

}  // namespace
