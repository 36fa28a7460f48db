# SPDX-License-Identifier: MIT
"""Who runs a call: threads that C made, tasks, generators, greenlets, other
interpreters, code that is exec'ed or reloaded."""
import asyncio
import ctypes
import importlib
import os
import sys
import tempfile
import threading
import time


def step(number):
    return number + 1


# ---- threads ------------------------------------------------------------------
PR_SET_NAME = 15
LIBC = ctypes.CDLL(None)
START = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


def from_c(name, count):
    """Calls step() in a thread that C makes, which threading never sees."""
    def body(nothing):
        LIBC.prctl(PR_SET_NAME, ctypes.create_string_buffer(name.encode()),
                   0, 0, 0)
        for number in range(count):
            step(number)
        return None
    entry = START(body)
    thread = ctypes.c_ulong()
    failed = LIBC.pthread_create(ctypes.byref(thread), None, entry, None)
    if not failed:
        LIBC.pthread_join(thread, None)
    return failed


STOP = threading.Event()


def renames(names):
    """Gives its thread a name after the other until told to stop."""
    while not STOP.wait(0.01):
        threading.current_thread().name = names[0]
        step(0)
        if len(names) > 1 and GO_ON.is_set():
            names = names[1:]


GO_ON = threading.Event()


def go_on():
    GO_ON.set()


def stop():
    STOP.set()


# ---- tasks ------------------------------------------------------------------------
CODE_RAN = []


class Tricky(asyncio.Task):
    """Code that asyncio runs, and nobody else may."""

    def get_name(self):
        CODE_RAN.append("get_name")
        return "wrong"

    def __hash__(self):
        CODE_RAN.append("hash")
        return super().__hash__()


class Loop(asyncio.SelectorEventLoop):
    def __hash__(self):
        CODE_RAN.append("loop")
        return super().__hash__()


async def leaf(x):
    await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    return step(x)


async def middle(x):
    return await leaf(x)


def task_of(coroutine, name):
    task = asyncio.ensure_future(coroutine)
    if hasattr(task, "set_name"):
        task.set_name(name)
    return task


async def top(x):
    return await task_of(middle(x), "worker")


async def gathers(x):
    return await asyncio.gather(middle(x), middle(x + 1))


async def waits(x):
    return await asyncio.wait_for(middle(x), 5)


async def waits_many(x):
    done, pending = await asyncio.wait([task_of(middle(x), "many")])
    return [task.result() for task in done]


async def tricky(x):
    del CODE_RAN[:]
    task = Tricky(middle(x), loop=asyncio.get_event_loop())
    return await task


async def cancelled():
    task = task_of(leaf(1), "cancelled")
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return "cancelled"


async def countdown(n):
    for number in range(n, 0, -1):
        await asyncio.sleep(0)
        yield number


async def consume(n):
    return [number async for number in countdown(n)]


def run(name, *args, loop=asyncio.new_event_loop):
    """Runs a coroutine function in a loop of its own."""
    loop = loop()
    task = None

    async def main():
        return await globals()[name](*args)
    try:
        task = asyncio.ensure_future(main(), loop=loop)
        if hasattr(task, "set_name"):
            task.set_name("main")
        return loop.run_until_complete(task)
    finally:
        loop.close()


def run_tricky(x):
    result = run("tricky", x, loop=Loop)
    return result, list(CODE_RAN)


def both_loops(rounds):
    """Two threads, a loop each: nobody's task is the other's."""
    def body(number):
        loop = asyncio.new_event_loop()

        async def main():
            for _ in range(rounds):
                step(number)
                await asyncio.sleep(0)
        task = asyncio.ensure_future(main(), loop=loop)
        if hasattr(task, "set_name"):
            task.set_name("task-of-%d" % number)
        loop.run_until_complete(task)
        loop.close()
    threads = [threading.Thread(target=body, args=(number,),
                                name="loop-%d" % number)
               for number in (1, 2)]
    for thread in threads:
        thread.start()
    step(0)
    for thread in threads:
        thread.join()


# ---- generators ---------------------------------------------------------------------
def counting(n):
    for number in range(n):
        yield number
    return "end"


def guarded(n):
    for number in range(n):
        try:
            yield number
        except (GeneratorExit, ValueError):
            yield_no_more = True
            raise


def drain(n):
    return list(counting(n))


def delegate(n):
    result = yield from counting(n)
    return result


def drain_delegate(n):
    return list(delegate(n))


def close_plain():
    generator = counting(5)
    next(generator)
    generator.close()
    return "closed"


def close_guarded():
    generator = guarded(5)
    next(generator)
    generator.close()
    return "closed"


