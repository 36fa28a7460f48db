# SPDX-License-Identifier: MIT
"""Forks children that run the probed function, and reports how they ended."""
import ast
import ctypes
import os
import select
import subprocess
import sys
import threading
import time
import warnings


def probed(x):
    return x + 1


def fork_once(depth=1):
    """Exit status of a child that calls the probed function; grandchildren
    with depth above 1."""
    child = os.fork()
    if child == 0:
        status = 0 if all(probed(n) == n + 1 for n in range(200)) else 1
        if depth > 1:
            status |= fork_once(depth - 1)
        os._exit(status)
    return os.waitpid(child, 0)[1]


def fork_many(count, depth=1):
    return [fork_once(depth) for _ in range(count)]


def fork_and_view():
    """What a child sees of its tracing, as the parent would report it."""
    import json
    import view
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        probed(1)
        module = sys.modules[__name__]
        seen = {"trace": repr(sys.gettrace()), "left":
                view.monitoring_left(module), "fds": sorted(
                    os.readlink("/proc/self/fd/" + name)
                    for name in os.listdir("/proc/self/fd")
                    if os.path.exists("/proc/self/fd/" + name))}
        os.write(writer, json.dumps(seen).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        seen = json.load(stream)
    return seen if os.waitpid(child, 0)[1] == 0 else None


def warnings_of(action, fork="fork", count=3):
    """What is said of so many forks where each warning counts. Action "error"
    may raise one."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter(action)
        for _ in range(count):
            child = FORKS[fork]()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
    return [str(warning.message) for warning in said]


def sleep_beside(seconds=99):
    threading.Thread(target=time.sleep, args=(seconds,), daemon=True).start()


def filters():
    return [repr(item) for item in warnings.filters]


def filters_of_child():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, repr(filters()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        return ast.literal_eval(stream.read())


def filters_after_block(seconds=3):
    """Forks and at once enters a block that saves the filters and has a copy
    of them: what is in the copy in the end, and afterwards."""
    fork_once()
    with warnings.catch_warnings():
        time.sleep(seconds)
        within = filters()
    return within, filters()


def spawn(count):
    return [subprocess.call([sys.executable, "-c", "pass"])
            for _ in range(count)]


def fork_server(fork="fork"):
    """A child that calls the probed function until it is told to end."""
    import signal
    child = FORKS[fork]()
    if child == 0:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        while True:
            probed(1)
            time.sleep(0.01)
    return child


# An embedding program forks in C, and Python is not told: with the GIL, or
# without.
FORKS = {"fork": os.fork, "forkpty": lambda: os.forkpty()[0],
         "c": ctypes.PyDLL(None).fork,
         "c-free": ctypes.CDLL(None).fork}
PATIENCE_S = 20


def live_on():
    """A child that computes, gives up the GIL, takes it again and starts a
    thread."""
    for number in range(500):
        probed(number)
    time.sleep(0.0001)
    thread = threading.Thread(target=probed, args=(1,))
    thread.start()
    thread.join()
    os._exit(0)


def ends(child):
    """Its status, within a time that is enough for a child that is slow."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        time.sleep(0.0005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return "hangs"


def fork_until_asked(fork):
    """Forks until the next command comes, or a child does not end well: how
    many it made, and how those ended."""
    made, bad = 0, []
    while not bad and not select.select([0], [], [], 0)[0]:
        child = FORKS[fork]()
        if child == 0:
            live_on()
        made += 1
        status = ends(child)
        if status:
            bad.append(status)
    return made, bad


def fork_and_live(fork):
    """How a child ends that lives on: 0, a status, or "hangs"."""
    child = FORKS[fork]()
    if child == 0:
        live_on()
    return ends(child)


def thread_states_lock():
    """The address of the byte that is 0 and 1 as the lock of the thread states
    is given and taken: before the head of the list of interpreters, 3.12+."""
    api = ctypes.pythonapi
    api.PyInterpreterState_Head.restype = ctypes.c_void_p
    head = api.PyInterpreterState_Head()
    runtime = ctypes.addressof(ctypes.c_char.in_dll(api, "_PyRuntime"))
    words = (ctypes.c_size_t * 256).from_address(runtime)
    at = list(words).index(head)
    return (words[at - 1] if sys.version_info < (3, 13)
            else runtime + 8 * (at - 1))


def end_server(child, number=15):
    os.kill(child, number)
    return os.waitpid(child, 0)[1]
