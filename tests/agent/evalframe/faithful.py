# SPDX-License-Identifier: MIT
"""The program cannot tell: the same results, exceptions, events for its own
tracers and profilers, with a probe on everything and without."""
import cProfile
import pstats
import sys

from host import Agent

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


def generated():
    received = yield 1
    try:
        yield received
    finally:
        log.append("finally")


def delegated():
    return (yield from generated())


async def awaited(depth):
    if depth:
        return await awaited(depth - 1) + 1
    return 0


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return True


def work():
    one, two = generated(), delegated()
    results = [handled(), next(one), one.send(4), next(two)]
    one.close()
    try:
        two.throw(Failure("thrown"))
    except Failure as error:
        results.append(str(error))
    try:
        awaited(3).send(None)
    except StopIteration as end:
        results.append(end.value)
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


def by_cprofile():
    profile = cProfile.Profile()
    result = profile.runcall(work)
    for key, values in sorted(pstats.Stats(profile).stats.items()):
        log.append((key, values[:2]))
    return result


def run(way):
    del log[:]
    result = repr(way())
    # Addresses differ from one run to the next.
    return result.split(" at 0x"), [str(one).split(" at 0x")[0]
                                    for one in log]


for way in (work, by_settrace, by_setprofile, by_cprofile):
    run(way)
    alone = run(way)
    with Agent(ring_size=16 << 20) as agent:
        agent.add(module="__main__", function="*")
        assert run(way) == alone, way
        captured = [record["function"] for record in agent.records()]
        assert captured.count("__main__:handled") == 1, captured
        assert captured.count("__main__:generated") == 2, captured
        assert captured.count("__main__:delegated") == 1, captured
        assert captured.count("__main__:awaited") == 4, captured
        assert captured.count("__main__:fail") == 4 + 3 + 201
    assert run(way) == alone, way