def throw():
    generator = guarded(5)
    next(generator)
    try:
        generator.throw(ValueError("thrown"))
    except ValueError as error:
        return str(error)


OPEN = []


def leave_open(count):
    for _ in range(count):
        OPEN.append(guarded(2))
        next(OPEN[-1])


def close_open():
    while OPEN:
        OPEN.pop().close()


RUNNING = []


def begin():
    generator = counting(100)
    RUNNING.append(generator)
    return next(generator)


def proceed():
    return next(RUNNING[0])


# ---- greenlets -----------------------------------------------------------------------
def green(number, others):
    """Goes on in another one in the middle of a call."""
    if others:
        others[0].switch()
    return number


def interleaved(count):
    """A call in each, all open at a time, that end in the order of entry."""
    import greenlet
    main = greenlet.getcurrent()
    results = []

    def body(number):
        results.append(pausing(number, main))
    children = [greenlet.greenlet(lambda number=number: body(number))
                for number in range(count)]
    for child in children:
        child.switch()
    for child in children:
        child.switch()
    return results, [hex(id(child)) for child in children], hex(id(main))


def pausing(number, main):
    nested(number, main)
    return number * 10


def nested(number, main):
    main.switch()
    return number


def killed():
    import greenlet
    main = greenlet.getcurrent()

    def body():
        pausing(1, main)
    child = greenlet.greenlet(body)
    child.switch()
    child.throw(ValueError("killed"))


def kill():
    try:
        killed()
    except ValueError as error:
        return str(error)


def dropped():
    """Its last reference goes while a call is open."""
    import greenlet
    main = greenlet.getcurrent()
    child = greenlet.greenlet(lambda: pausing(7, main))
    child.switch()
    del child
    return "dropped"


def with_gevent(count):
    import gevent

    def body(number):
        return slow(number)
    jobs = [gevent.spawn(body, number) for number in range(count)]
    gevent.joinall(jobs)
    return [job.value for job in jobs]


def slow(number):
    import gevent
    gevent.sleep(0.05 - number * 0.01)
    return number


# ---- interpreters ----------------------------------------------------------------------
def interpreters():
    """The module that makes them, by the names that it had."""
    for name in ("_xxsubinterpreters", "_interpreters"):
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    return None


MADE = []
PROGRAM = """
def inside(number):
    return number + 1
"""


# 3.7 has none: an interpreter that lives as long as the call that made it, in
# a thread of its own, and takes its work from a pipe.
SERVANT = PROGRAM + """
import os
os.write(%d, b"r")
while True:
    work = os.read(%d, 1)
    if not work:
        break
    inside(ord(work))
    os.write(%d, b"d")
"""
COUNT = []


def make_servant():
    import _testcapi
    work, to_work = os.pipe()
    done, is_done = os.pipe()
    text = SERVANT % (is_done, work, is_done)
    thread = threading.Thread(target=_testcapi.run_in_subinterp, args=(text,))
    thread.start()
    os.read(done, 1)
    MADE.append((thread, to_work, done))
    COUNT.append(1)
    return len(COUNT)


def make():
    """Its id."""
    module = interpreters()
    if not module:
        return make_servant()
    made = module.create()
    module.run_string(made, PROGRAM)
    MADE.append(made)
    return int(made)


def run_inside(index, number):
    if interpreters():
        interpreters().run_string(MADE[index], "inside(%d)" % number)
        return
    os.write(MADE[index][1], bytes([number]))
    os.read(MADE[index][2], 1)


def end_all():
    while MADE:
        made = MADE.pop()
        if interpreters():
            interpreters().destroy(made)
        else:
            os.close(made[1])
            made[0].join()


# ---- code that comes anew ------------------------------------------------------------------
TEXT = "def fresh(x):\n    return x + %d\n"


def execute(number):
    space = {"__name__": "executed"}
    exec(compile(TEXT % number, "<made up>", "exec"), space)
    return space["fresh"](1)


def reloaded():
    """A module of a file that changes; what the two versions answer."""
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        try:
            for number in (10, 20):
                path = os.path.join(folder, "changing.py")
                with open(path, "w") as file:
                    file.write(TEXT % number + "\n" * number)
                importlib.invalidate_caches()
                if "changing" in sys.modules:
                    importlib.reload(sys.modules["changing"])
                else:
                    importlib.import_module("changing")
                answers.append(sys.modules["changing"].fresh(1))
            del sys.modules["changing"]
            importlib.import_module("changing")
            answers.append(sys.modules["changing"].fresh(2))
        finally:
            sys.path.remove(folder)
            sys.modules.pop("changing", None)
    return answers


# ---- limits -----------------------------------------------------------------------------------
def wide(value):
    time.sleep(0)
    return [value] * 300
