# SPDX-License-Identifier: MIT
"""A program that turns on the agent in it: writes to its socket, rings its
bell, closes what it finds."""
import array
import os
import socket
import threading
import time

from zoo import add  # noqa: F401


def agent_fds():
    """Descriptors above the standard three, by what they are."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            what = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
        if int(name) > 2 and not what.startswith("/"):
            found[int(name)] = what
    return found


def find(kind):
    return [fd for fd, what in agent_fds().items() if kind in what]


def send(data, fds=0, times=1):
    """Sends a datagram to the daemon in the agent's name, so often, with so
    many descriptors; how many it took."""
    taken = 0
    for fd in find("socket:"):
        stream = socket.socket(fileno=os.dup(fd))
        stream.settimeout(0.2)
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                  array.array("i", [2] * fds).tobytes())] if fds else []
        try:
            for _ in range(times):
                stream.sendmsg([bytes.fromhex(data)], extra)
                taken += 1
        except OSError:
            pass
        stream.close()
    return taken


def ring_bell(seconds):
    """Wakes the daemon all the time."""
    def run():
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for fd in bells:
                try:
                    os.write(fd, (1).to_bytes(8, "little"))
                except OSError:
                    return
    bells = find("eventfd")
    threading.Thread(target=run, daemon=True).start()
    return len(bells)


def close_all():
    """Closes what is the agent's."""
    fds = list(agent_fds())
    for fd in fds:
        os.close(fd)
    return len(fds)


def report():
    return {"rounds": {"idle": 0}, "bad": []}
