# SPDX-License-Identifier: MIT
"""What objects say of themselves, for probes that ask."""
import sys

import inside


class Told:
    calls = 0

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        Told.calls += 1
        return "<told %s>" % self.name


class Failing:
    def __repr__(self):
        raise ValueError("no repr \u00e9")


class Wrong:
    def __repr__(self):
        return 5


class Endless:
    def __repr__(self):
        while True:
            pass


class Plain:
    pass


def show(value):
    kept = value
    return kept


def record_of(agent, value, repr=1, **spec):
    probe = agent.add(module=__name__, function="show", repr=repr, **spec)[
        "probe"]
    before = sys.getrefcount(value)
    result = show(value)
    assert result is value
    assert sys.getrefcount(value) == before + 1     # result
    (record,) = agent.wait()
    agent.remove(probe)
    return record


def check_off_by_default(agent):
    Told.calls = 0
    record = record_of(agent, Told("a"), repr=0)
    assert Told.calls == 0
    assert "$repr" not in record["args"]["value"]


def check_told(agent):
    record = record_of(agent, Told("caf\u00e9"))
    for seen in (record["args"]["value"], record["locals"]["kept"],
                 record["return"]):
        assert seen["$repr"] == "<told caf\u00e9>", seen
        assert seen["$attrs"] == {"name": "caf\u00e9"}
    cut = record_of(agent, Told("x" * 100), string=10)["return"]
    assert cut["$repr"] == "<told xxxx" and cut["$truncated"] is True
    assert record_of(agent, [1, "a"])["return"] == [1, "a"]
    assert record_of(agent, Plain())["return"]["$repr"].startswith("<")
    assert record_of(agent, (1,))["return"] == {
        "$type": "tuple", "$items": [1]}


def check_errors_stay_in_the_record(agent):
    record = record_of(agent, Failing())
    for seen in (record["args"]["value"], record["return"]):
        assert "$repr" not in seen
        error = seen["$repr_error"]
        assert error["type"] == "ValueError", error
        assert error["message"] == "no repr \u00e9", error
    error = record_of(agent, Wrong())["return"]["$repr_error"]
    assert error["type"] == "TypeError"
    assert sys.exc_info() == (None, None, None)


def check_budget(agent):
    probe = agent.add(module=__name__, function="show", repr=1, eval_ms=20)[
        "probe"]
    value = Endless()
    assert show(value) is value
    assert show(value) is value
    records = agent.wait(2)
    agent.remove(probe)
    seen = records[0]["args"]["value"]
    assert "interrupted" in seen["$repr_error"]["message"]
    assert "$repr_error" not in records[1]["args"]["value"]


def check_secrets_are_not_asked(agent):
    def login(password, user):
        return user
    globals()["login"] = login
    Told.calls = 0
    probe = agent.add(module=__name__, function="*login", repr=1)["probe"]
    login(Told("hunter2"), Told("ann"))
    (record,) = agent.wait()
    agent.remove(probe)
    assert "hunter2" not in str(record)
    assert record["args"]["user"]["$repr"] == "<told ann>"
    strict = record_of(agent, Told("Bearer abcdefghijklmnop"), strict=1,
                       locals=0)
    assert "abcdefghijklmnop" not in str(strict["args"]["value"]["$repr"])


def check_the_tracer_sees_nothing(agent):
    events = []

    def trace(frame, event, argument):
        events.append((frame.f_code.co_name, event))
        return None
    value = Told("a")
    probe = agent.add(module=__name__, function="show", repr=1)["probe"]
    sys.settrace(trace)
    show(value)
    sys.settrace(None)
    agent.remove(probe)
    assert ("show", "call") in events
    if sys.version_info < (3, 12):
        assert not any(name == "__repr__" for name, _ in events), events


if __name__ == "__main__":
    inside.main(globals())
