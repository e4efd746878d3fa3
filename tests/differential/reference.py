# SPDX-License-Identifier: BSL-1.0
"""Runs a program on this Python's asyncio and notes every step. Needs Python 3.13.

Each method is what its statement does; actor.cpp, tasks.cpp, combinators.cpp and primitives.cpp have
the same in C++.
"""

import asyncio
import collections
import gc
import heapq
import itertools
import re

MAX_BODIES = 60       # further ones are refused: programs stay small
ROUNDS = 4            # how often the watchdog cancels what is left
ROUND_SECONDS = 1000  # longer than any program needs


class Timer(asyncio.TimerHandle):
    """Equal deadlines in the order of the calls, which CPython's heap does not keep."""

    __slots__ = ("order",)

    def __lt__(self, other):
        return (self._when, self.order) < (other._when, other.order)


class VirtualLoop(asyncio.BaseEventLoop):
    """A clock that jumps to the next deadline."""

    def __init__(self):
        super().__init__()
        self._selector = self
        self.now = 0
        self.orders = itertools.count()

    def time(self):
        return self.now

    def select(self, timeout):
        self.now += timeout or 0
        return []

    def _process_events(self, events):
        pass

    def call_at(self, when, callback, *args, context=None):
        timer = Timer(when, callback, args, self, context)
        timer.order = next(self.orders)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class Ordered(dict):
    """A set in the order of insertion."""

    def add(self, item):
        self[item] = True

    def discard(self, item):
        self.pop(item, None)


UNTOLD = (TimeoutError, asyncio.InvalidStateError, asyncio.QueueEmpty, asyncio.QueueFull,
          asyncio.QueueShutDown)


def describe(error):
    name = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return f"{name}({', '.join(map(describe, error.exceptions))})"
    if isinstance(error, UNTOLD):
        return name
    text = re.sub(" <[^>]*>", "", str(error))  # a TaskGroup with its state
    return f"{name} {text}" if text else name


def show(value):
    if isinstance(value, list):
        return f"[{', '.join(map(show, value))}]"
    return describe(value) if isinstance(value, BaseException) else str(value)


def seconds(word):
    return None if word == "none" else int(word)


class Noted:
    """A done callback that equals others of its number."""

    def __init__(self, world, name, number):
        self.world, self.name, self.number = world, name, number

    def __eq__(self, other):
        return isinstance(other, Noted) and self.number == other.number

    def __call__(self, future):
        self.world.note(f"callback{self.number}", 0, f"{self.name} {outcome_kind(future)}")


def outcome_kind(future):
    return "pending" if not future.done() else "cancelled" if future.cancelled() else "done"


