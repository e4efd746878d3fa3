# SPDX-License-Identifier: BSL-1.0
"""M8 with aiohttp; client_aiohttp.py URL N C asyncio|uvloop"""
import asyncio, json, sys, time
import aiohttp

url, n, c = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if sys.argv[4] == "uvloop":
    import uvloop

    uvloop.install()


async def go(s, n):
    left = iter(range(n))
    total = 0

    async def worker():
        nonlocal total
        for _ in left:
            async with s.get(url) as r:
                total += len(await r.read())

    await asyncio.gather(*(worker() for _ in range(c)))
    return total


async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=c)) as s:
        await go(s, n // 10)
        w, p = time.perf_counter(), time.process_time()
        t = await go(s, n)
        w, p = time.perf_counter() - w, time.process_time() - p
    assert t == n * 1024
    print(json.dumps({"w": "M8", "n": n, "wall": w, "cpu": p}))


asyncio.run(main())
