// SPDX-License-Identifier: BSL-1.0
// The pages of apps/webservice in a real browser: Chromium, which chromedriver does as told, over
// our own client.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/http/nlohmann_json.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "service_program.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

using namespace asyncio;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::WebSocket;
using nlohmann::json;
using test::Service;
using test::started;

namespace {

/// Headless, with a profile that is new and goes with it, and without what it asks of the network
/// by itself.
json capabilities() {
  json flags = {"--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync"};
  json options = {{"args", flags}, {"binary", "/usr/bin/chromium"}};
  json wanted = {{"browserName", "chrome"},
                 {"acceptInsecureCerts", true},
                 {"goog:chromeOptions", options},
                 {"timeouts", {{"script", 20'000}}}};
  return {{"capabilities", {{"alwaysMatch", wanted}}}};
}

/// Ends with `done(...)`; `until(f)` waits for f to give something.
constexpr const char* kPrelude = R"(
  const done = arguments[arguments.length - 1];
  const get = id => document.getElementById(id);
  const until = async f => {
    for (;;) {
      const found = f();
      if (found) return found;
      await new Promise(next => setTimeout(next, 5));
    }
  };
)";

/// https://www.w3.org/TR/webdriver2/
class Browser {
 public:
  static Coro<Browser> start() {
    auto driver = std::make_shared<test::Program>(driver_command());
    std::uint16_t port = co_await test::port_of(*driver, "on port ([0-9]+)\\.");
    http::SessionOptions options;
    options.base_url(http::URL("http://127.0.0.1:" + std::to_string(port)));
    Browser browser(std::move(driver), ClientSession(options));
    json answer = co_await browser.post("", capabilities());
    browser.path_ = "/" + answer.at("sessionId").get<std::string>();
    co_return browser;
  }

  Coro<> open(http::URL url) const {
    json where = {{"url", url.str()}};
    co_await post("/url", std::move(where));
  }
  /// What the script gives to done().
  Coro<std::string> run(std::string script) const {
    json order = {{"script", kPrelude + script}, {"args", json::array()}};
    json answer = co_await post("/execute/async", std::move(order));
    co_return answer.is_string() ? answer.get<std::string>() : answer.dump();
  }
  Coro<> quit() const {
    ClientResponse response = co_await session_.del("/session" + path_);
    EXPECT_EQ(response.status(), 200);
    session_.close();
  }

 private:
  Browser(std::shared_ptr<test::Program> driver, ClientSession session)
      : driver_(std::move(driver)), session_(std::move(session)) {}

  static std::vector<std::string> driver_command() { return {"chromedriver", "--port=0"}; }
  Coro<json> post(std::string path, json order) const {
    RequestOptions options;
    options.json(order);
    ClientResponse response = co_await session_.post("/session" + path_ + path, options);
    json answer = co_await response.json<json>();
    EXPECT_EQ(response.status(), 200) << answer.dump();
    co_return answer.at("value");
  }

  std::shared_ptr<test::Program> driver_;
  ClientSession session_;
  std::string path_;
};

/// However the test ends, the browser does.
template <class F>
void with_browser(std::vector<std::string> options, F body, http::SessionOptions session = {}) {
  if (test::lacks_program("chromedriver")) return;
  run([&]() -> Coro<> {
    Service service = co_await started(std::move(options), std::move(session));
    Browser browser = co_await Browser::start();
    auto outcome = co_await capture(body(service, browser));
    co_await browser.quit();
    outcome.value();
  });
}

Coro<> show_notes(Service& service, Browser& browser) {
  json note{{"text", "buy tea"}};
  co_await service.session().post("/api/notes", RequestOptions().json(note));
  co_await browser.open(service.url() / "static" / "api.html");
  std::string listed = co_await browser.run(
      "until(() => get('notes').children.length).then(() => done(get('notes').textContent));");
  EXPECT_EQ(listed, "buy tea");
  listed = co_await browser.run(R"(
    get('text').value = 'and <b>coffee</b>';
    get('add').click();
    until(() => get('notes').children.length > 1).then(() => done(get('notes').innerHTML));)");
  EXPECT_EQ(listed, "<li>buy tea</li><li>and &lt;b&gt;coffee&lt;/b&gt;</li>");
  std::string all = co_await service.text("/api/notes");
  EXPECT_NE(all.find("and <b>coffee</b>"), std::string::npos) << all;
}

TEST(WebServiceBrowser, S49_notes_are_listed_and_added) {
  with_browser({}, [](Service& service, Browser& browser) -> Coro<> {
    co_await show_notes(service, browser);
    int status = co_await service.stop();
    EXPECT_EQ(status, 0);
  });
}

/// What is said, for as long as the chat lasts. Who does not read answers no pings.
Coro<> listen(WebSocket ws, Queue<std::string>& said) {
  while (auto message = co_await ws.next()) {
    json letter = json::parse(message->data);
    if (letter.at("kind") != "said") continue;
    std::string name = letter.at("name");
    said.put_nowait(name + ": " + letter.value("text", ""));
  }
}

Coro<> chat(Service& service, Browser& browser) {
  WebSocket ada = co_await service.session().ws_connect("/chat?name=Ada");
  Queue<std::string> said;
  auto listening = create_task([&]() -> Coro<> { co_await listen(ada, said); });
  co_await browser.open(service.url() / "static" / "chat.html");
  std::string log = co_await browser.run(R"(
    get('name').value = 'Bob';
    get('join').requestSubmit();
    until(() => get('log').textContent).then(done);)");
  EXPECT_EQ(log, "* Bob joined\n");
  co_await ada.send_str("is it <i>you</i>?");
  log = co_await browser.run(R"(
    until(() => get('log').textContent.includes('Ada')).then(() => done(get('log').textContent));)");
  EXPECT_EQ(log, "* Bob joined\nAda: is it <i>you</i>?\n");
  std::string own = co_await said.get();
  EXPECT_EQ(own, "Ada: is it <i>you</i>?");
  // Six heartbeats, of which the browser answers each by itself.
  co_await browser.run("setTimeout(done, 600);");
  co_await browser.run("get('text').value = 'still me'; get('say').requestSubmit(); done();");
  std::string reply = co_await wait_for(said.get(), std::chrono::seconds(20));
  EXPECT_EQ(reply, "Bob: still me");
  int status = co_await service.stop();
  EXPECT_EQ(status, 0);
  log = co_await browser.run(R"(
    until(() => get('log').textContent.includes('closed')).then(() => done(get('log').textContent));)");
  co_await listening;
  EXPECT_NE(log.find("* the chat is closed (1001 the service is stopping)"), std::string::npos)
      << log;
}

TEST(WebServiceBrowser, S43_S44_a_chat_with_heartbeats) {
  with_browser({"--heartbeat", "0.1"}, [](Service& service, Browser& browser) -> Coro<> {
    co_await chat(service, browser);
  });
}

/// What the browser agreed upon for the page and for all that the page asked for.
Coro<std::string> protocols(const Browser& browser) {
  std::string all = co_await browser.run(R"(
    const entries = ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind));
    done([...new Set(entries.map(entry => entry.nextHopProtocol))].join());)");
  co_return all;
}

TEST(WebServiceBrowser, D13_over_https_its_pages_come_by_http2) {
  const test::Identity& ours = test::pki().localhost;
  with_browser(
      {"--heartbeat", "0.1", "--certificate", ours.certfile, "--key", ours.keyfile},
      [](Service& service, Browser& browser) -> Coro<> {
        EXPECT_EQ(service.url().scheme(), "https");
        co_await show_notes(service, browser);
        std::string spoken = co_await protocols(browser);
        EXPECT_EQ(spoken, "h2");
        co_await chat(service, browser);  // a WebSocket takes a connection of HTTP/1.1
      },
      http::SessionOptions().ssl(test::pki().client()));
}

}  // namespace