class World:
    """The objects of a program, and what can be done with them without waiting."""

    def __init__(self, loop, program):
        self.loop = loop
        self.lines = []
        self.unretrieved = []
        self.objects = {}
        self.bodies = {}
        self.handles = {}
        self.groups = {}
        self.scopes = {}
        self.timers = {}
        self.variables = collections.Counter()
        self.begun = collections.Counter()
        self.tasks = {}  # each with the label of its first body
        for statement in program:
            getattr(self, "make_" + statement.op)(*statement.args, statement)

    def note(self, who, line, text):
        self.lines.append(f"{self.loop.time()} {who} {line} {text}")

    def on_exception(self, loop, context):
        error = context.get("exception")
        if context["message"].endswith("never retrieved"):
            self.unretrieved.append(describe(error))
        elif context["message"].startswith("Exception in callback"):
            self.note("loop", 0, f"reported {describe(error)}")
        # The rest: a shield whose error came too late, which 3.13 does not report, and tasks that
        # are destroyed at the end.

    # Objects

    def make_lock(self, name, statement):
        self.objects[name] = asyncio.Lock()

    def make_semaphore(self, name, value, statement):
        self.objects[name] = asyncio.Semaphore(int(value))

    def make_bounded(self, name, value, statement):
        self.objects[name] = asyncio.BoundedSemaphore(int(value))

    def make_event(self, name, statement):
        self.objects[name] = asyncio.Event()

    def make_condition(self, name, *rest):
        self.objects[name] = asyncio.Condition(*(self.objects[lock] for lock in rest[:-1]))

    def make_queue(self, name, kind, size, statement):
        kinds = {"fifo": asyncio.Queue, "lifo": asyncio.LifoQueue,
                 "priority": asyncio.PriorityQueue}
        self.objects[name] = kinds[kind](int(size))

    def make_barrier(self, name, parties, statement):
        self.objects[name] = asyncio.Barrier(int(parties))

    def make_future(self, name, statement):
        self.handles[name] = self.loop.create_future()

    def make_body(self, number, statement):
        self.bodies[number] = statement

    # Statements

    def perform(self, who, statement):
        try:
            text = getattr(self, "do_" + statement.op)(*statement.args, *statement.sections)
        except BaseException as error:
            self.note(who, statement.line, f"{statement.op} ! {describe(error)}")
            raise
        self.note(who, statement.line, f"{statement.op} = {text}")

    def present(self, names):
        return [self.handles[name] for name in names if name in self.handles]

    def do_spawn(self, name, body):
        self.handles[name] = asyncio.create_task(run_body(self, body), name=name)
        return name

    def do_spawn_eager(self, name, body):
        self.handles[name] = asyncio.Task(run_body(self, body), loop=self.loop, name=name,
                                          eager_start=True)
        return name

    def do_group_spawn(self, group, name, body):
        if group not in self.groups:
            return "absent"
        self.handles[name] = self.groups[group].create_task(run_body(self, body), name=name)
        return name

    def do_cancel(self, name, *message):
        if name not in self.handles:
            return "absent"
        return self.handles[name].cancel(*message)

    def do_cancel_self(self, *message):
        return asyncio.current_task().cancel(*message)

    def do_uncancel(self):
        return asyncio.current_task().uncancel()

    def do_cancelling(self, name):
        return self.handles[name].cancelling() if name in self.handles else "absent"

    def do_state(self, name):
        if name not in self.handles:
            return "absent"
        handle = self.handles[name]
        kind = outcome_kind(handle)
        if kind == "pending":
            return kind
        try:
            error = handle.exception()
            return f"failed {describe(error)}" if error else f"result {show(handle.result())}"
        except asyncio.CancelledError as error:
            return f"cancelled {describe(error)}"

    def do_raise(self, text):
        raise ValueError(text)

    def do_raise_cancelled(self, *message):
        raise asyncio.CancelledError(*message)

    def do_set(self, name, value):
        self.handles[name].set_result(value)

    def do_fail(self, name, text):
        self.handles[name].set_exception(ValueError(text))

    def do_callback(self, name, number):
        if name not in self.handles:
            return "absent"
        self.handles[name].add_done_callback(Noted(self, name, number))

    def do_uncallback(self, name, number):
        if name not in self.handles:
            return "absent"
        return self.handles[name].remove_done_callback(Noted(self, name, number))

    def do_soon(self, name, section):
        self.timers[name] = self.loop.call_soon(self.call, name, section[1])

    def do_later(self, name, delay, section):
        self.timers[name] = self.loop.call_later(int(delay), self.call, name, section[1])

    def call(self, name, block):
        for statement in block:
            self.perform(name, statement)

    def do_cancel_handle(self, name):
        if name not in self.timers:
            return "absent"
        self.timers[name].cancel()

    def do_gather(self, name, mode, *members):
        futures = self.present(members)
        if not futures:
            return "absent"
        self.handles[name] = asyncio.gather(*futures, return_exceptions=mode == "catch")

    def do_gather_bodies(self, name, mode, *bodies):
        self.handles[name] = asyncio.gather(*(run_body(self, body) for body in bodies),
                                            return_exceptions=mode == "catch")

    def do_shield_as(self, name, other):
        if other not in self.handles:
            return "absent"
        self.handles[name] = asyncio.shield(self.handles[other])

    def do_reschedule(self, name, limit):
        if name not in self.scopes:
            return "absent"
        limit = seconds(limit)
        self.scopes[name].reschedule(None if limit is None else self.loop.time() + limit)

    def do_expired(self, name):
        return self.scopes[name].expired() if name in self.scopes else "absent"

    def do_release(self, name):
        self.objects[name].release()

    def do_set_event(self, name):
        self.objects[name].set()

    def do_clear_event(self, name):
        self.objects[name].clear()

    def do_notify(self, name, count):
        if count == "all":
            self.objects[name].notify_all()
        else:
            self.objects[name].notify(int(count))

    def do_add(self, name, amount):
        self.variables[name] += int(amount)
        return self.variables[name]

    def do_get_nowait(self, name):
        return self.objects[name].get_nowait()

    def do_put_nowait(self, name, value):
        self.objects[name].put_nowait(value)

    def do_task_done(self, name):
        self.objects[name].task_done()

    def do_shutdown(self, name, when):
        self.objects[name].shutdown(when == "now")

    def do_size(self, name):
        return self.objects[name].qsize()


