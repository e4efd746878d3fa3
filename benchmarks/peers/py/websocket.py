# SPDX-License-Identifier: BSL-1.0
"""M7w: a WebSocket echo with websockets; websocket.py PORT asyncio|uvloop"""
import asyncio, sys
import websockets

if sys.argv[2] == "uvloop":
    import uvloop

    uvloop.install()


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), compression=None, backlog=4096):
        await asyncio.Event().wait()


asyncio.run(main())
