# SPDX-License-Identifier: MIT
"""The program cannot tell: the same results, exceptions, events for its own
tracers and tools, with a probe on everything and without."""
import sys

from host import Agent

MONITORING = sys.monitoring
EVENTS = MONITORING.events
TOOL = 1
log = []


class Failure(Exception):
    pass


def fail(depth):
    if depth:
        return fail(depth - 1)
    raise Failure("deep")


def handled():
    try:
        fail(3)
    except Failure as error:
        try:
            raise KeyError(1) from error
        except KeyError as second:
            return second.__cause__ is error, second.__context__ is error


def unbound(flag):
    if flag:
        value = 1
    return [flag for flag in range(3)] and (lambda: 7)()


def generated():
    received = yield 1
    try:
        yield received
    finally:
        log.append("finally")


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return True


def work():
    one = generated()
    results = [handled(), unbound(0), unbound(1), next(one), one.send(4)]
    one.close()
    with Manager():
        fail(2)
    try:
        fail(200)
    except Failure as error:
        results.append((str(error), error.__context__, sys.exc_info()[0]))
    results.append(sys.exc_info())
    return results


def traced(frame, event, _):
    log.append((frame.f_code.co_name, event, frame.f_lineno))
    return traced


def by_settrace():
    sys.settrace(traced)
    try:
        return work()
    finally:
        sys.settrace(None)


def by_setprofile():
    sys.setprofile(lambda frame, event, _: log.append(
        (frame.f_code.co_name, event)))
    try:
        return work()
    finally:
        sys.setprofile(None)


WATCHED = [EVENTS.PY_START, EVENTS.PY_RETURN, EVENTS.PY_YIELD,
           EVENTS.PY_UNWIND, EVENTS.PY_THROW, EVENTS.LINE, EVENTS.RAISE]


def by_tool():
    for event in WATCHED:
        MONITORING.register_callback(
            TOOL, event, lambda code, *rest, event=event: log.append(
                (code.co_name, event, str(rest))))
    MONITORING.set_events(TOOL, sum(WATCHED))
    try:
        return work()
    finally:
        MONITORING.set_events(TOOL, 0)


def run(way):
    log.clear()
    result = repr(way())
    # Addresses differ from one run to the next.
    return result.split(" at 0x"), [str(one).split(" at 0x")[0]
                                    for one in log]


MONITORING.use_tool_id(TOOL, "theirs")
for way in (work, by_settrace, by_setprofile, by_tool):
    run(way)
    alone = run(way)
    with Agent() as agent:
        agent.add(module="__main__", function="*")
        assert run(way) == alone, way
        captured = [record["function"] for record in agent.records()]
        assert "__main__:handled" in captured, captured
        assert captured.count("__main__:unbound") == 2
    assert run(way) == alone, way
