# SPDX-License-Identifier: BSL-1.0
"""asyncio (argv[1]=asyncio) or asyncio on uvloop (argv[1]=uvloop): workloads M1-M5, M9, M10."""
import asyncio, json, os, sys, threading, time

if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
W = sys.argv[2]
DEFAULT = {"M1d": 1000000, "M2a": 1000000, "M4b": 100000, "M4y": 100000, "M10b": 20000, "M5": 100000, "M9": 100000}
N = int(sys.argv[3]) if len(sys.argv) > 3 else DEFAULT.get(W, 1000000)
extra = {}


class Span:
    def __enter__(self):
        self.w, self.c = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *a):
        self.w, self.c = time.perf_counter() - self.w, time.process_time() - self.c


def rss():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


def rng(seed=88172645463325252):
    m = (1 << 64) - 1
    while True:
        seed ^= seed >> 12
        seed ^= (seed << 25) & m
        seed ^= seed >> 27
        yield (seed * 2685821657736338717) & m


async def trivial(i):
    return i


async def yield_once(i=0):
    await asyncio.sleep(0)
    return i


async def m1d(n):
    with Span() as s:
        for i in range(n):
            await trivial(i)
    return s


async def m1s(n):
    ct = asyncio.create_task
    with Span() as s:
        for i in range(n):
            await ct(trivial(i))
    return s


async def m1b(n):
    ct = asyncio.create_task
    with Span() as s:
        v = [ct(trivial(i)) for i in range(n)]
        for t in v:
            await t
    return s


async def m1m(n):
    ev = asyncio.Event()
    r0, t0 = rss(), time.perf_counter()
    v = [asyncio.create_task(ev.wait()) for _ in range(n)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    extra["spawn_wall"] = time.perf_counter() - t0
    extra["bytes"] = (rss() - r0) / n
    with Span() as s:
        ev.set()
        for t in v:
            await t
    return s


async def m2a(n):
    loop = asyncio.get_running_loop()
    fut = loop.create_future()

    def cb(k):
        if k:
            loop.call_soon(cb, k - 1)
        else:
            fut.set_result(None)

    with Span() as s:
        loop.call_soon(cb, n - 1)
        await fut
    return s


async def m2b(n):
    loop = asyncio.get_running_loop()
    fut = loop.create_future()
    left = [n]

    def cb():
        left[0] -= 1
        if not left[0]:
            fut.set_result(None)

    with Span() as s:
        for _ in range(n):
            loop.call_soon(cb)
        await fut
    return s


async def m3(n):
    a, b = asyncio.Queue(1), asyncio.Queue(1)

    async def ponger():
        for _ in range(n):
            await b.put(await a.get() + 1)

    t = asyncio.create_task(ponger())
    with Span() as s:
        v = 0
        for _ in range(n):
            await a.put(v)
            v = await b.get()
    assert v == n
    await t
    return s


async def m4a(n):
    g = rng()
    with Span() as s:
        v = [asyncio.create_task(asyncio.sleep(next(g) % 100000 * 1e-6)) for _ in range(n)]
        for t in v:
            await t
    return s


async def m4b(n):
    with Span() as s:
        for i in range(n):
            await asyncio.wait_for(trivial(i), 10)
    return s


async def m4y(n):
    with Span() as s:
        for i in range(n):
            await asyncio.wait_for(yield_once(i), 10)
    return s


async def m4c(n):
    loop = asyncio.get_running_loop()
    g = rng()
    f = lambda: None
    bg = [loop.call_later(30 + next(g) % 60000000 * 1e-6, f) for _ in range(10000)]
    with Span() as s:
        for i in range(n):
            loop.call_later(10 + next(g) % 60000000 * 1e-6, f).cancel()
            if i & 1023 == 1023:
                await asyncio.sleep(0)
    for h in bg:
        h.cancel()
    return s


async def m5(n):
    extra["rounds"] = 2
    with Span() as s:
        for _ in range(2):
            await asyncio.gather(*(yield_once() for _ in range(n)))
    return s


async def m9(n):
    async def leaf():
        await asyncio.sleep(3600)

    async def mid():
        await leaf()

    async def outer():
        await mid()

    v = [asyncio.create_task(outer()) for _ in range(n)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with Span() as s:
        for t in v:
            t.cancel()
        await asyncio.wait(v)
    assert all(t.cancelled() for t in v)
    return s


async def m10a(n):
    loop = asyncio.get_running_loop()
    fut = loop.create_future()
    left = [n]

    def cb():
        left[0] -= 1
        if not left[0]:
            fut.set_result(None)

    def other():
        os.sched_setaffinity(threading.get_native_id(), {1})
        for _ in range(n):
            loop.call_soon_threadsafe(cb)

    with Span() as s:
        th = threading.Thread(target=other)
        th.start()
        await fut
    th.join()
    return s


async def m10b(n):
    loop = asyncio.get_running_loop()
    fut = loop.create_future()

    def other():
        os.sched_setaffinity(threading.get_native_id(), {1})
        lat = []
        lk = threading.Lock()
        lk.acquire()
        for _ in range(n):
            t = time.perf_counter()
            loop.call_soon_threadsafe(lk.release)
            lk.acquire()
            lat.append(time.perf_counter() - t)
        loop.call_soon_threadsafe(fut.set_result, lat)

    with Span() as s:
        th = threading.Thread(target=other)
        th.start()
        lat = await fut
    th.join()
    lat.sort()
    extra["p50"], extra["p99"] = lat[n // 2], lat[n * 99 // 100]
    return s


f = globals()[W.lower()]
if W not in ("M1m", "M4a", "M9") and "BENCH_NOWARM" not in os.environ:
    asyncio.run(f(max(N // 10, 1)))
s = asyncio.run(f(N))
print(json.dumps({"w": W, "n": N, "wall": s.w, "cpu": s.c, **extra}), flush=True)
if W == "M1m" or W == "M4a":
    os._exit(0)
