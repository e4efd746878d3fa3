# SPDX-License-Identifier: BSL-1.0
"""Random programs: the same for the same seed.

What they leave out, because asyncio leaves it open or it cannot be compared:

- Tasks that wait for each other in a circle, which this library refuses and CPython hangs on: a
  body waits only for tasks whose bodies have higher numbers.
- The order in which a set is gone through: as_completed is given at most one task that is done
  (reference.py and actor.cpp see to that), and a TaskGroup in reference.py keeps its tasks in
  order.
- `return` in a finally part, and exceptions that replace a return: C++ has no such thing.
- Texts that differ by design: those of TimeoutError, InvalidStateError and the queue's errors.
- Exceptions that nobody asked for: this library reports some that CPython lets go (D3), so that it
  has to report at least what CPython does.
"""

from program import Random, Statement

THEMES = ("locks", "semaphores", "events", "conditions", "queues", "barriers", "futures",
          "timeouts", "wait_for", "groups", "gather", "shield", "wait", "completed", "callbacks",
          "counts", "eager")

MAX_DEPTH = 3


class Place:
    """Where a statement is to stand."""

    def __init__(self, body, depth=0, awaits=True, handles=False, lasts=False):
        self.body = body
        self.depth = depth
        self.awaits = awaits    # not inside a callback
        self.handles = handles  # inside an except part
        self.lasts = lasts      # inside a finally part

    def inside(self, **changes):
        place = Place(self.body, self.depth + 1, self.awaits, self.handles, self.lasts)
        for name, value in changes.items():
            setattr(place, name, value)
        return place


