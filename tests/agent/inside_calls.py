# SPDX-License-Identifier: MIT
"""What a `call` record says, and how entries and ends of calls are paired."""
import os
import sys
import threading
import time

import inside


def f(x, y=2, *rest, key=1, **more):
    z = x

    def inner():
        return z, y
    w = inner()
    del x
    return w


def fail(make):
    raise make()


def work(make):
    return make()


def recurse(n):
    return recurse(n - 1) + 1 if n else 0


def nap(seconds):
    time.sleep(seconds)


def numbers(count):
    for number in range(count):
        yield number


def capture(agent, call, function, count=1, **limits):
    """The records of one call, and the probe's counters."""
    probe = agent.add(module=__name__, function=function, **limits)["probe"]
    try:
        call()
    except BaseException:  # SystemExit too
        pass
    records = agent.wait(count) if count else []
    stats = agent.remove(probe)
    records += agent.records()
    assert len(records) == stats["captures"], stats
    return records, stats


def check_members(agent):
    start = time.time()
    (record,), _ = capture(agent, lambda: f(1, 2, 3, k=4), "f")
    line = f.__code__.co_firstlineno
    assert start - 0.01 < record["time"] < time.time() + 0.01
    assert record["thread"]["name"] == "MainThread"
    assert record["thread"]["id"] == os.getpid()
    assert record["function"] == __name__ + ":f"
    assert record["file"] == __file__ and record["line"] == line
    assert record["args"] == {
        "x": 1, "y": 2, "key": 1, "rest": {"$type": "tuple", "$items": [3]},
        "more": {"k": 4}}
    inner = record["locals"].pop("inner")
    assert inner["$type"] == "function"
    assert record["locals"] == {
        "y": 2, "key": 1, "rest": {"$type": "tuple", "$items": [3]},
        "more": {"k": 4}, "z": 1, "w": {"$type": "tuple", "$items": [1, 2]}}
    assert record["return"] == {"$type": "tuple", "$items": [1, 2]}
    assert 0 < record["duration_ns"] < 10 ** 9
    assert list(record)[:-2] == [
        "time", "thread", "function", "file", "line", "args", "locals",
        "return", "duration_ns", "stack"]
    (record,), _ = capture(agent, lambda: f(1), "*inner", count=1)
    assert record["locals"] == {"z": 1, "y": 2} and record["args"] == {}


def check_stack(agent):
    def outer(limits):
        return capture(agent, lambda: work(lambda: f(1)), "f", **limits)
    (record,), _ = outer({"stack": 3})
    first = f.__code__.co_firstlineno
    assert len(record["stack"]) == 3
    expected = {"function": __name__ + ":f", "file": __file__,
                "line": first + 7}
    if sys.version_info >= (3, 11):
        expected["column"] = 5
    assert record["stack"][-1] == expected, record["stack"][-1]
    assert record["stack"][0]["function"] == __name__ + ":work"
    assert record["stack"][0]["line"] == work.__code__.co_firstlineno + 1
    (record,), _ = outer({"stack": 0, "locals": 0})
    assert "stack" not in record and "locals" not in record
    (record,), _ = outer({"stack": 1})
    assert len(record["stack"]) == 1
    deep, _ = capture(agent, lambda: recurse(300), "recurse", 10,
                      stack=10000, record=0)
    assert max(len(record["stack"]) for record in deep) > 300
    small, _ = capture(agent, lambda: recurse(300), "recurse", 10,
                       stack=10000, record=3000)
    for record in small:
        assert record["stack"][-1]["function"] == __name__ + ":recurse"


class Silent(Exception):
    def __str__(self):
        raise AssertionError("code of the program ran")

    __repr__ = __str__


class Plain(Exception):
    pass


class Odd:
    def __repr__(self):
        raise AssertionError("code of the program ran")


