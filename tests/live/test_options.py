# SPDX-License-Identifier: MIT
"""The options of calls and break, each from the command line to the records."""
import pytest

import proc
from machine import Target

HANDLE = "clerk:handle"
LINE = ("--line", "total += 1")


@pytest.fixture(scope="module")
def clerk(newest):
    with Target(newest, "clerk") as target:
        yield target


@pytest.fixture
def run(clerk, cli):
    def run(verb, where, *options):
        result = cli(verb, clerk.pid, where, *options)
        assert result.status == 0, result
        clerk.check()
        return result
    return run


def numbers(records):
    return [record["args"]["number"] for record in records]


@pytest.fixture
def calls(run):
    return lambda *options: run("calls", HANDLE, *options).of("call")


@pytest.fixture
def hits(run):
    return lambda *options: run("break", HANDLE, *options).of("hit")


@pytest.mark.parametrize("name", ["beta", "b*", "!alpha"])
def test_thread(calls, name):
    found = calls("--thread", name, "-n", "6")
    assert {record["thread"]["name"] for record in found} == {"beta"}
    assert len(found) == 6


def test_after(calls, clerk):
    before = clerk.rounds()["beta"]
    (found,) = numbers(calls("--thread", "beta", "--after", "40", "-n", "1"))
    assert found > before + 40


def test_every(calls):
    found = numbers(calls("--thread", "beta", "--every", "3", "-n", "4"))
    assert [second - first for first, second in zip(found, found[1:])] == [
        3, 3, 3]


def test_min_duration(run, clerk, cli):
    result = cli("calls", clerk.pid, HANDLE, "--min-duration", "200ms",
                 "-t", "0.3")
    assert result.status == 1 and not result.of("call")
    assert run("calls", HANDLE, "--min-duration", "1us", "-n",
               "1").of("call")


def test_only_exceptions(clerk, cli):
    result = cli("calls", clerk.pid, HANDLE, "--only-exceptions", "-t", "0.3")
    assert result.status == 1 and not result.of("call")


def test_yields(run):
    result = run("calls", "clerk:pages", "--yields", "--thread", "beta", "-n",
                 "3")
    found = [record for record in result.records
             if record["event"] in ("yield", "call")]
    first = [record["value"] for record in found
             if record["event"] == "yield"][:2]
    assert first[1] == first[0] + 1


def test_repr(calls):
    (plain,) = calls("-n", "1")
    assert "$repr" not in plain["locals"]["slip"]
    (shown,) = calls("-n", "1", "--repr")
    assert shown["locals"]["slip"]["$repr"] == "a slip"


def test_limits_of_values(calls):
    (record,) = calls("-n", "1", "--items", "2", "--string", "3")
    names = record["locals"]["names"]
    assert "third" not in str(names) and "first" not in str(names)
    assert "fir" in str(names) and "sec" in str(names)
    (record,) = calls("-n", "1", "--depth", "1")
    assert "deep" not in str(record["locals"]["boxes"])
    (record,) = calls("-n", "1", "--depth", "9")
    assert "deep" in str(record["locals"]["boxes"])
    (record,) = calls("-n", "1", "--no-locals", "--stack", "1")
    assert "locals" not in record and len(record["stack"]) == 1


def test_source(hits):
    (record,) = hits(*LINE, "--source", "-n", "1")
    assert record["source"] == "total += 1"


def test_quiet(run, clerk, cli):
    assert run("calls", HANDLE, "-n", "1", "--quiet").err == ""
    result = cli("calls", 1 << 30, HANDLE, "--quiet")
    assert result.status and result.err


@pytest.mark.parametrize("line", ["total += 1", "+5"])
def test_actions_in_their_order(hits, line):
    (record,) = hits("--line", line, "-n", "1", "--log", "{total}", "--exec",
                     "total += 0", "--eval", "total")
    assert record["eval"][0]["value"] == int(record["log"][0])


def test_line_regex(hits):
    (record,) = hits("--line-regex", r"total \+= [0-9]", "-n", "1")
    (whole,) = hits("--line", "total += 1", "-n", "1")
    assert record["line"] == whole["line"]


def test_jump(hits, clerk):
    """Past the statement: one less comes out of it, once."""
    before = clerk.call("skipped")
    (record,) = hits(*LINE, "--jump", "for page in pages(number):", "-n", "1")
    assert record["function"] == HANDLE
    proc.wait_until(lambda: clerk.call("skipped") > before, 5, "jump")
    assert clerk.call("skipped") == before + 1


def test_if(hits):
    found = hits(*LINE, "--if", "number % 3 == 0", "--eval", "number", "-n",
                 "5")
    values = [record["eval"][0]["value"] for record in found]
    assert len(values) == 5 and not any(value % 3 for value in values)


def test_once_per(hits):
    found = hits(*LINE, "--once-per", "number % 3", "--eval", "number % 3",
                 "-n", "3")
    assert sorted(record["eval"][0]["value"] for record in found) == [0, 1, 2]


def test_exec_file(hits, tmp_path):
    path = tmp_path / "code.py"
    path.write_text("seen = number * 2\n")
    (record,) = hits(*LINE, "--exec-file", path, "--eval",
                     "seen == number * 2", "-n", "1")
    assert record["eval"][0]["value"] is True


def test_callable(run):
    result = run("calls", "--callable", "__import__('clerk').handle", "-n",
                 "1")
    assert result.of("call")[0]["function"] == HANDLE


def test_output(clerk, cli, tmp_path):
    path = tmp_path / "stack.json"
    result = cli("stack", clerk.pid, "--json", "--output", path)
    assert result.status == 0 and result.out == "", result
    assert '"event":"stack"' in path.read_text()
