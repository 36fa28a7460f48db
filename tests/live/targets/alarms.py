# SPDX-License-Identifier: MIT
"""Work on the main thread that time-outs end: by an alarm, whose handler raises
what the program waits for."""
import signal
import time

PATIENCE_S = 1.0
NAP_S = 8.0


class Thing:
    def __repr__(self):
        return "".join(sorted("a thing of many parts"))


def step(number):
    thing = Thing()
    number += 1
    return number if thing else None


def late(number, frame):
    raise TimeoutError("late")


HANDLERS = {"late": (late, TimeoutError),
            "interrupt": (signal.default_int_handler, KeyboardInterrupt)}


def work():
    number, end = 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        number = step(number)


def chase(kind, seconds):
    """How many time-outs there were, more than 20, and how many of them never
    came."""
    handler, expected = HANDLERS[kind]
    signal.signal(signal.SIGALRM, handler)
    end = time.monotonic() + seconds
    came = lost = 0
    while time.monotonic() < end or came + lost <= 20:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.003)
            # In a function: 3.13.0 lets some out of a loop in this block.
            work()
            lost += 1
        except expected:
            came += 1
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    return came, lost


def nap():
    ready = True
    time.sleep(NAP_S)
    return ready


def nap_until_alarm():
    """How long a sleep lasts that an alarm ends."""
    signal.signal(signal.SIGALRM, late)
    begun = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        nap()
    except TimeoutError:
        pass
    return time.monotonic() - begun
