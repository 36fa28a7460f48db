# SPDX-License-Identifier: MIT
"""stack_waits.py SCENARIO: a program that waits for a reason that is known.

Prints {"ready": pid} a moment before it hangs, with what the test may need:
the pid that is to be looked at, other pids, the places of the threads.
"""
import ctypes
import json
import multiprocessing
import os
import queue
import socket
import subprocess
import sys
import threading
import time

LONG = 1000
first, second = threading.Lock(), threading.Lock()
guard = threading.RLock()
jobs = queue.Queue()


def ready(pid=None, **more):
    print(json.dumps(dict(more, ready=pid or os.getpid())), flush=True)


def started(function, *args, **options):
    thread = threading.Thread(target=function, args=args,
                              name=function.__name__, daemon=True, **options)
    thread.start()
    return thread


def take_both(one, other, mine, theirs):
    with one:
        mine.set()
        theirs.wait()
        with other:
            pass


def abba():
    a, b = threading.Event(), threading.Event()

    def left():
        take_both(first, second, a, b)

    def right():
        take_both(second, first, b, a)
    started(left)
    thread = started(right)
    a.wait()
    b.wait()
    ready()
    thread.join()


def mixed():
    """A lock, an RLock and the end of a thread, in a circle."""
    a, b = threading.Event(), threading.Event()

    def holder():
        with guard:
            a.set()
            b.wait()
            joined.join()

    def joined_one():
        b.wait()
        with guard:
            pass
    joined = started(joined_one)
    thread = started(holder)
    a.wait()
    b.set()
    ready()
    thread.join()


def dead_lock():
    def leaves():
        first.acquire()
    started(leaves).join()
    ready()
    with first:
        pass


def dead_rlock():
    def leaves():
        guard.acquire()
    started(leaves).join()
    ready()
    with guard:
        pass


def held_lock():
    """One thread sleeps in a with block, one waits; the lock is an
    attribute, and the block one of three."""
    class Store:
        def __init__(self):
            self.door = threading.Lock()

        def keeper(self, inside):
            for _ in range(2):
                try:
                    with guard, self.door:
                        inside.set()
                        time.sleep(LONG)
                finally:
                    pass

        def visitor(self):
            with self.door:
                pass
    store, inside = Store(), threading.Event()
    started(store.keeper, inside)
    inside.wait()
    ready()
    store.visitor()


def crowd():
    def visitor():
        with first:
            pass
    with first:
        for _ in range(3):
            started(visitor)
        ready()
        time.sleep(LONG)


def condition_lock():
    """A Condition's lock is not held while its owner waits."""
    condition = threading.Condition(threading.Lock())

    def waiter():
        with condition:
            condition.wait()

    def keeper(inside):
        with condition:
            inside.set()
            time.sleep(LONG)

    def visitor():
        with condition:
            pass
    started(waiter)
    time.sleep(0.2)
    inside = threading.Event()
    started(keeper, inside)
    inside.wait()
    ready()
    visitor()


def empty_queue():
    ready()
    jobs.get()


def simple_queue():
    work = queue.SimpleQueue()
    ready()
    work.get()


def shared_rlock():
    """A lock of multiprocessing's that a thread of this process holds."""
    shared, taken = multiprocessing.RLock(), threading.Event()

    def keeper():
        with shared:
            taken.set()
            time.sleep(LONG)
    started(keeper)
    taken.wait()
    ready()
    shared.acquire()


def shared_lock():
    """One that another process has taken."""
    shared = multiprocessing.get_context("fork").Lock()
    end, other_end = os.pipe()
    pid = os.fork()
    if not pid:
        shared.acquire()
        os.write(other_end, b"x")
        time.sleep(LONG)
    os.read(end, 1)
    ready(child=pid)
    with shared:
        pass


def full_queue():
    def producer(small):
        small.put(2)
    small = queue.Queue(maxsize=1)
    small.put(1)
    thread = started(producer, small)
    ready()
    thread.join()


def event():
    go = threading.Event()
    ready()
    go.wait(LONG)


