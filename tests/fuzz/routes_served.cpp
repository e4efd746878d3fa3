// SPDX-License-Identifier: BSL-1.0
// Files of a folder and sessions, asked for at a whole server.
#include "asyncio/http/cookies.hpp"
#include "asyncio/http/percent.hpp"
#include "asyncio/testing/simulated.hpp"
#include "asyncio/web/session.hpp"
#include "asyncio/web/static_files.hpp"
#include "folder.hpp"
#include "raw_client.hpp"
#include "routes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace fuzz {

using namespace asyncio;

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 22> kOfNames{
    "/",      "..",         "%2e%2e", ".",     "%2F",  "//",        "sub", "a.txt",
    "in",     "out",        "up",     "../",   "%00",  "-more",     "%5c", "site",
    "b.html", "index.html", "%252e",  "?a=..", "deep", "secret.txt"};

/// A folder that is served, and others beside it: a file says whether it may be had.
class Site {
 public:
  Site() {
    fs::create_directories(folder_.file("site/sub/deep"));
    fs::create_directories(folder_.file("site-more"));
    for (const char* name : {"site/a.txt", "site/index.html", "site/sub/b.html",
                             "site/sub/index.html", "site/..a", "site/sub/site"})
      folder_.write(name, std::string("inside ") + name);
    for (const char* name : {"secret.txt", "site-more/secret.txt", "a.txt"})
      folder_.write(name, "outside");
    fs::create_symlink("sub/b.html", folder_.file("site/in"));
    fs::create_symlink("../secret.txt", folder_.file("site/out"));
    fs::create_directory_symlink("..", folder_.file("site/up"));
    root_ = fs::canonical(folder_.file("site")).string() + "/";
  }

  const std::string& root() const noexcept { return root_; }
  /// Of the file or folder below the root that a name leads to; empty if there is none.
  std::string place_of(const std::string& name) const {
    std::error_code error;
    const std::string place = fs::canonical(root_ + name, error).string();
    return error || !place.starts_with(root_) ? std::string() : place;
  }

 private:
  test::Folder folder_;
  std::string root_;
};

bool leads_up(const std::string& name) {
  return ("/" + name + "/").find("/../") != std::string::npos;
}

/// What has to be answered: "200 " and the file, "301" to the name with a '/', or "404".
std::string expected_answer(const Site& site, std::string name, bool with_index) {
  if (leads_up(name) || name.find('\0') != std::string::npos) return "404";
  if (with_index && (name.empty() || name.ends_with('/'))) name += "index.html";
  const std::string place = site.place_of(name);
  if (place.empty()) return "404";
  if (fs::is_directory(place)) return with_index ? "301" : "404";
  return "200 inside site/" + place.substr(site.root().size());
}

Coro<std::string> answer_of(std::string root, bool with_index, std::string target) {
  web::StaticFiles files(root);
  if (with_index) files.index("index.html");
  web::Application app;
  app.get(with_index ? "/{name...}" : "/static/{name...}", files);
  test::Served served = co_await test::serve(std::move(app));
  std::string request = test::get(target, "Connection: close\r\n");
  std::string answer = co_await test::exchange(served.port(), request);
  co_await served.cleanup();
  co_return answer;
}

/// As expected_answer has it; "400" for what no server reads.
std::string in_short(const std::string& answer) {
  const std::string status = answer.substr(std::string_view("HTTP/1.1 ").size(), 3);
  return status == "200" ? status + " " + answer.substr(answer.find("\r\n\r\n") + 4) : status;
}

Coro<web::Response> keep(web::Request& request) {
  web::PostData form = co_await request.post();
  for (const auto& [name, value] : form) web::get_session(request).set(name, value);
  co_return web::Response("kept");
}

Coro<web::Response> tell(web::Request& request) {
  co_return web::Response("told " + http::urlencode(web::get_session(request).values()));
}

Coro<web::Response> forget(web::Request& request) {
  web::get_session(request).invalidate();
  co_return web::Response("forgotten");
}

web::Application visitors() {
  web::Application app;
  app.add_middleware(web::session_middleware(web::memory_sessions()));
  app.post("/keep", keep);
  app.get("/tell", tell);
  app.get("/forget", forget);
  return app;
}

