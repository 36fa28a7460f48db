# SPDX-License-Identifier: MIT
"""stack_greenlets.py: greenlets that were left in different ways, and what
they themselves say of their frames."""
import json
import os
import sys

try:
    from greenlet import getcurrent, greenlet
except ImportError:
    print(json.dumps({"ready": os.getpid(), "missing": "greenlet"}),
          flush=True)
    sys.exit()


class Job(greenlet):
    """A class of the program's own, as gevent's is."""


def leave():
    getcurrent().parent.switch()


def plain(depth):
    secret_token = "PLANTED"
    if depth:
        plain(depth - 1)
    else:
        leave()
    return secret_token


def through_c():
    """C code lies between its frames: part of its stack is put aside."""
    sorted([1, 2], key=lambda _: plain(3))


def generator():
    def items():
        yield 1
        yield leave()
    list(items())


def ended():
    pass


kept = [greenlet(lambda: plain(0)), greenlet(lambda: plain(5)),
        greenlet(through_c), Job(through_c), Job(generator)]
for one in kept:
    one.switch()
for other in (greenlet(ended), greenlet(plain)):    # not begun, the second
    kept.append(other)
kept[-2].switch()


def place(frame):
    code = frame.f_code
    return ("%s:%s" % (frame.f_globals["__name__"],
                       getattr(code, "co_qualname", code.co_name)),
            code.co_filename, frame.f_lineno)


def truth():
    """{id: [type, frames]}, outermost first, of those that were left."""
    told = {}
    for one in kept:
        frames, frame = [], one.gr_frame
        while frame:
            frames.append(place(frame))
            frame = frame.f_back
        if frames:
            told["0x%x" % id(one)] = [type(one).__name__, frames[::-1]]
    return told


print(json.dumps({"ready": os.getpid()}), flush=True)
for line in sys.stdin:
    print(json.dumps({"result": repr(truth())}), flush=True)
