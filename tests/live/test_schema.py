# SPDX-License-Identifier: MIT
"""proto/schema.json describes what is really said on the socket."""
import jsonschema
import pytest

from machine import ROOT, Target
from rpc import RpcError
from schema import SCHEMA, CheckedClient, Messages, part

PACKAGES = ("json", "asyncio", "collections")


@pytest.fixture(scope="module")
def messages():
    return Messages()


@pytest.fixture
def checked(session_daemon, messages):
    with CheckedClient(session_daemon.socket, messages) as client:
        yield client


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_reference_leads_somewhere():
    def references(value):
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)
    found = set(references(SCHEMA))
    assert found
    assert all(name.startswith("#/$defs/")
               and name[len("#/$defs/"):] in SCHEMA["$defs"]
               for name in found), found


def test_every_method_and_error_is_in_it():
    """Read from the sources: a new one has to be described."""
    methods = set()
    for path in (ROOT / "daemon" / "methods").glob("*.c"):
        text = path.read_text()
        methods |= {name for name in SCHEMA["$defs"]["request"]["properties"]
                    ["method"]["enum"] if '"%s"' % name in text}
        assert "const struct method method_" in text, path
    count = sum(path.read_text().count("\nconst struct method method_")
                for path in (ROOT / "daemon" / "methods").glob("*.c"))
    assert len(methods) == count
    for name in methods:
        assert "params." + name in SCHEMA["$defs"]
        assert "result." + name in SCHEMA["$defs"]
    errors = (ROOT / "proto" / "error.h").read_text()
    for name in SCHEMA["$defs"]["error_name"]["enum"]:
        assert '"%s"' % name in errors
    assert errors.count("\tX(") == len(
        SCHEMA["$defs"]["error_name"]["enum"]) + 1  # "none"


@pytest.mark.parametrize("name, bad", [
    ("value", {"$type": "int", "$unheard": 1}),
    ("value", {"$id": "0x1"}), ("value", {"$ref": "1"}),
    ("value", {"$type": "dict", "$pairs": [[1]]}),
    ("value", {"a": {"$type": 3}}), ("value", [{"$type": "x", "$len": -1}]),
    ("record", {"event": "call"}), ("record", {"event": "nonsense"}),
    ("request", {"jsonrpc": "2.0", "method": "attach"}),
    ("request", {"jsonrpc": "2.0", "method": "attach", "params": {"pid": 0}}),
    ("params.probe.add", {"kind": "calls", "pid": 1, "line": 3}),
    ("params.probe.add", {"kind": "calls", "pid": 1, "target": "1"}),
    ("failure", {"jsonrpc": "2.0", "id": 1, "error": {
        "code": -1, "message": "", "data": {"name": "oops", "exit": 6}}}),
])
def test_it_refuses_what_is_none(name, bad):
    assert not part(name).is_valid(bad)


def refused(client, name, method, **params):
    with pytest.raises(RpcError) as caught:
        client.answer(client.request(method, **params))
    assert caught.value.name == name


def errors(client, pid):
    """Refusals of every family, each a failure that the schema knows."""
    refused(client, "no-such-method", "nonsense")
    refused(client, "invalid-params", "attach")
    refused(client, "no-such-process", "attach", pid=4194304)
    refused(client, "no-such-probe", "probe.remove", probe=4000000000)
    refused(client, "bad-location", "probe.add", pid=pid, kind="calls",
            where=":")
    refused(client, "bad-condition", "probe.add", pid=pid, kind="break",
            where="zoo:add", **{"if": "x ="})
    client.send_raw(b"{nonsense\n")
    client.wait(lambda: client.answers.pop(None, None))


def surroundings(client, pid):
    """Methods that set no probe."""
    client.call("hello", client="tests", protocol=1)
    client.call("ps")
    client.call("doctor")
    client.call("doctor", pid=pid)
    client.call("targets")
    client.call("stats")
    client.call("lines", pid=pid, where="zoo:add")
    client.call("stack", pid=pid, native="all", locals=True)
    client.call("stack", pid=pid, native="none", stop=True)


def every_value(client, target):
    """Each value of the zoo, by its default limits and without any."""
    for limits in ({}, {"depth": 0, "items": 0, "string": 0, "stack": 3},
                   {"depth": 1, "items": 1, "string": 1, "locals": False}):
        limits = dict({"hits": 0, "rate": 0}, **limits)
        with client.probe(target.pid, "zoo:show", limits) as probe:
            names = target.call("names")
            for name in names:
                target.call("show_named", name)
            probe.calls(len(names))