async def run_body(world, number):
    """A task, or a part of one."""
    if sum(world.begun.values()) >= MAX_BODIES:
        return "refused"
    world.begun[number] += 1
    actor = Actor(world, number)
    line = world.bodies[number].line
    world.note(actor.label, line, "begins")
    world.tasks.setdefault(asyncio.current_task(), actor.label)
    try:
        await actor.run(world.bodies[number].block)
    except BaseException as error:
        world.note(actor.label, line, f"ends ! {describe(error)}")
        raise
    world.note(actor.label, line, f"ends = {actor.value}")
    return actor.value


class Actor:
    """One run of a body: what has to be awaited."""

    def __init__(self, world, number):
        self.world = world
        self.label = f"{number}.{world.begun[number]}"
        self.value = "none"
        self.handled = []  # the exceptions whose handlers run

    def note(self, statement, text):
        self.world.note(self.label, statement.line, text)

    async def run(self, block):
        """Whether the body has returned."""
        for statement in block:
            if statement.op in BLOCKS:
                if await BLOCKS[statement.op](self, statement):
                    return True
            elif statement.op in WAITS:
                await self.wait(statement)
            elif statement.op == "return":
                self.value = statement.args[0]
                self.note(statement, "return")
                return True
            elif statement.op == "reraise":
                self.note(statement, "reraise")
                raise self.handled[-1]
            else:
                self.world.perform(self.label, statement)
        return False

    async def wait(self, statement):
        self.note(statement, f"{statement.op} ...")
        try:
            text = await WAITS[statement.op](self, *statement.args)
        except BaseException as error:
            self.note(statement, f"{statement.op} ! {describe(error)}")
            raise
        self.note(statement, f"{statement.op} = {text}")

    # Blocks

    async def block_try(self, statement):
        last = next((block for header, block in statement.sections if header == ["finally"]), [])
        try:
            try:
                return await self.run(statement.block)
            except BaseException as error:
                for header, block in statement.sections[1:]:
                    if header[0] == "except" and isinstance(error, CLAUSES[header[1]]):
                        self.handled.append(error)
                        try:
                            return await self.run(block)
                        finally:
                            self.handled.pop()
                raise
        finally:
            await self.run(last)

    async def block_repeat(self, statement):
        for _ in range(int(statement.args[0])):
            if await self.run(statement.block):
                return True
        return False

    async def leave(self, statement, manager, enter=lambda value: None):
        """Enters `manager`, runs the block, and notes how it leaves."""
        returned = False
        self.note(statement, f"{statement.op} ...")
        try:
            async with manager as value:
                enter(value)
                self.note(statement, f"{statement.op} entered")
                returned = await self.run(statement.block)
        except BaseException as error:
            self.note(statement, f"{statement.op} ! {describe(error)}")
            raise
        self.note(statement, f"{statement.op} left")
        return returned

    async def block_timeout(self, statement):
        scope = asyncio.timeout(seconds(statement.args[1]))
        self.world.scopes[statement.args[0]] = scope
        return await self.leave(statement, scope)

    async def block_group(self, statement):
        group = asyncio.TaskGroup()
        group._tasks = Ordered()

        def enter(_):
            self.world.groups[statement.args[0]] = group
        return await self.leave(statement, group, enter)

    async def block_with(self, statement):
        return await self.leave(statement, self.world.objects[statement.args[0]])

    # Waits

    async def sleep(self, delay):
        await asyncio.sleep(int(delay))

    async def run_inline(self, body):
        return await run_body(self.world, body)

    async def await_handle(self, name):
        if name not in self.world.handles:
            return "absent"
        handle = self.world.handles[name]
        return show(await handle)

    async def shield(self, name):
        if name not in self.world.handles:
            return "absent"
        return show(await asyncio.shield(self.world.handles[name]))

    async def shield_body(self, body):
        return await asyncio.shield(run_body(self.world, body))

    async def wait_for(self, limit, name):
        if name not in self.world.handles:
            return "absent"
        return show(await asyncio.wait_for(self.world.handles[name], seconds(limit)))

    async def wait_for_body(self, limit, body):
        return await asyncio.wait_for(run_body(self.world, body), seconds(limit))

    async def wait_some(self, mode, limit, *names):
        names = [name for name in names if name in self.world.handles]
        handles = [self.world.handles[name] for name in names]
        if not handles:
            return "absent"
        done, _ = await asyncio.wait(handles, timeout=seconds(limit),
                                     return_when=getattr(asyncio, mode.upper()))
        return " ".join(name for name, handle in zip(names, handles) if handle in done)

    def watched(self, names):
        """The names and handles for as_completed: at most one that is done."""
        watched = {}
        for name in names:
            handle = self.world.handles.get(name)
            if handle is None or handle in watched:
                continue
            if not handle.done() or not any(other.done() for other in watched):
                watched[handle] = name
        return watched

    async def completed(self, limit, *names):
        watched = self.watched(names)
        order = []
        async for handle in asyncio.as_completed(watched, timeout=seconds(limit)):
            order.append(f"{watched[handle]} {outcome_kind(handle)}")
            self.world.note(self.label, 0, order[-1])
        return ", ".join(order)

    async def completed_results(self, limit, *names):
        order = []
        for result in asyncio.as_completed(self.watched(names), timeout=seconds(limit)):
            order.append(show(await result))
            self.world.note(self.label, 0, order[-1])
        return ", ".join(order)

    async def acquire(self, name):
        return await self.world.objects[name].acquire()

    async def wait_on(self, name):
        return await self.world.objects[name].wait()

    async def wait_until(self, name, variable, least):
        variables = self.world.variables
        return await self.world.objects[name].wait_for(lambda: variables[variable] >= int(least))

    async def get(self, name):
        return await self.world.objects[name].get()

    async def put(self, name, value):
        await self.world.objects[name].put(value)

    async def join(self, name):
        await self.world.objects[name].join()

    async def abort(self, name):
        await self.world.objects[name].abort()

    async def reset(self, name):
        await self.world.objects[name].reset()


