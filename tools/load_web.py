# SPDX-License-Identifier: BSL-1.0
"""The clients of tools/load for web services: idle, slow, good, and those that see the end."""
import asyncio
import multiprocessing
import socket
import statistics
import time

GET = b"GET / HTTP/1.1\r\nHost: load\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: load\r\n\r\n"


def connect(port, number=0):
    """From one of nineteen addresses: one pair has 28,000 ports."""
    return socket.create_connection(("127.0.0.1", port), 30, (f"127.0.0.{2 + number % 19}", 0))


def read_answer(sock):
    """A whole answer, or what there is of it at the end of the connection."""
    answer = b""
    while True:
        head, found, body = answer.partition(b"\r\n\r\n")
        if found:
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(body) >= length:
                return answer
        got = sock.recv(65536)
        if not got:
            return answer
        answer += got


def ask(sock, request=GET):
    sock.sendall(request)
    return read_answer(sock)


def hold(port, count):
    """Connections that have had an answer each."""
    held = [connect(port, i) for i in range(count)]
    for sock in held:
        if not ask(sock).endswith(b"hello"):
            raise RuntimeError("no answer")
    return held


def outcomes_of_the_end(port, busy, idle, stop):
    """Asks, calls stop(), and counts what becomes of the clients: (answered, said so, closed)."""
    idlers = hold(port, idle)
    workers = [connect(port, i) for i in range(busy)]
    for number, sock in enumerate(workers):
        sock.sendall(b"GET /slow/%d HTTP/1.1\r\nHost: load\r\n\r\n" % (300 + number))
    time.sleep(0.15)
    stop()
    answers = [read_answer(sock) for sock in workers]
    answered = sum(answer.endswith(b"\r\n\r\nslow") for answer in answers)
    said_so = sum(b"Connection: close\r\n" in answer for answer in answers)
    closed = 0
    for sock in idlers + workers:
        try:
            closed += sock.recv(100) == b""
        except ConnectionResetError:
            pass
        sock.close()
    return answered, said_so, closed


def _good(port, seconds, clients, results):
    held = [connect(port, i) for i in range(clients)]
    latencies, errors, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for sock in held:
            begin = time.monotonic()
            errors += not ask(sock).endswith(b"hello")
            latencies.append(time.monotonic() - begin)
        time.sleep(0.5)
    results.put((errors, max(latencies), statistics.quantiles(latencies, n=100)[98]))


def good_clients(port, seconds, clients=100):
    """A process with clients that ask twice a second: gives (errors, worst, 99 %) at its end."""
    results = multiprocessing.Queue()
    process = multiprocessing.Process(target=_good, args=(port, seconds, clients, results))
    process.start()

    def result():
        told = results.get()
        process.join()
        return told
    return result


def read_large(port):
    with connect(port) as sock:
        ask(sock, LARGE)


def slow_readers(port, count):
    """Clients that ask for what is large and read nothing: (sockets, when the first was there)."""
    held, first = [], time.monotonic()
    for number in range(count):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind((f"127.0.0.{2 + number % 19}", 0))
        sock.connect(("127.0.0.1", port))
        sock.sendall(LARGE)
        held.append(sock)
    return held, first


async def _slow(port, number, begin_with, pace, drip, ended):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, local_addr=(f"127.0.0.{2 + number % 19}", 0), limit=1024)
    writer.write(begin_with)
    began = time.monotonic()

    async def drips():
        while True:
            await asyncio.sleep(pace)
            writer.write(drip)
    task = asyncio.create_task(drips())
    try:
        while await reader.read(1024):
            pass
    except ConnectionResetError:
        pass
    ended.append(time.monotonic() - began)
    task.cancel()
    writer.close()


async def _slow_all(port, kinds, count, pace, measure, limit):
    ended, tasks = [], []
    for number in range(count):
        begin_with, drip = kinds[number % len(kinds)]
        tasks.append(asyncio.create_task(_slow(port, number, begin_with, pace, drip, ended)))
        if number % 50 == 49:
            await asyncio.sleep(0.01)
    await asyncio.sleep(limit / 2)
    measure()
    await asyncio.wait(tasks, timeout=2 * limit)
    left = sum(not task.done() for task in tasks)
    return ended, left


def slow_clients(port, count, pace, measure, limit):
    """So many that send a head, and a fifth as many that send a body, byte by byte. Calls measure()
    when all are there; gives how long each was connected, and how many still are."""
    head = (b"GET / HTTP/1.1\r\nX: ", b"x")
    body = (b"POST /upload HTTP/1.1\r\nHost: load\r\nContent-Length: 100000\r\n\r\n", b"x")
    return asyncio.run(_slow_all(port, 5 * [head] + [body], count * 6 // 5, pace, measure, limit))
