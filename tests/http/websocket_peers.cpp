// SPDX-License-Identifier: BSL-1.0
// Python's websockets as client of our server and server of our client (fault 168).
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "served.hpp"
#include "talk.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;
using http::WebSocket;
using http::WebSocketOptions;
using http::WSCloseCode;
using http::WSMessage;
using http::WSMsgType;
using test::kPython;
using test::Program;
using test::serve;
using test::Served;

namespace {

/// The terms that a websockets client offers or a server wants, beside none.
constexpr const char* kPreamble = R"(
import asyncio, sys, websockets
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory as Client, ServerPerMessageDeflateFactory as Server)

def terms(kind):
    yield None, []
    yield "deflate", []
    for keeps in True, False:
        yield None, [kind(server_no_context_takeover=not keeps,
                          client_no_context_takeover=keeps)]
    yield None, [kind(server_max_window_bits=9, client_max_window_bits=10)]

def messages():
    for size in 0, 1, 125, 126, 65535, 65536, 100_000:
        yield "\u00e9\u4f60\U0001f4a9"[size % 3] * size
        yield bytes(i * i % 251 for i in range(size))
)";

constexpr const char* kClient = R"(
async def main(uri):
    for compression, extensions in terms(Client):
        async with websockets.connect(uri, compression=compression, extensions=extensions,
                                      subprotocols=["other", "chat"]) as ws:
            assert ws.subprotocol == "chat"
            assert len(ws.extensions) == (1 if compression or extensions else 0)
            for message in messages():
                await ws.send(message)
                assert await ws.recv() == message
            await ws.send(["in ", "", "parts ", "of all " * 1000])
            assert await ws.recv() == "in parts " + "of all " * 1000
            await asyncio.wait_for(await ws.ping(b"asked"), 5)
            await ws.close(4000, "gone")
            assert ws.close_code == 4000
    async with websockets.connect(uri, subprotocols=["chat"]) as ws:
        await ws.send("close")
        try:
            await ws.recv()
        except websockets.ConnectionClosedError as error:
            assert error.rcvd.code == 1013 and error.rcvd.reason == "later"
    async with websockets.connect(uri, subprotocols=["chat"]) as ws:
        await ws.send("x" * (4 * 2**20 + 1))
        try:
            await ws.recv()
        except websockets.ConnectionClosedError as error:
            assert error.rcvd.code == 1009, error
    try:
        await websockets.connect(uri, origin="http://elsewhere")
    except websockets.InvalidStatusCode as error:
        assert error.status_code == 403
    print("all well", flush=True)

asyncio.run(main(sys.argv[1]))
)";

constexpr const char* kServer = R"(
async def talk(ws):
    async for message in ws:
        if message == "close":
            await ws.close(1012, "restart")
        elif message == "parts":
            await ws.send(["in ", "parts ", "of all " * 1000])
        elif message == "ping":
            await asyncio.wait_for(await ws.ping(b"asked"), 5)
            await ws.send("answered")
        else:
            await ws.send(message)

async def main():
    servers = []
    for compression, extensions in terms(Server):
        server = await websockets.serve(talk, "127.0.0.1", 0, compression=compression,
                                        extensions=extensions, subprotocols=["chat"])
        servers.append(server)
    print("ports", *(s.sockets[0].getsockname()[1] for s in servers), flush=True)
    await asyncio.Future()

asyncio.run(main())
)";

class WebSocketPeers : public test::BackendTest {
 protected:
  void SetUp() override {
    BackendTest::SetUp();
    if (!IsSkipped()) test::lacks_python_module("websockets");
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, WebSocketPeers, test::real_backends, test::backend_name);

TEST_P(WebSocketPeers, fault168_python_websockets_talks_to_our_server) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/ws", test::talk);
    Served served = co_await serve(std::move(app));
    std::string url = "ws://127.0.0.1:" + std::to_string(served.port()) + "/ws";
    Program client({kPython, "-c", std::string(kPreamble) + kClient, url});
    std::string said = co_await test::output_until(client, "all well|Error");
    EXPECT_EQ(said, "all well\n");
    co_await served.cleanup();
  });
}

/// Everything once.
Coro<> talk_to(http::URL url, WebSocketOptions options, bool compressed) {
  http::ClientSession session;
  WebSocket ws = co_await session.ws_connect(url, options);
  EXPECT_EQ(ws.protocol(), "chat");
  EXPECT_EQ(ws.compressed(), compressed);
  for (std::size_t size : {0, 1, 125, 126, 65535, 65536, 100'000, 5, 100'000}) {
    const std::string text(size, 'x');
    co_await ws.send_str(text);
    std::string same = co_await ws.receive_str();
    EXPECT_TRUE(same == text);
    const std::string bytes = test::pattern(size);
    co_await ws.send_bytes(bytes);
    same = co_await ws.receive_bytes();
    EXPECT_TRUE(same == bytes);
  }
  co_await ws.send_str("parts");
  std::string whole = co_await ws.receive_str();
  EXPECT_TRUE(whole.starts_with("in parts of all ")) << whole.substr(0, 40);
  EXPECT_EQ(whole.size(), 9u + 7000u);
  co_await ws.send_str("ping");
  std::string answered = co_await ws.receive_str();
  EXPECT_EQ(answered, "answered");
  co_await ws.send_str("close");
  WSMessage end = co_await ws.receive();
  EXPECT_EQ(end.type, WSMsgType::Close);
  EXPECT_EQ(end.close_code, WSCloseCode::ServiceRestart);
  EXPECT_EQ(end.data, "restart");
  WebSocket again = co_await session.ws_connect(url, options);
  co_await again.close(static_cast<WSCloseCode>(4000), "gone");
  EXPECT_EQ(static_cast<int>(*again.close_code()), 4000);
  session.close();
}

TEST_P(WebSocketPeers, fault168_our_client_talks_to_python_websockets) {
  run([]() -> Coro<> {
    Program server({kPython, "-c", std::string(kPreamble) + kServer});
    std::string ports = co_await test::output_until(server, "ports( [0-9]+){5}\n");
    std::istringstream words(ports.substr(ports.find(' ')));
    std::uint16_t port = 0;
    for (int i = 0; words >> port; ++i) {
      http::URL url("ws://127.0.0.1:" + std::to_string(port) + "/");
      WebSocketOptions options, small;
      options.protocols("chat");
      small.protocols("chat").context_takeover(false).window_bits(10);
      co_await talk_to(url, options, i > 0);

      co_await talk_to(url, small, i > 0);
    }
  });
}

}  // namespace
