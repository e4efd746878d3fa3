# SPDX-License-Identifier: BSL-1.0
"""aiohttp as server of our client."""
import asyncio

from aiohttp import web


async def echo(request):
    return web.Response(body=await request.read())


async def zipped(request):
    response = web.StreamResponse()
    response.enable_compression()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"plain words " * 100)
    await response.write_eof()
    return response


async def form(request):
    data = await request.post()
    said = [data["a"]]
    contents = []
    for file in data.getall("f"):
        contents.append(file.file.read())
        said.append(f"{file.filename}:{len(contents[-1])}")
    said.append("same" if len(set(contents)) == 1 else "not the same")
    said.append("counted" if "Content-Length" in request.headers else "chunked")
    return web.Response(text=";".join(said))


async def moved(request):
    response = web.HTTPFound("/echo")
    response.set_cookie("taste", "sweet")
    raise response


async def cookies(request):
    return web.json_response(dict(request.cookies))


async def ws(request):
    socket = web.WebSocketResponse(protocols=["chat"])
    await socket.prepare(request)
    async for message in socket:
        if message.data == "close":
            await socket.close(code=1012, message=b"restart")
        elif isinstance(message.data, str):
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)
    return socket


async def main():
    app = web.Application(client_max_size=2**24)
    app.add_routes([web.route("*", "/echo", echo), web.get("/zipped", zipped),
                    web.post("/form", form), web.get("/moved", moved),
                    web.get("/cookies", cookies), web.get("/ws", ws)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("port", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