CLAUSES = {"cancelled": asyncio.CancelledError, "error": Exception,
           "all": (Exception, asyncio.CancelledError)}
BLOCKS = {"try": Actor.block_try, "repeat": Actor.block_repeat, "timeout": Actor.block_timeout,
          "group": Actor.block_group, "with": Actor.block_with}
WAITS = {"sleep": Actor.sleep, "run": Actor.run_inline, "await": Actor.await_handle,
         "shield": Actor.shield, "shield_body": Actor.shield_body, "wait_for": Actor.wait_for,
         "wait_for_body": Actor.wait_for_body, "wait": Actor.wait_some,
         "completed": Actor.completed, "completed_results": Actor.completed_results,
         "acquire": Actor.acquire, "wait_event": Actor.wait_on, "wait_condition": Actor.wait_on,
         "wait_until": Actor.wait_until, "get": Actor.get, "put": Actor.put, "join": Actor.join,
         "meet": Actor.wait_on, "abort": Actor.abort, "reset": Actor.reset}


def watch(world, round_number):
    """Cancels what is left; stops the loop when nothing is, or it is of no use."""
    pending = [(task, label) for task, label in world.tasks.items() if not task.done()]
    world.note("watchdog", round_number, " ".join(label for _, label in pending))
    if not pending or round_number == ROUNDS:
        world.loop.stop()
        return
    for task, _ in pending:
        task.cancel("watchdog")
    world.loop.call_later(ROUND_SECONDS, watch, world, round_number + 1)


def run(program):
    """The lines that a program leaves, and the errors that were never retrieved, sorted."""
    loop = VirtualLoop()
    try:
        world = World(loop, program)
        loop.set_exception_handler(world.on_exception)
        loop.call_later(ROUND_SECONDS, watch, world, 1)
        world.handles["T0"] = loop.create_task(run_body(world, "0"), name="T0")
        loop.run_forever()
        for name, handle in sorted(world.handles.items()):
            world.note(name, 0, outcome_kind(handle))
        lines = list(world.lines)
        finished = all(task.done() for task in world.tasks)
        for table in (world.handles, world.tasks, world.objects, world.groups, world.scopes,
                      world.timers):
            table.clear()
        gc.collect()
        return lines, sorted(world.unretrieved) if finished else []
    finally:
        loop.close()