def check_exceptions(agent):
    """The message is what str() says, for all that can say it safely."""
    odd = OSError(2, "text")
    odd.filename = Odd()
    for make in (
            lambda: ValueError(), lambda: ValueError("a\u20ac"),
            lambda: ValueError(5), lambda: ValueError(None),
            lambda: ValueError(1.5), lambda: ValueError("a", 1, None, b"x"),
            lambda: KeyError("k"), lambda: KeyError(1), lambda: KeyError(),
            lambda: OSError("x"), lambda: OSError(1, "x"),
            lambda: OSError(2, "x", "file"), lambda: Plain("p", 2),
            lambda: OSError(2, "x", "file", None, b"file2"),
            lambda: StopIteration(3), lambda: SystemExit(3),
            lambda: ImportError("no", name="x"), lambda: AssertionError(),
            lambda: RuntimeError("x" * 1000), lambda: 1 // 0,
            lambda: {}["k"], lambda: {}[1], lambda: int("x"),
            lambda: [][1], lambda: missing, lambda: None.attribute,  # noqa
            lambda: open("/nonexistent/path"), lambda: __import__("absent_m"),
            lambda: next(iter(())), lambda: os.mkdir("/proc")):
        expect_message(agent, make, True)
    for make in (lambda: ValueError(Odd()), lambda: Silent(Odd(), 1),
                 lambda: KeyError(Odd()),
                 lambda: OSError(Odd(), Odd()), lambda: ValueError((Odd(),)),
                 lambda: ValueError(*range(100))):
        expect_message(agent, make, False)
    (record,), _ = capture(agent, lambda: fail(lambda: odd), "fail")
    assert record["exception"]["message"] == "(2, 'text')"
    (record,), _ = capture(agent, lambda: fail(lambda: Silent("said")), "fail")
    assert record["exception"]["message"] == "said"
    (record,), _ = capture(agent, lambda: fail(lambda: Plain("y" * 2000)),
                           "fail", string=9)
    assert record["exception"]["message"] == "y" * 1024
    assert record["exception"]["$truncated"] is True
    assert record["exception"]["$len"] == 2000


def expect_message(agent, make, known):
    raised = []

    def make_and_keep():
        error = make()
        raised.append(error)
        return error
    (record,), _ = capture(agent, lambda: fail(make_and_keep), "fail")
    said = record["exception"]
    assert "return" not in record
    if raised:
        kind = type(raised[0])
        assert said["value"]["$id"] == hex(id(raised[0]))
    else:
        try:
            make()
        except Exception as error:
            raised.append(error)
        kind = type(raised[0])
    name = kind.__name__
    if kind.__module__ != "builtins":
        name = kind.__module__ + "." + name
    assert said["type"] == said["value"]["$type"] == name, said
    if known:
        assert said["message"] == str(raised[0]), (said, raised)
    else:
        assert said["message"] == ""


def check_threads(agent):
    seen = {}

    def target():
        seen[threading.current_thread().name] = native_id()
        f(1)

    def native_id():
        return int(os.readlink("/proc/thread-self").split("/")[-1])
    probe = agent.add(module=__name__, function="f")["probe"]
    for name in ("one", "tw\"o", "x" * 500):
        thread = threading.Thread(target=target, name=name)
        thread.start()
        thread.join()
    by_name = dict((record["thread"]["name"], record["thread"]["id"])
                   for record in agent.wait(3))
    assert by_name["one"] == seen["one"] and by_name["tw\"o"] == seen["tw\"o"]
    assert any(len(name) > 100 for name in by_name)
    main = threading.main_thread()
    before, main.name = main.name, "renamed"
    time.sleep(0.6)
    f(1)
    main.name = before
    assert agent.wait()[0]["thread"]["name"] == "renamed"
    agent.remove(probe)


class Shy(threading.Thread):
    """Reading its name would be running its code."""

    @property
    def _name(self):
        raise AssertionError("code of the program ran")

    @_name.setter
    def _name(self, value):
        pass

    def run(self):
        f(1)


def check_thread_without_name(agent):
    def start():
        thread = Shy(daemon=True)
        thread.start()
        thread.join(5)
    if sys.version_info >= (3, 14):
        return      # threading itself reads the name there
    (record,), _ = capture(agent, start, "f")
    assert record["thread"]["name"] == open("/proc/self/comm").read().strip()