class Generator:
    def __init__(self, seed):
        self.random = Random(seed)
        self.names = {}
        self.themes = {self.random.pick(THEMES) for _ in range(2 + self.random.below(6))}
        self.objects = []
        self.make_objects()
        self.bodies = 2 + self.random.below(6)
        self.tasks = {self.name("T"): 1 + self.random.below(self.bodies - 1)
                      for _ in range(2 + self.random.below(6))}
        self.gathers = {}  # the lowest body that each of them waits for
        self.groups = {}   # the body that each of them belongs to
        self.timeouts = []
        self.timers = []
        self.lines = []    # the blocks of the bodies that come after those numbered above
        self.producers = self.choose_producers()

    def name(self, letter):
        self.names[letter] = self.names.get(letter, 0) + 1
        return f"{letter}{self.names[letter]}"

    def make_objects(self):
        random = self.random

        def some(theme, letter, most, make):
            names = []
            if theme in self.themes:
                for _ in range(1 + random.below(most)):
                    names.append(self.name(letter))
                    self.objects.append(make(names[-1]))
            return names

        self.locks = some("locks", "L", 2, lambda name: Statement("lock", name))
        self.semaphores = some("semaphores", "S", 2, lambda name: Statement(
            random.pick(("semaphore", "semaphore", "bounded")), name, random.below(3)))
        self.events = some("events", "E", 2, lambda name: Statement("event", name))
        self.conditions = some("conditions", "C", 2, lambda name: Statement(
            "condition", name, *(self.locks[:1] if random.one_in(2) else [])))
        self.queues = some("queues", "Q", 2, lambda name: Statement(
            "queue", name, random.pick(("fifo", "fifo", "lifo", "priority")), random.below(3)))
        self.barriers = some("barriers", "B", 1, lambda name: Statement(
            "barrier", name, 1 + random.below(3)))
        self.futures = some("futures", "F", 3, lambda name: Statement("future", name))

    # What there is to write ---------------------------------------------------------------------

    def choose_producers(self):
        """Weights and methods; each gives statements, or None where it makes no sense."""
        every = [(10, self.sleep), (6, self.spawn), (8, self.wait_for_handle), (7, self.cancel),
                 (2, self.state), (2, self.run), (6, self.attempt), (2, self.fail_here),
                 (1, self.leave), (2, self.repeat)]
        themes = {
            "locks": [(3, self.contest), (6, self.hold), (5, self.with_lock), (1, self.release)],
            "semaphores": [(4, self.race), (3, self.contest), (6, self.hold), (5, self.with_lock),
                           (2, self.release)],
            "events": [(2, self.race), (7, self.wait_event), (4, self.set_event),
                       (2, self.clear_event)],
            "conditions": [(3, self.contest), (8, self.wait_condition), (7, self.notify), (1, self.bare_condition)],
            "queues": [(5, self.race), (4, self.contest), (8, self.get), (8, self.put),
                       (3, self.nowait), (2, self.task_done), (2, self.join), (1, self.shut_down),
                       (1, self.size)],
            "barriers": [(9, self.meet), (2, self.break_barrier)],
            "futures": [(5, self.settle)],
            "timeouts": [(8, self.timeout), (2, self.reschedule), (1, self.expired)],
            "wait_for": [(9, self.wait_for)],
            "groups": [(8, self.group), (4, self.group_spawn)],
            "gather": [(8, self.gather)],
            "shield": [(8, self.shield)],
            "wait": [(7, self.wait)],
            "completed": [(7, self.completed)],
            "callbacks": [(5, self.callback), (6, self.schedule), (2, self.cancel_timer)],
            "counts": [(3, self.cancel_self), (3, self.uncancel), (2, self.cancelling)],
            "eager": [(5, self.spawn_eager)],
        }
        # In the order of THEMES: that of a set differs from run to run.
        return every + [pair for theme in THEMES if theme in self.themes for pair in themes[theme]]

    def statements(self, place, count):
        block = []
        while count > 0:
            made = self.random.weighted(self.producers)(place)
            count -= 1
            if made:
                block += made
        return block

    def nested(self, place, **changes):
        return self.statements(place.inside(**changes), 1 + self.random.below(3))

    def make(self):
        bodies = []
        for body in range(self.bodies):
            place = Place(body)
            block = self.statements(place, 3 + self.random.below(6))
            if body == 0:
                block = [made for _ in range(1 + self.random.below(3))
                         for made in self.spawn(place)] + block
            bodies.append(Statement("body", body, sections=[([], block)]))
        bodies += [Statement("body", self.bodies + number, sections=[([], block)])
                   for number, block in enumerate(self.lines)]
        return self.objects + bodies

    # Words ----------------------------------------------------------------------------------------

    def delay(self):
        return self.random.pick((0, 0, 1, 1, 1, 2, 2, 3))

    def limit(self):
        return self.random.pick((0, 1, 1, 1, 2, 2, 3, "none"))

    def fresh(self, letter):
        self.names[letter] = self.names.get(letter, 0) + 1
        return f"{letter}{self.names[letter]:03}"

    def message(self):
        return [self.fresh("m")] if self.random.one_in(2) else []

    def tasks_above(self, body):
        return [name for name, other in self.tasks.items() if other > body]

    def body_above(self, body):
        return None if body + 1 >= self.bodies else body + 1 + self.random.below(
            self.bodies - body - 1)

    def waitable(self, place):
        """Handles that this body may wait for."""
        return (self.tasks_above(place.body) + self.futures +
                [name for name, lowest in self.gathers.items() if lowest > place.body])

    def handles(self):
        return ["T0"] + list(self.tasks) + self.futures + list(self.gathers)

    def some_of(self, names, most=3):
        chosen = []
        for _ in range(1 + self.random.below(most)):
            name = self.random.pick(names)
            if name not in chosen:
                chosen.append(name)
        return chosen

    # Tasks ----------------------------------------------------------------------------------------

    def sleep(self, place):
        return [Statement("sleep", self.delay())] if place.awaits else None

    def spawn(self, place, op="spawn"):
        names = self.tasks_above(place.body)
        if not names:
            return []
        name = self.random.pick(names)
        return [Statement(op, name, self.tasks[name])]

    def spawn_eager(self, place):
        return self.spawn(place, "spawn_eager")

    def wait_for_handle(self, place):
        names = self.waitable(place)
        return [Statement("await", self.random.pick(names))] if names and place.awaits else None

    def cancel(self, place):
        return [Statement("cancel", self.random.pick(self.handles()), *self.message())]

    def cancel_self(self, place):
        return [Statement("cancel_self", *self.message())] if place.awaits else None

    def uncancel(self, place):
        return [Statement("uncancel")] if place.awaits else None

    def cancelling(self, place):
        return [Statement("cancelling", self.random.pick(list(self.tasks)))]

    def state(self, place):
        return [Statement("state", self.random.pick(self.handles()))]

    def run(self, place):
        body = self.body_above(place.body)
        return [Statement("run", body)] if body and place.awaits else None

    def fail_here(self, place):
        if place.handles and self.random.one_in(2):
            return [Statement("reraise")]
        if place.awaits and self.random.one_in(6):
            return [Statement("raise_cancelled", *self.message())]
        return [Statement("raise", self.fresh("e"))]

    def leave(self, place):
        return [Statement("return", self.fresh("v"))] if place.awaits and not place.lasts else None

    # Blocks ---------------------------------------------------------------------------------------

    def attempt(self, place):
        if not place.awaits or place.depth >= MAX_DEPTH:
            return None
        sections = [([], self.nested(place))]
        kind = self.random.weighted([(3, "cancelled"), (3, "error"), (2, "all"), (2, None)])
        if kind:
            handler = self.nested(place, handles=True)
            if self.random.one_in(2):
                handler.append(Statement("reraise"))
            sections.append((["except", kind], handler))
        if not kind or self.random.one_in(3):
            sections.append((["finally"], self.nested(place, handles=False, lasts=True)))
        return [Statement("try", sections=sections)]

    def repeat(self, place):
        if not place.awaits or place.depth >= MAX_DEPTH:
            return None
        return [Statement("repeat", 2 + self.random.below(2), sections=[([], self.nested(place))])]

    def timeout(self, place):
        if not place.awaits or place.depth >= MAX_DEPTH:
            return None
        name = self.name("X")
        self.timeouts.append(name)
        return [Statement("timeout", name, self.limit(), sections=[([], self.nested(place))])]

    def reschedule(self, place):
        if not self.timeouts:
            return None
        return [Statement("reschedule", self.random.pick(self.timeouts), self.limit())]

    def expired(self, place):
        return [Statement("expired", self.random.pick(self.timeouts))] if self.timeouts else None

    def group(self, place):
        if not place.awaits or place.depth >= MAX_DEPTH:
            return None
        name = self.name("G")
        self.groups[name] = place.body
        block = [made for _ in range(1 + self.random.below(3))
                 for made in self.group_spawn(place, name) or []]
        return [Statement("group", name, sections=[([], block + self.nested(place))])]

    def group_spawn(self, place, group=None):
        if not self.groups:
            return None
        group = group or self.random.pick(list(self.groups))
        names = self.tasks_above(max(self.groups[group], place.body))
        if not names:
            return None
        name = self.random.pick(names)
        return [Statement("group_spawn", group, name, self.tasks[name])]

    # Combinators ----------------------------------------------------------------------------------

    def wait_for(self, place):
        if not place.awaits:
            return None
        body = self.body_above(place.body)
        names = self.waitable(place)
        if body and self.random.one_in(2):
            return [Statement("wait_for_body", self.limit(), body)]
        return [Statement("wait_for", self.limit(), self.random.pick(names))] if names else None

    def keep(self, op, mode, members, lowest, place):
        """A future under a name, and most often an await of it."""
        name = self.name("A")
        made = [Statement(op, name, *mode, *members)]
        self.gathers[name] = lowest
        if place.awaits and lowest > place.body and not self.random.one_in(4):
            made.append(Statement("await", name))
        return made

    def lowest(self, members):
        def of(name):
            return self.tasks.get(name, self.gathers.get(name, self.bodies))
        return min(of(name) for name in members)

    def gather(self, place):
        mode = [self.random.pick(("plain", "plain", "catch"))]
        body = self.body_above(place.body)
        if body and self.random.one_in(3):
            bodies = [self.body_above(place.body) for _ in range(1 + self.random.below(3))]
            return self.keep("gather_bodies", mode, bodies, min(bodies), place)
        names = self.waitable(place)
        if not names:
            return None
        members = self.some_of(names)
        return self.keep("gather", mode, members, self.lowest(members), place)

    def shield(self, place):
        body = self.body_above(place.body)
        names = self.waitable(place)
        if body and place.awaits and self.random.one_in(3):
            return [Statement("shield_body", body)]
        if not names:
            return None
        name = self.random.pick(names)
        if place.awaits and self.random.one_in(2):
            return [Statement("shield", name)]
        return self.keep("shield_as", [], [name], self.lowest([name]), place)

    def wait(self, place):
        names = self.waitable(place)
        if not names or not place.awaits:
            return None
        mode = self.random.pick(("all_completed", "first_completed", "first_exception"))
        return [Statement("wait", mode, self.limit(), *self.some_of(names))]

    def completed(self, place):
        names = self.tasks_above(place.body) + self.futures
        if not names or not place.awaits:
            return None
        op = self.random.pick(("completed", "completed_results"))
        return [Statement(op, self.limit(), *self.some_of(names))]

    # Callbacks ------------------------------------------------------------------------------------

    def callback(self, place):
        op = self.random.pick(("callback", "callback", "callback", "uncallback"))
        return [Statement(op, self.random.pick(self.handles()), self.random.below(3))]

    def schedule(self, place):
        if place.depth >= MAX_DEPTH:
            return None
        name = self.name("H")
        self.timers.append(name)
        block = self.nested(place, awaits=False, handles=False)
        if self.random.one_in(2):
            return [Statement("soon", name, sections=[([], block)])]
        return [Statement("later", name, self.delay(), sections=[([], block)])]

    def cancel_timer(self, place):
        if not self.timers:
            return None
        return [Statement("cancel_handle", self.random.pick(self.timers))]

    def settle(self, place):
        name = self.random.pick(self.futures)
        if self.random.one_in(3):
            return [Statement("fail", name, self.fresh("e"))]
        return [Statement("set", name, self.fresh("v"))]

    def race(self, place):
        """Wakes a task, and cancels one in the same step: with luck the very one."""
        wakers = ([Statement("put_nowait", name, self.fresh("v")) for name in self.queues] +
                  [Statement("release", name) for name in self.semaphores] +
                  [Statement("set_event", name) for name in self.events])
        return [self.random.pick(wakers),
                Statement("cancel", self.random.pick(list(self.tasks)), *self.message())]

    def contest(self, place):
        """Tasks stand in line for one thing; one of them is cancelled in the step that gives it."""
        if not place.awaits:
            return None
        before, wait, give = self.random.pick(self.prizes())()
        body = self.bodies + len(self.lines)
        self.lines.append(wait)
        line = [self.name("T") for _ in range(2 + self.random.below(2))]
        self.tasks.update((name, body) for name in line)
        last = [give, Statement("cancel", self.random.pick(line), *self.message())]
        if self.random.one_in(3):
            last.reverse()
        pause = Statement("sleep", self.random.below(2))
        return before + [Statement("spawn", name, body) for name in line] + [pause] + last

    def prizes(self):
        """For each object ways to make: statements before the contest, what those in line do, and
        what gives one of them what it waits for."""
        def guarded(name):
            release = Statement("release", name)
            return lambda: ([Statement("acquire", name)], [Statement("acquire", name), release],
                            release)

        def item(name):
            return lambda: ([], [Statement("get", name)],
                            Statement("put_nowait", name, self.fresh("v")))

        def room(name):
            return lambda: ([Statement("put", name, self.fresh("v"))],
                            [Statement("put", name, self.fresh("v"))],
                            Statement("get_nowait", name))

        def notification(name):
            def block(statement):
                return [Statement("with", name, sections=[([], [statement])])]
            return lambda: ([], block(Statement("wait_condition", name)),
                            block(Statement("notify", name, 1))[0])

        return ([guarded(name) for name in self.locks + self.semaphores] +
                [way(name) for name in self.queues for way in (item, item, room)] +
                [notification(name) for name in self.conditions])

    # Primitives -----------------------------------------------------------------------------------

    def lockable(self):
        return self.locks + self.semaphores + self.conditions

    def hold(self, place):
        if not place.awaits:
            return self.release(place)
        name = self.random.pick(self.locks + self.semaphores)
        held = self.nested(place) if place.depth < MAX_DEPTH else []
        released = [] if self.random.one_in(5) else [Statement("release", name)]
        return [Statement("acquire", name)] + held + released

    def release(self, place):
        return [Statement("release", self.random.pick(self.locks + self.semaphores))]

    def with_lock(self, place):
        if not place.awaits or place.depth >= MAX_DEPTH:
            return None
        name = self.random.pick(self.lockable())
        return [Statement("with", name, sections=[([], self.nested(place))])]

    def wait_event(self, place):
        return [Statement("wait_event", self.random.pick(self.events))] if place.awaits else None

    def set_event(self, place):
        return [Statement("set_event", self.random.pick(self.events))]

    def clear_event(self, place):
        return [Statement("clear_event", self.random.pick(self.events))]

    def wait_condition(self, place):
        if not place.awaits:
            return None
        name = self.random.pick(self.conditions)
        wait = Statement("wait_condition", name)
        if self.random.one_in(3):
            wait = Statement("wait_until", name, "V1", 1 + self.random.below(3))
        more = self.nested(place) if place.depth < MAX_DEPTH and self.random.one_in(3) else []
        return [Statement("with", name, sections=[([], [wait] + more)])]

    def notify(self, place):
        name = self.random.pick(self.conditions)
        notify = Statement("notify", name, self.random.pick((1, 1, 2, "all")))
        if not place.awaits:
            return [notify]
        block = [Statement("add", "V1", 1), notify]
        return [Statement("with", name, sections=[([], block)])]

    def bare_condition(self, place):
        name = self.random.pick(self.conditions)
        if place.awaits and self.random.one_in(2):
            return [Statement("wait_condition", name)]
        return [Statement("notify", name, 1)]

    def get(self, place):
        return [Statement("get", self.random.pick(self.queues))] if place.awaits else None

    def put(self, place):
        if not place.awaits:
            return self.nowait(place)
        return [Statement("put", self.random.pick(self.queues), self.fresh("v"))]

    def nowait(self, place):
        name = self.random.pick(self.queues)
        if self.random.one_in(2):
            return [Statement("get_nowait", name)]
        return [Statement("put_nowait", name, self.fresh("v"))]

    def task_done(self, place):
        return [Statement("task_done", self.random.pick(self.queues))]

    def join(self, place):
        return [Statement("join", self.random.pick(self.queues))] if place.awaits else None

    def shut_down(self, place):
        return [Statement("shutdown", self.random.pick(self.queues),
                          self.random.pick(("later", "now")))]

    def size(self, place):
        return [Statement("size", self.random.pick(self.queues))]

    def meet(self, place):
        return [Statement("meet", self.random.pick(self.barriers))] if place.awaits else None

    def break_barrier(self, place):
        if not place.awaits:
            return None
        return [Statement(self.random.pick(("abort", "reset")), self.random.pick(self.barriers))]


def generate(seed):
    """The statements of the program of this seed."""
    return Generator(seed).make()
