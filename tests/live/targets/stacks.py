# SPDX-License-Identifier: MIT
"""stacks: threads whose stacks are made by chance and then stand still, and
threads that call and return all the time; and what the interpreter itself
says of them."""
import ctypes
import functools
import random
import subprocess
import sys
import threading
import time

THREADS = 8
CHAIN = 40

gates = []
arrived = threading.Semaphore(0)


def block():
    gate = threading.Lock()
    gate.acquire()
    gates.append(gate)
    arrived.release()
    gate.acquire()


class Steps:
    """Ways of calling the next step, each another kind of frame."""

    def plain(self, plan):
        return go(plan)

    def several_lines(self, plan):
        return go(
            plan[:1] +
            plan[1:]
        )

    def generator(self, plan):
        def items():
            yield 1
            yield go(plan)
        return list(items())

    def comprehension(self, plan):
        return [go(plan) for _ in range(1)]

    def through_c(self, plan):
        return sorted([1], key=lambda _: go(plan) or 0)

    def reduced(self, plan):
        return functools.reduce(lambda a, b: go(plan), [1, 2])

    def coroutine(self, plan):
        async def waits():
            return go(plan)
        try:
            waits().send(None)
        except StopIteration:
            pass

    def in_finally(self, plan):
        try:
            raise KeyError(1)
        except KeyError:
            pass
        finally:
            go(plan)

    @staticmethod
    def text(plan):
        exec("def made(plan):\n\n    return go(plan)\nmade(plan)",
             {"go": go, "plan": plan, "__name__": "made"})

    def wide(self, plan, é="ü"):
        x = "€", go(plan)
        return x


KINDS = sorted(name for name in vars(Steps) if not name.startswith("_"))
steps = Steps()


def go(plan):
    if not plan:
        return block()
    return getattr(steps, plan[0])(plan[1:])


def arrange(seed):
    """Lets all go, and makes new stacks."""
    chance = random.Random(seed)
    while gates:
        gates.pop().release()
    for thread in held:
        thread.join()
    held[:] = [threading.Thread(target=go, name="held-%d" % i, daemon=True,
                                args=(chance.choices(
                                    KINDS, k=chance.randrange(12)),))
               for i in range(THREADS)]
    for thread in held:
        thread.start()
    for thread in held:
        arrived.acquire()
    # The semaphore is released a little before each blocks.
    for thread in held:
        while not waits(thread):
            time.sleep(0.0005)


def waits(thread):
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code is block.__code__ and \
        frame.f_lineno == block.__code__.co_firstlineno + 5


held = []


def place(frame):
    """function, file, line, column, end line, end column of a frame."""
    code = frame.f_code
    name = getattr(code, "co_qualname", code.co_name)
    line, column, end_line, end_column = frame.f_lineno, 0, frame.f_lineno, 0
    if hasattr(code, "co_positions"):
        line, end_line, column, end_column = list(
            code.co_positions())[frame.f_lasti // 2]
        # None where the compiler knows no column.
        column, end_column = (0 if at is None else at + 1
                              for at in (column, end_column))
    return ("%s:%s" % (frame.f_globals["__name__"], name), code.co_filename,
            line, column, end_line, end_column)


def truth():
    """{name: [frame]} of the held threads, outermost first."""
    current = sys._current_frames()
    told = {}
    for thread in held:
        frames = []
        frame = current[thread.ident]
        while frame:
            frames.append(place(frame))
            frame = frame.f_back
        told[thread.name] = frames[::-1]
    return told


def sink(depth):
    """That many frames, the last of which waits."""
    return sink(depth - 1) if depth > 1 else block()


def deep(threads, frames):
    """Threads whose stacks have that many frames, all told."""
    base = 4    # _bootstrap, _bootstrap_inner, run, block
    for i in range(threads):
        threading.Thread(target=sink, args=(frames - base,), daemon=True,
                         name="deep-%d" % i).start()
        arrived.acquire()


gap = [0]


def spin():
    """Looks at the clock all the time; what lies between two looks is time in
    which the thread did not run."""
    last = time.perf_counter_ns()
    while True:
        now = time.perf_counter_ns()
        if now - last > gap[0]:
            gap[0] = now - last
        last = now


def watch_gaps():
    sys.setswitchinterval(1e-6)
    threading.Thread(target=spin, name="watch", daemon=True).start()


def longest_gap():
    """Nanoseconds, since this was asked the last time."""
    longest, gap[0] = gap[0], 0
    return longest


# ---- never still ------------------------------------------------------------

def make_chain():
    """f39 calls f38 ... calls f0, each from another line."""
    source = ["def f0(n):\n    return n\n\n\n"]
    for i in range(1, CHAIN):
        source.append("def f%d(n):\n    n += 1\n    n = f%d(n)\n    return n\n"
                      % (i, i - 1))
    space = {"__name__": "chain"}
    exec(compile("".join(source), "<chain>", "exec"), space)
    return space["f%d" % (CHAIN - 1)]


def run_chain(top):
    while True:
        top(0)


def run(count):
    for i in range(count):
        threading.Thread(target=run_chain, args=(make_chain(),),
                         name="run-%d" % i, daemon=True).start()


# ---- single cases -------------------------------------------------------------

class Point:
    def __init__(self):
        self.x = 1


def values():
    cell = 7
    small, big, text, nothing = -5, 10 ** 30, "é€😀\0.", None
    number, yes, raw = 3.25, True, b"ab\0c"
    items, pair, names, odd = [1, [2, [3]]], (1, "x"), {"k": 1}, {"$x": 2}
    many, long, some, point = list(range(500)), "x" * 1000, {1}, Point()
    password, settings = "PLANTED", {"api_key": "PLANTED", "token": None}

    def inner():
        return cell
    block()


def hides():
    """What redaction is asked about."""
    password, plain, point = "PLANTED", "shown", Point()
    header = "Bearer 0123456789abcdefghijABCDEFGHIJ"
    raw, card, number = header.encode(), 4111111111111111, 7
    table = {header: 1}
    block()
    return password, plain, point, header, raw, card, number, table


def child():
    """A Python process below this one."""
    started = subprocess.Popen([sys.executable, "-c",
                                "import time; time.sleep(600)"])
    children.append(started)
    return started.pid


children = []


def end_children():
    for started in children:
        started.kill()
        started.wait()


def runtime():
    """Where the interpreter's own state is."""
    return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi,
                                                 "_PyRuntime"))
