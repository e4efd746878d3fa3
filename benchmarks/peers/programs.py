# SPDX-License-Identifier: BSL-1.0
"""Who takes part in which workload, and how each is started."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent

# Operations of a run; slow programs do fewer, since every figure is for one operation.
LOOP_WORKLOADS = {
    "M1d": 10_000_000, "M1s": 3_000_000, "M1b": 1_000_000, "M1m": 1_000_000, "M2a": 10_000_000, "M2b": 1_000_000,
    "M3": 3_000_000, "M4a": 1_000_000, "M4b": 3_000_000, "M4y": 3_000_000, "M4c": 3_000_000, "M5": 100_000,
    "M9": 100_000, "M10a": 1_000_000, "M10b": 50_000,
}
SLOW = {"asyncio": 5, "uvloop": 5, "node": 5}
SLOWER = {"M1s": 3, "M3": 3, "M4b": 15, "M4y": 15, "M4c": 3}  # a wait_for of theirs takes 5 to 10 µs
SLOW_ASIO = {"M4b": 15, "M4y": 15}


def operations(workload, name):
    """How many of a workload a program does in a run."""
    fewer = SLOWER.get(workload, 1) if name in SLOW else 1
    if name.startswith("asio"):
        fewer = SLOW_ASIO.get(workload, 1)
    return LOOP_WORKLOADS[workload] // (fewer * SLOW.get(name, 1))


TITLES = {
    "M1d": "await a plain coroutine", "M1s": "create a task and await it", "M1b": "create N tasks, await all",
    "M1m": "bytes of a live task", "M2a": "a chain of call_soon", "M2b": "N call_soon at once",
    "M3": "ping-pong through two queues of one", "M4a": "N sleeps of up to 100 ms",
    "M4b": "wait_for, done at once", "M4y": "wait_for, one suspension", "M4c": "call_later and cancel",
    "M5": "gather of N that yield once", "M9": "cancel a task three frames deep",
    "M10a": "N callbacks from another thread", "M10b": "a round trip from another thread, p50",
    "M10b mean": "a round trip from another thread, mean", "M10b p99": "a round trip from another thread, p99",
    "M6m": "bytes of an idle TCP connection that was answered",
    "M7": "HTTP \"Hello, World!\", 64 connections", "M7j": "HTTP 1 KiB of JSON, 64 connections",
    "M7w": "WebSocket echo, 64 B, 64 connections", "M7m": "bytes of an idle keep-alive connection", "M8": "HTTP client, 100 requests at once",
}

# Who lacks what: libuv has no tasks, Go and tokio no call_soon, an async call of Node is its task, and
# its threads cannot be put on cores of their own, as M10 has them.
KNOWS = {
    "libuv": "M2a M4a M4c M10a M10b",
    "tokio": "M1s M1b M1m M2a M2b M3 M4a M4b M4y M4c M5 M9 M10a M10b",
    "go": "M1s M1b M1m M2a M3 M4a M4b M4y M4c M5 M9 M10a M10b",
    "node": "M1d M1b M1m M2a M2b M3 M4a M4b M4y M4c M5 M9",
}

PYTHON = "/usr/bin/python3"  # Debian's, which has uvloop and aiohttp


def programs(rivals, ours):
    """By kind (loop, echo, http, client) and name: the command, with {port}, {url}, {n} where they go."""
    found = {kind: {} for kind in ("loop", "echo", "http", "websocket", "client")}
    for name, build in ours.items():
        bin_ = f"{build}/benchmarks"
        found["loop"][name] = [f"{bin_}/asyncio_peer_loop"]
        for backend, before in (("", []), (" io_uring", ["env", "ASYNCIO_BACKEND=io_uring"])):
            for style in ("streams", "bytes", "protocol", "sock"):
                echo = [f"{bin_}/net/echo_asyncio", style, "tcp", "{port}"]
                found["echo"][f"{name} {style}{backend}"] = [*before, *echo]
            found["http"][name + backend] = [*before, f"{bin_}/asyncio_peer_http", "{port}"]
            found["websocket"][name + backend] = [*before, f"{bin_}/asyncio_peer_websocket", "{port}"]
            found["client"][name + backend] = [*before, f"{bin_}/asyncio_peer_client", "{url}", "{n}", "100"]
    found["loop"] |= {
        "asio": [f"{rivals}/asio-gcc"], "asio-clang": [f"{rivals}/asio-clang"], "libuv": [f"{rivals}/uv"],
        "tokio": [f"{rivals}/cargo/release/bench"], "go": [f"{rivals}/go-bench"],
        "node": ["node", f"{HERE}/node/bench.js"],
        "asyncio": [PYTHON, f"{HERE}/py/bench.py", "asyncio"], "uvloop": [PYTHON, f"{HERE}/py/bench.py", "uvloop"],
    }
    found["echo"] |= {
        "epoll": [f"{rivals}/echo-epoll", "{port}"], "libuv": [f"{rivals}/echo-uv", "{port}"],
        "asio": [f"{rivals}/asio-echo", "{port}", "co"], "asio concrete": [f"{rivals}/asio-echo", "{port}", "concrete"],
        "asio callbacks": [f"{rivals}/asio-echo", "{port}", "cb"], "tokio": [f"{rivals}/cargo/release/echo", "{port}"],
        "go": [f"{rivals}/go-echo", "{port}"], "node": ["node", f"{HERE}/node/echo.js", "{port}"],
    }
    for loop in ("uvloop", "asyncio"):
        for style in ("protocol", "streams"):
            found["echo"][f"{loop} {style}"] = [PYTHON, f"{HERE}/py/echo.py", "{port}", loop, style]
    found["http"] |= {
        "libuv, fixed bytes": [f"{rivals}/http-uv", "{port}"], "nginx": ["nginx", "-p", "{dir}", "-c", "nginx.conf"],
        "beast": [f"{rivals}/asio-http", "{port}"], "hyper": [f"{rivals}/cargo/release/http", "{port}"],
        "go": [f"{rivals}/go-http", "{port}"], "node": ["node", f"{HERE}/node/http.js", "{port}"],
        "aiohttp, uvloop": [PYTHON, f"{HERE}/py/server_aiohttp.py", "{port}", "uvloop"],
        "aiohttp, asyncio": [PYTHON, f"{HERE}/py/server_aiohttp.py", "{port}", "asyncio"],
    }
    found["websocket"] |= {
        "beast": [f"{rivals}/asio-websocket", "{port}"],
        "ws": ["env", "NODE_PATH=/usr/share/nodejs", "node", f"{HERE}/node/websocket.js", "{port}"],
        "websockets, uvloop": [PYTHON, f"{HERE}/py/websocket.py", "{port}", "uvloop"],
        "aiohttp, uvloop": [PYTHON, f"{HERE}/py/websocket_aiohttp.py", "{port}", "uvloop"],
    }
    found["client"] |= {
        "libcurl": [f"{rivals}/client-curl", "{url}", "{n}", "100"],
        "beast": [f"{rivals}/asio-client", "{port}", "{n}", "100"],
        "hyper": [f"{rivals}/cargo/release/client", "{url}", "{n}", "100"],
        "go": [f"{rivals}/go-client", "{url}", "{n}", "100"],
        "node": ["node", f"{HERE}/node/client.js", "{url}", "{n}", "100", "http"],
        "aiohttp, uvloop": [PYTHON, f"{HERE}/py/client_aiohttp.py", "{url}", "{n}", "100", "uvloop"],
        "aiohttp, asyncio": [PYTHON, f"{HERE}/py/client_aiohttp.py", "{url}", "{n}", "100", "asyncio"],
    }
    return found