def gil():
    def spinner():
        while True:
            pass
    started(spinner)
    ready()
    ctypes.PyDLL(None).sleep(LONG)


def mutex():
    library = ctypes.CDLL(None)
    one = ctypes.create_string_buffer(64)
    other = ctypes.create_string_buffer(64)
    ahead = [threading.Event(), threading.Event()]

    def lock_both(mine, theirs, order):
        library.pthread_mutex_lock(mine)
        ahead[order].set()
        ahead[1 - order].wait()
        library.pthread_mutex_lock(theirs)

    def left():
        lock_both(one, other, 0)

    def right():
        lock_both(other, one, 1)
    started(left)
    thread = started(right)
    ahead[0].wait()
    ahead[1].wait()
    ready()
    thread.join()


def child():
    process = subprocess.Popen([sys.executable, "-c",
                                "import time; time.sleep(%d)" % LONG])
    ready(child=process.pid)
    process.wait()


def peer():
    """Waits for a line of a process that accepted and says nothing."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    other = os.fork()
    if not other:
        accepted = server.accept()
        time.sleep(LONG)
        accepted[0].close()
        os._exit(0)
    connection = socket.create_connection(server.getsockname())
    server.close()
    ready(peer=other)
    connection.recv(100)


def unix_peer():
    ours, theirs = socket.socketpair()
    other = os.fork()
    if not other:
        ours.close()
        time.sleep(LONG)
        os._exit(0)
    theirs.close()
    ready(peer=other)
    ours.recv(100)


def pipe():
    reader, writer = os.pipe()
    other = os.fork()
    if not other:
        os.close(reader)
        time.sleep(LONG)
        os._exit(0)
    os.close(writer)
    ready(peer=other)
    os.read(reader, 100)


def fork():
    inside = threading.Event()

    def keeper():
        with first:
            inside.set()
            time.sleep(LONG)
    started(keeper)
    inside.wait()
    forked = os.fork()
    if not forked:
        first.acquire()
        os._exit(0)
    ready(forked, parent=os.getpid())
    os.waitpid(forked, 0)


def file_lock():
    import fcntl
    import tempfile
    with tempfile.NamedTemporaryFile() as held:
        reader, writer = os.pipe()
        other = os.fork()
        if not other:
            with open(held.name) as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                os.write(writer, b"x")
                time.sleep(LONG)
            os._exit(0)
        os.read(reader, 1)
        ready(holder=other)
        fcntl.flock(held, fcntl.LOCK_EX)


def sleep():
    ready()
    time.sleep(LONG)


def nap():
    """Never more than a second is left."""
    ready()
    while True:
        time.sleep(0.9)


def task_nap():
    import asyncio

    async def naps():
        while True:
            await asyncio.sleep(0.9)
    ready()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(naps())


def import_lock():
    """Two threads import one module, whose code does not end."""
    import importlib.abc
    import importlib.machinery
    inside = threading.Event()

    class Slow(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path, target=None):
            if name == "slow_module":
                return importlib.machinery.ModuleSpec(name, self)
            return None

        def create_module(self, spec):
            return None

        def exec_module(self, module):
            inside.set()
            time.sleep(LONG)
    sys.meta_path.insert(0, Slow())

    def importer():
        __import__("slow_module")
    started(importer)
    inside.wait()
    ready()
    __import__("slow_module")


def level(depth):
    if depth:
        process = multiprocessing.get_context("fork").Process(
            target=level, args=(depth - 1,))
        process.start()
        process.join()
    else:
        print(json.dumps({"last": os.getpid()}), flush=True)
        time.sleep(LONG)


def processes():
    ready()
    level(3)


def exiting():
    """The main thread has ended; another, no daemon, sleeps."""
    def survivor():
        time.sleep(LONG)
    threading.Thread(target=survivor, name="survivor").start()
    ready()


def parent_dies():
    """Children end with their parent, whatever ends it."""
    library = ctypes.CDLL(None)
    os.register_at_fork(after_in_child=lambda: library.prctl(1, 9, 0, 0, 0))


if __name__ == "__main__":
    parent_dies()
    globals()[sys.argv[1]]()
