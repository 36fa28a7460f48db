# SPDX-License-Identifier: MIT
"""stack_verdicts.py SCENARIO: programs that hang, or run, for reasons outside
of Python's own locks. Prints {"ready": pid} a moment before."""
import ctypes
import gc
import json
import os
import re
import select
import signal
import socket
import sys
import tempfile
import threading
import time

LONG = 1000
VFORK = 0x4000      # CLONE_VFORK, without CLONE_VM: memory is copied
CLONE = 56          # on x86-64


def ready(**more):
    print(json.dumps(dict(more, ready=os.getpid())), flush=True)


def started(function, *args, name=None):
    thread = threading.Thread(target=function, args=args, daemon=True,
                              name=name or function.__name__)
    thread.start()
    return thread


def silent_server():
    """A process that accepts whoever comes and says nothing, and its
    address."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(16)
    pid = os.fork()
    if not pid:
        kept = []
        while True:
            kept.append(server.accept())
    return server, pid


def clients():
    """Four threads that wait for one server."""
    server, pid = silent_server()

    def fetch():
        socket.create_connection(server.getsockname()).recv(10)
    threads = [started(fetch, name="fetch-%d" % i) for i in range(4)]
    ready(child=pid, port=server.getsockname()[1])
    threads[0].join()


def not_accepted():
    """The server lives and does not accept."""
    server = socket.socket()
    server.bind(("0.0.0.0", 0))
    server.listen(16)
    pid = os.fork()
    if not pid:
        time.sleep(LONG)
    port = server.getsockname()[1]
    connection = socket.create_connection(("127.0.0.1", port))
    server.close()
    ready(child=pid)
    connection.recv(10)


def vfork():
    """Sleeps uninterruptibly until its child ends."""
    library = ctypes.CDLL(None)
    ready()
    if not library.syscall(CLONE, VFORK | signal.SIGCHLD, 0, 0, 0, 0):
        time.sleep(LONG)
        os._exit(0)


def fifo():
    """Opens a named pipe that nobody writes to."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "door")
        os.mkfifo(path)
        ready(path=path)
        open(path)


def descriptors():
    """Waits for a pipe that a child has, and for a socket of its own."""
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        ours.close()
        theirs.close()
        time.sleep(LONG)
    os.close(writer)
    ready(child=pid, pipe=reader, socket=ours.fileno())
    select.select([reader, ours], [], [])


class Circle:
    """Garbage whose end does not come."""

    def __init__(self):
        self.me = self

    def __del__(self):
        time.sleep(LONG)


def finalizer():
    Circle()
    ready()
    gc.collect()


def collection():
    """Collects all the time; the collector's own code runs, mostly."""
    gc.disable()
    kept = [[number] for number in range(400000)]
    ready()
    while kept:
        gc.collect()


def spins():
    def turn():
        while True:
            pass
    started(turn)
    ready()
    turn()


def expression():
    """A regular expression that does not end, while another thread wants the
    GIL."""
    def turn():
        while True:
            pass
    started(turn)
    ready()
    re.match(r"(a+)+$", "a" * 64 + "b")


def terminal():
    """Waits for a line of its standard input."""
    ready()
    sys.stdin.readline()


def parent_dies():
    """Children end with their parent, whatever ends it."""
    library = ctypes.CDLL(None)
    os.register_at_fork(after_in_child=lambda: library.prctl(1, 9, 0, 0, 0))


if __name__ == "__main__":
    parent_dies()
    globals()[sys.argv[1]]()
