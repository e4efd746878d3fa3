# SPDX-License-Identifier: BSL-1.0
"""aiohttp as client of our server: URL, and the authority that it trusts if that is https."""
import asyncio
import ssl
import sys

import aiohttp


async def ask(session, large):
    async with session.get("/") as response:
        assert (response.status, await response.text()) == (200, "hello")
    async with session.head("/") as response:
        assert response.headers["Content-Length"] == "5" and await response.read() == b""
    async with session.get("/none") as response:
        assert response.status == 404
    async with session.get("/moved") as response:
        assert response.url.path == "/" and len(response.history) == 1
    async with session.get("/stream") as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert await response.read() == b"01234"
    async with session.post("/echo", json={"a": [1, 2]}) as response:
        assert await response.json(content_type=None) == {"a": [1, 2]}
    async with session.put("/echo", data=large) as response:
        assert await response.read() == large
    async with session.post("/echo", data=large, expect100=True) as response:
        assert await response.read() == large
    async with session.post("/echo", data=b"x" * 100_000, compress=True) as response:
        assert await response.read() == b"x" * 100_000

    async def parts():
        for at in range(0, len(large), 70_000):
            yield large[at:at + 70_000]

    async with session.post("/echo", data=parts()) as response:
        assert await response.read() == large
    form = aiohttp.FormData({"a": "x y&z"}, quote_fields=False)  # as browsers do
    form.add_field("f", large, filename="\u00e9 1.bin", content_type="application/x-test")
    async with session.post("/form", data=form) as response:
        said = await response.text()
        assert said == f"a=x y&z;f:\u00e9 1.bin:{len(large)};", said
    async with session.get("/cookie") as response:
        assert response.cookies["taste"].value == "sweet"
    async with session.get("/") as response:
        assert response.request_info.headers["Cookie"] == "taste=sweet"


async def talk(session, compress):
    async with session.ws_connect("/ws", protocols=["other", "chat"], compress=compress) as ws:
        assert ws.protocol == "chat" and bool(ws.compress) == bool(compress)
        for size in 0, 1, 125, 126, 65535, 65536, 300_000:
            await ws.send_str("\u00e9" * size)
            assert await ws.receive_str() == "\u00e9" * size
            data = bytes(i * i % 251 for i in range(size))
            await ws.send_bytes(data)
            assert await ws.receive_bytes() == data
        await ws.send_str("close")
        message = await ws.receive()
        assert (message.type, message.data, message.extra) == (
            aiohttp.WSMsgType.CLOSE, 1013, "later"), message
    async with session.ws_connect("/ws", autoping=False) as ws:
        await ws.ping(b"asked")
        message = await ws.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"asked"), message
        assert await ws.close(code=4000, message=b"gone")


async def main(url, authority=None):
    context = ssl.create_default_context(cafile=authority) if authority else None
    connector = aiohttp.TCPConnector(ssl=context)
    jar = aiohttp.CookieJar(unsafe=True)  # of an address, not a name
    async with aiohttp.ClientSession(url, connector=connector, cookie_jar=jar) as session:
        large = bytes(i * 7919 % 256 for i in range(500_000))
        await asyncio.gather(*(ask(session, large) for _ in range(3)))
        for compress in 0, 15, 9:
            await talk(session, compress)
    print("all well", flush=True)


asyncio.run(main(*sys.argv[1:]))
