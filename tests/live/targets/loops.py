# SPDX-License-Identifier: MIT
"""loops: asyncio programs that wait for what is known, each in a thread of
its own, and what the interpreter itself says of their tasks."""
import asyncio
import contextlib
import os
import socket
import sys
import threading
import types

DEEP = 60

loops = {}      # name: loop
sockets = []    # kept open
cut = []        # tasks that end themselves at the end of the test


def named(coroutine, name, make=asyncio.ensure_future):
    """A task with a name, where this version has such."""
    task = make(coroutine)
    if hasattr(task, "set_name"):
        task.set_name(name)
    return task


def run(scenario):
    """Runs a coroutine function in a loop of its own; returns when all its
    tasks wait."""
    ready = threading.Event()
    begin = globals()[scenario]

    def work():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loops[scenario] = loop
        main = named(begin(), "main", loop.create_task)
        # What was made by then, and what that made, has come to its wait.
        loop.call_later(0.1, ready.set)
        with contextlib.suppress(Exception):
            loop.run_until_complete(main)

    threading.Thread(target=work, name=scenario, daemon=True).start()
    ready.wait(20)
    return scenario


# ---- gather, with one that is stuck ----------------------------------------

async def quick():
    await asyncio.sleep(0)


async def stuck(gate):
    await gate.wait()


async def gather():
    gate = asyncio.Event()
    await asyncio.gather(quick(), named(stuck(gate), "stuck"), quick())


# ---- what a task can wait for ----------------------------------------------

async def on_lock(lock):
    async with lock:
        pass


async def on_queue(jobs):
    await jobs.get()


async def on_sleep():
    await asyncio.sleep(3600)


async def on_future(answer):
    await answer


async def on_semaphore(slots):
    await slots.acquire()


async def on_condition(changed):
    async with changed:
        await changed.wait()


async def on_stream(end):
    reader, writer = await asyncio.open_connection(sock=end)
    await reader.readline()


async def on_socket(end):
    await asyncio.get_event_loop().sock_recv(end, 10)


async def on_executor(event):
    await asyncio.get_event_loop().run_in_executor(None, event.wait)


async def on_time(answer):
    await asyncio.wait_for(asyncio.shield(answer), 3600)


async def on_some(answer):
    await asyncio.wait([named(on_future(answer), "some")])


async def on_task(task):
    await task


async def waits():
    loop = asyncio.get_event_loop()
    answer, lock = loop.create_future(), asyncio.Lock()
    pairs = [socket.socketpair() for _ in range(2)]
    for one, other in pairs:
        one.setblocking(False)
        sockets.extend((one, other))
    await lock.acquire()
    event = threading.Event()
    future = named(on_future(answer), "on_future")
    tasks = [future] + [named(coroutine, coroutine.__name__) for coroutine in (
        on_lock(lock), on_queue(asyncio.Queue()), on_sleep(),
        on_semaphore(asyncio.Semaphore(0)),
        on_condition(asyncio.Condition()), on_stream(pairs[0][0]),
        on_socket(pairs[1][0]), on_executor(event), on_time(answer),
        on_some(answer), on_task(future))]
    await tasks[0]


# ---- kinds of awaiting -----------------------------------------------------

class Awaitable:
    def __init__(self, inner):
        self.inner = inner

    def __await__(self):
        return (yield from self.inner.__await__())


@types.coroutine
def by_generator(inner):
    result = yield from inner
    return result


async def items(inner):
    yield 1
    yield await inner


async def by_items(inner):
    async for item in items(inner):
        last = item
    return last


async def by_text(inner):
    return (
        0,
        await inner,
    )


async def plain(inner):
    return await inner


KINDS = [plain, by_generator, by_items, by_text, Awaitable]


async def last(answer):
    return await answer


async def kinds():
    answer = asyncio.get_event_loop().create_future()
    inner = last(answer)
    for i in range(DEEP):
        inner = KINDS[i % len(KINDS)](inner)
    await plain(inner)


# ---- a circle --------------------------------------------------------------

async def turn(others, index):
    await asyncio.sleep(0)
    await others[index]


async def circle():
    others = []
    others.append(named(turn(others, 1), "left"))
    others.append(named(turn(others, 0), "right"))
    await asyncio.sleep(3600)


# ---- tasks that are written in Python --------------------------------------

async def python_tasks():
    loop = asyncio.get_event_loop()
    loop.set_task_factory(
        lambda loop, coroutine, **more: asyncio.tasks._PyTask(
            coroutine, loop=loop, **more))
    gate = asyncio.futures._PyFuture(loop=loop)
    await asyncio.gather(quick(), named(last(gate), "stuck",
                                        loop.create_task))


class MyTask(asyncio.Task):
    """A task of _asyncio's with attributes of its own."""


async def own_tasks():
    loop = asyncio.get_event_loop()
    loop.set_task_factory(
        lambda loop, coroutine, **more: MyTask(coroutine, loop=loop, **more))
    task = named(stuck(asyncio.Event()), "stuck", loop.create_task)
    task.mine = 1
    await task


async def many():
    gate = asyncio.Event()
    await asyncio.gather(*[stuck(gate) for _ in range(100)])


async def child():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(600)")
    cut.append(process)
    await process.wait()


# ---- what the interpreter says ---------------------------------------------

def awaited(thing):
    for name in ("cr_await", "gi_yieldfrom", "ag_await"):
        if hasattr(thing, name):
            return getattr(thing, name)
    return None


def frame_of(thing):
    for name in ("cr_frame", "gi_frame", "ag_frame"):
        if getattr(thing, name, None) is not None:
            return getattr(thing, name)
    return None


def generator_of(thing):
    """What an object that stands for an asynchronous generator stands for."""
    import gc
    kind = type(thing).__name__
    if kind in ("async_generator_asend", "async_generator_athrow",
                "coroutine_wrapper", "anext_awaitable"):
        found = [one for one in gc.get_referents(thing)
                 if frame_of(one) is not None]
        return found[0] if found else None
    return thing


def all_tasks(scenario):
    """Those of a loop; 3.14 lists those that are written in Python apart."""
    loop = loops[scenario]
    found = set(asyncio.all_tasks(loop))
    for name in ("_scheduled_tasks", "_eager_tasks"):
        found.update(task for task in getattr(asyncio.tasks, name, ())
                     if not task.done() and task.get_loop() is loop)
    return found


def truth(scenario):
    """{id: [(function, file, line)]}, outermost first."""
    told = {}
    for task in all_tasks(scenario):
        frames, thing = [], task._coro
        while thing is not None:
            thing = generator_of(thing)
            frame = frame_of(thing)
            if frame is None:
                break
            code = frame.f_code
            frames.append((
                "%s:%s" % (frame.f_globals["__name__"],
                           getattr(code, "co_qualname", code.co_name)),
                code.co_filename, frame.f_lineno))
            thing = awaited(thing)
        told["0x%x" % id(task)] = frames
    return told


def names(scenario):
    return {"0x%x" % id(task): task.get_name() if hasattr(task, "get_name")
            else "" for task in all_tasks(scenario)}


def end_children():
    for process in cut:
        os.kill(process.pid, 9)