/// What a client that says this cookie is told; "-" if its request is refused.
Coro<std::string> told_to(std::uint16_t port, std::string path, std::string cookie) {
  std::string request = test::get(path, "Connection: close\r\nCookie: " + cookie + "\r\n");
  std::string answer = co_await test::exchange(port, request);
  std::size_t told = answer.find("\r\n\r\ntold ");
  co_return told == std::string::npos ? std::string("-") : answer.substr(told + 9);
}

/// The name of a new session with what a form says; empty if it says nothing.
Coro<std::string> new_session(std::uint16_t port, std::string form) {
  std::string fields = "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n";
  fields += "Content-Length: " + std::to_string(form.size()) + "\r\n";
  std::string request = test::post("/keep", fields, form);
  std::string answer = co_await test::exchange(port, request);
  const std::string_view field = "\r\nSet-Cookie: session=";
  std::size_t at = answer.find(field);
  if (at == std::string::npos) co_return std::string();
  at += field.size();
  co_return answer.substr(at, answer.find_first_of(";\r", at) - at);
}

/// What is left, without the ends of lines: behind them it would be another field.
std::string rest_of_line(Choices& choices) {
  std::string text = choices.rest();
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  return text;
}

/// A cookie that is nearly the one of the session, or any other.
std::string some_cookie(Choices& choices, const std::string& identity) {
  std::string cookie = "session=" + identity;
  switch (choices.below(5)) {
    case 0:
      return rest_of_line(choices);
    case 1:
      cookie[8 + choices.byte() % identity.size()] ^= static_cast<char>(choices.byte());
      return cookie;
    case 2:
      return cookie.substr(0, 8 + choices.byte() % identity.size());
    case 3:
      return cookie + rest_of_line(choices);
    default:
      return rest_of_line(choices) + "; " + cookie;
  }
}

Coro<> visit(Choices& choices, std::string form, std::string values) {
  test::Served served = co_await test::serve(visitors());
  std::string identity = co_await new_session(served.port(), form);
  check(identity.empty() == values.empty(), "a session without values, or values without one");
  if (!identity.empty()) {
    std::string own = co_await told_to(served.port(), "/tell", "session=" + identity);
    check(own == values, "a session that is kept has other values");
    std::string cookie = some_cookie(choices, identity);
    const bool is_own = http::parse_cookies(cookie).get("session", "") == identity;
    std::string told = co_await told_to(served.port(), "/tell", cookie);
    check(told == "-" || told == (is_own ? values : ""), "somebody else's session");
    co_await told_to(served.port(), "/forget", "session=" + identity);
    std::string old = co_await told_to(served.port(), "/tell", "session=" + identity);
    check(old.empty(), "a session that has ended is there");
  }
  co_await served.cleanup();
}

}  // namespace

void ask_for_files(Choices& choices) {
  static const Site site;
  const bool with_index = choices.one_in(2);
  std::string name;
  while (choices.any() && name.size() < 200)
    name += choices.one_in(8) ? choices.text(choices.byte() % 8u)
                              : std::string(some_of(choices, kOfNames));
  // They would end the target, or the request's first line.
  std::erase_if(name, [](char c) { return c == ' ' || c == '\r' || c == '\n'; });
  const std::string target = (with_index ? "/" : "/static/") + name;
  const std::string answer =
      asyncio::testing::run_simulated(answer_of(site.root(), with_index, target));
  check(answer.find("outside") == std::string::npos, "a file outside of the folder is sent");
  const std::size_t moved = answer.find("\r\nLocation: ");
  check(moved == std::string::npos || answer.substr(moved + 12, 2) != "//",
        "a redirection to another server");
  const std::string told = in_short(answer);
  if (told == "400") return;
  const std::string decoded = http::unquote(name.substr(0, name.find('?')));
  check(told == expected_answer(site, decoded, with_index), "another file, or another status");
}

void visit_again(Choices& choices) {
  const std::string form = choices.text(choices.byte());
  web::Session model;
  for (const auto& [name, value] : http::parse_qsl(form)) model.set(name, value);
  asyncio::testing::run_simulated(visit(choices, form, http::urlencode(model.values())));
}

}  // namespace fuzz