def check_filters(agent):
    def calls():
        for seconds in (0, 0.05, 0):
            nap(seconds)
    records, stats = capture(agent, calls, "nap", min_duration_ns=40000000)
    assert [record["args"]["seconds"] for record in records] == [0.05]
    assert records[0]["duration_ns"] >= 40000000 and stats["hits"] == 3

    def outcomes():
        work(int)
        work(lambda: 1 // 0)
    (record,), stats = capture(agent, outcomes, "work", only_exceptions=1)
    assert record["exception"]["type"] == "ZeroDivisionError"


def check_rate(agent):
    """A call that the rate turned away did not begin before the probe."""
    def calls():
        for _ in range(50):
            work(int)
    records, stats = capture(agent, calls, "work", 2, rate=2)
    assert 2 <= len(records) <= 4 and stats["lost_rate"] >= 46
    assert not any("began" in record for record in records)


def check_too_many_calls(agent):
    """Beyond the bound calls are counted as lost; nothing is mixed up."""
    def calls():
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(20000)
        try:
            thread = threading.Thread(target=recurse, args=(6000,))
            old = threading.stack_size(512 << 20)
            thread.start()
            threading.stack_size(old)
            thread.join()
        finally:
            sys.setrecursionlimit(before)
    records, stats = capture(agent, calls, "recurse", 100, stack=0, locals=0)
    assert stats["hits"] == 6001
    assert stats["captures"] + stats["lost_calls"] == 6001
    assert stats["captures"] <= 4096
    for record in records:
        assert "began" not in record
        assert record["return"] == record["args"]["n"]
    (record,), _ = capture(agent, lambda: recurse(0), "recurse")
    assert record["args"] == {"n": 0}


def check_abandoned_generators(agent):
    """Generators that are dropped in the middle do not fill the table."""
    def calls():
        for _ in range(20000):
            next(numbers(5))
        kept = [numbers(5) for _ in range(6000)]
        for generator in kept:
            next(generator)
        del kept
    _, stats = capture(agent, calls, "numbers", 0, hits=1)
    records, stats = capture(agent, lambda: list(numbers(3)), "numbers")
    assert stats["captures"] == 1 and records[0]["args"] == {"count": 3}
    assert records[0]["locals"] == {"count": 3, "number": 2}


def check_running_already(agent):
    """A call that began before the probe: no arguments, no duration."""
    thread = threading.Thread(target=nap, args=(0.3,))
    thread.start()
    time.sleep(0.1)
    (record,), _ = capture(agent, thread.join, "nap")
    assert record["began"] == "before"
    assert "args" not in record and "duration_ns" not in record
    assert record["locals"] == {"seconds": 0.3}


def check_new_code_is_let_go(agent):
    """The cache of frames keeps a bounded number of code objects."""
    import weakref
    probe = agent.add(module=__name__, function="f", stack=3)["probe"]
    codes, seen = [], 0
    for number in range(3000):
        code = compile("f(%d)" % number, "generated%d" % number, "exec")
        codes.append(weakref.ref(code))
        exec(code, globals())
        del code
        for record in agent.records():
            seen += 1
            frame = record["stack"][-2]
            assert frame["file"] == "generated%d" % record["args"]["x"]
    assert seen == 3000
    assert sum(code() is not None for code in codes) < 1100
    agent.remove(probe)


def check_many_threads(agent):
    """Every call is paired with its own end, whoever else runs."""
    def loop(base):
        for number in range(base, base + 500):
            assert recurse(number % 7) == number % 7
            list(numbers(number % 5))
    one = agent.add(module=__name__, function="recurse")["probe"]
    two = agent.add(module=__name__, function="numbers", stack=0)["probe"]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=loop, args=(number * 1000,))
               for number in range(6)]
    for thread in threads:
        thread.start()
    records = []
    while any(thread.is_alive() for thread in threads):
        records += agent.records()
    sys.setswitchinterval(before)
    stats = [agent.remove(one), agent.remove(two)]
    records += agent.records()
    for record in records:
        if record["probe"] == one:
            assert record["return"] == record["args"]["n"]
        else:
            count = record["args"]["count"]
            assert record["locals"].get("number", -1) == count - 1
    assert len(records) == sum(each["captures"] for each in stats)
    lost = sum(each["lost_ring"] + each["lost_calls"] for each in stats)
    assert len(records) + lost == sum(each["hits"] for each in stats)


def check_ring_overflow(agent):
    def calls():
        for _ in range(3000):
            work(lambda: "x" * 250)
    _, stats = capture(agent, calls, "work", 0, stack=0)
    assert stats["lost_ring"] > 0
    assert stats["captures"] + stats["lost_ring"] == 3000


def check_errors_are_kept(agent):
    """A call inside of an exception's handling changes nothing about it."""
    class Reader:
        def __exit__(self, *error):
            f(1)
            seen.append(error[0])

        def __enter__(self):
            return self

        def __del__(self):
            f(2)
    seen = []

    def calls():
        try:
            with Reader():
                raise Plain("kept")
        except Plain as error:
            seen.append(str(error))
        try:
            "x".missing
        except AttributeError:
            f(3)
            seen.append(sys.exc_info()[0])
    capture(agent, calls, "f", 3)
    assert seen == [Plain, "kept", AttributeError], seen


def check_fork(agent):
    probe = agent.add(module=__name__, function="f")["probe"]
    f(1)
    child = os.fork()
    if not child:
        try:
            os._exit(f(2)[1] - 2)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(agent.wait()) == 1 and not agent.records()
    agent.remove(probe)


if __name__ == "__main__":
    inside.main(globals())
