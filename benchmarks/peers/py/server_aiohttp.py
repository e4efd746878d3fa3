# SPDX-License-Identifier: BSL-1.0
"""aiohttp: "Hello, World!" at /, 1 KiB of JSON at /json; server_aiohttp.py PORT asyncio|uvloop"""
import asyncio, sys
from aiohttp import web

if sys.argv[2] == "uvloop":
    import uvloop

    uvloop.install()


async def hello(request):
    return web.Response(body=b"Hello, World!", content_type="text/plain")


JSON = ('{"message":"' + "x" * 1010 + '"}').encode()


async def json(request):
    return web.Response(body=JSON, content_type="application/json")


async def main():
    app = web.Application()
    app.router.add_get("/", hello)
    app.router.add_get("/json", json)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=4096).start()
    await asyncio.Event().wait()


asyncio.run(main())
