# SPDX-License-Identifier: BSL-1.0
"""M7w: a WebSocket echo with aiohttp; websocket_aiohttp.py PORT asyncio|uvloop"""
import asyncio, sys
from aiohttp import WSMsgType, web

if sys.argv[2] == "uvloop":
    import uvloop

    uvloop.install()


async def echo(request):
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        if message.type == WSMsgType.TEXT:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
    return ws


async def main():
    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]), backlog=4096).start()
    await asyncio.Event().wait()


asyncio.run(main())