def outcomes(client, target):
    with client.probe(target.pid, limits={"rate": 0}, module="zoo") as probe:
        for name, args in (("raises_below", [3]), ("exits", []),
                           ("drain", [3]), ("throw_into", []),
                           ("run_async", ["use_numbers", [3]]),
                           ("run_async", ["failing_coroutine", [3]]),
                           ("signature", [1])):
            target.call(name, *args)
        probe.calls(7)
    with client.probe(target.pid, "zoo:burst", {"hits": 1}) as probe:
        target.call("burst", 1)
        probe.event("end")


def breakpoints(client, target):
    added = client.call(
        "probe.add", pid=target.pid, kind="break", where="zoo:add", line="+1",
        limits={"rate": 5}, thread="*", once_per="(x, y)",
        actions=[{"eval": "x"}, {"eval": "nothing"}, {"log": "x={x}"},
                 {"exec": "total = 1"}, {"exec": "1 / 0"}, {"stack": True}],
        **{"if": "x != 3"})
    client.call("probe.list", pid=target.pid)
    client.call("subscribe", probe=added["probe"])
    client.call("probe.disable", probe=added["probe"])
    client.call("probe.enable", probe=added["probe"])
    target.call("burst", 20)
    client.wait(lambda: [record for record in client.records
                         if record["event"] == "hit"])
    client.call("probe.remove", probe=added["probe"])
    added = client.call("probe.add", pid=target.pid, kind="break",
                        where="zoo:add", **{"if": "1 / 0"})
    target.call("add", 1, 2)
    client.wait(lambda: [record for record in client.records
                         if record["event"] == "error"])
    client.call("probe.remove", probe=added["probe"])


def evaluations(client, target):
    for params in ({"expr": "1 + 1"}, {"expr": "1 / 0", "module": "zoo"},
                   {"expr": "print(3)", "stdout": True}):
        client.call("eval", pid=target.pid, **params)
    client.call("exec", pid=target.pid, code="x = 1\nprint(x)", stdout=True)
    with pytest.raises(RpcError):
        client.call("eval", pid=target.pid, expr="1 +")


def more_of_a_probe(client, target):
    """What a probe that is set can get, and what else tells of it."""
    client.call("lines", pid=target.pid, where="zoo:add", line="+1")
    client.call("lines", pid=target.pid, callable="__import__('zoo').add")
    added = client.call("probe.add", pid=target.pid, kind="break",
                        callable="__import__('zoo').add", line="+1",
                        actions=[{"call": "zoo:nothing"}])
    client.call("probe.actions", probe=added["probe"],
                actions=[{"eval": "x"}, {"stack": True}])
    target.call("add", 1, 2)
    client.wait(lambda: [record for record in client.records
                         if record["event"] == "hit" and record.get("eval")])
    client.call("probe.list")
    client.call("probe.remove", probe=added["probe"])
    limits = {"yields": True, "rate": 0, "repr": True, "arrays": "full"}
    with client.probe(target.pid, limits=limits, module="zoo") as probe:
        target.call("drain", 3)
        probe.event("yield")
    client.call("exec", pid=target.pid, code="import sys, types\n"
                "sys.modules['nopdb.given'] = types.SimpleNamespace("
                "note=lambda things: 7)")
    with client.probe(target.pid, "zoo:add", {"live": True}) as probe:
        client.call("probe.list")
        target.call("add", 1, 2)
        assert probe.calls(1)[0]["live"] == [7, 7]


@pytest.mark.smoke
def test_a_rich_session(checked, messages, python):
    with Target(python, "zoo") as target:
        checked.call("attach", pid=target.pid)
        surroundings(checked, target.pid)
        errors(checked, target.pid)
        every_value(checked, target)
        outcomes(checked, target)
        breakpoints(checked, target)
        evaluations(checked, target)
        more_of_a_probe(checked, target)
        checked.call("detach", pid=target.pid)
        checked.wait(lambda: checked.records[-1]["event"] == "detached")
    for name in ("call", "hit", "yield", "error", "probe", "lost", "end",
                 "attached", "detached"):
        assert messages.seen.get("record." + name), name


def test_every_record_of_library_packages(checked, python):
    """A probe on all functions of three packages while their tests run."""
    limits = {"hits": 120, "rate": 0, "every": 3, "stack": 4}
    with Target(python, "library") as target:
        checked.call("attach", pid=target.pid)
        probes = [checked.probe(target.pid, limits=limits,
                                module=package + "*")
                  for package in PACKAGES]
        for package in PACKAGES:
            target.call("run_tests", package, 0.6)
        target.call("use", 40)
        for package, probe in zip(PACKAGES, probes):
            end = probe.event("end")
            assert end["captures"] == len(probe.of("call")), package
            assert end["captures"] > 60, (package, end)
        checked.call("detach", pid=target.pid)
