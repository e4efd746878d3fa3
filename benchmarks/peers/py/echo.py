# SPDX-License-Identifier: BSL-1.0
"""echo.py PORT asyncio|uvloop streams|protocol"""
import asyncio, socket, sys

port, loopkind, api = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if loopkind == "uvloop":
    import uvloop

    uvloop.install()


async def handle(r, w):
    w.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            d = await r.read(65536)
            if not d:
                break
            w.write(d)
            await w.drain()
    except ConnectionError:
        pass
    w.close()


class Echo(asyncio.BufferedProtocol):
    room = memoryview(bytearray(65536))  # one for all: write() has sent or copied it

    def connection_made(self, t):
        self.t = t

    def get_buffer(self, sizehint):
        return self.room

    def buffer_updated(self, n):
        self.t.write(bytes(self.room[:n]))


async def main():
    if api == "streams":
        s = await asyncio.start_server(handle, "127.0.0.1", port, backlog=4096)
    else:
        s = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port, backlog=4096)
    await s.serve_forever()


asyncio.run(main())
