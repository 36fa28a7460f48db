# SPDX-License-Identifier: MIT
"""man/nopdb-protocol.7: the session that it shows works as it stands there,
and its tables are those of the sources."""
import json
import os
import re
import subprocess

import pytest

from machine import ROOT, Target
from schema import SCHEMA

PAGE = ROOT / "man" / "nopdb-protocol.7"


def rendered():
    """The page as a reader sees it, and copies from it."""
    return subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=100", str(PAGE)],
        stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout


def plain(text):
    """Without the overstrikes of bold and underlined letters."""
    return re.sub(".\b", "", text)


def section(name):
    return re.search(r"^%s\n(.*?)(?=^\S)" % name, plain(rendered()),
                     re.M | re.S).group(1)


def blocks():
    """The examples' literal blocks, each as lines; they are in the source
    between .Bd and .Ed, and looked up in what is rendered."""
    text = section("EXAMPLES")
    found = []
    for source in re.findall(r"^\.Bd -literal\n(.*?)^\.Ed", PAGE.read_text(),
                             re.M | re.S):
        first, *_ = lines = source.rstrip("\n").split("\n")
        shown = text.split("\n")
        (start,) = [number for number, line in enumerate(shown)
                    if line.strip() == first.strip()]
        indent = len(shown[start]) - len(shown[start].lstrip())
        found.append([line[indent:] for line
                      in shown[start:start + len(lines)]])
    return found


@pytest.fixture(scope="module")
def session():
    *commands, printed = blocks()
    assert len(commands) == 4
    return "\n".join(line for block in commands for line in block), printed


def converse(session, daemon, target, where, function):
    """Runs it; what it printed."""
    shell = subprocess.Popen(
        ["bash", "--norc", "-eu", "-o", "pipefail", "-c", session],
        env=dict(os.environ, NOPDB_SOCKET=str(daemon.socket),
                 PID=str(target.pid), WHERE=where),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)
    try:
        number = 0
        while shell.poll() is None:
            number += 1
            target.call(function, 1, number)
        out, err = shell.communicate(timeout=60)
    finally:
        shell.kill()
        shell.wait()
    assert (shell.returncode, err) == (0, ""), (out, err)
    return [json.loads(line) for line in out.splitlines()]


def test_the_session_works(session, session_daemon, python):
    with Target(python, "zoo") as target:
        said = converse(session[0], session_daemon, target, "zoo:add", "add")
    processes = [row for row in said if "enter" in row]
    assert target.pid in [row["pid"] for row in processes]
    hello, attached, *calls, end, left = said[len(processes):]
    assert (hello["server"], hello["protocol"]) == ("nopdbd", 1)
    assert attached["pid"] == target.pid
    assert len(calls) == 3
    for call in calls:
        assert call["function"] == "zoo:add"
        assert call["return"] == call["args"]["x"] + call["args"]["y"]
    assert end == {"hits": 3, "captures": 3, "reason": "hits"}
    assert left == {"target": attached["target"], "detached": True}


def test_what_it_is_said_to_print(session, session_daemon, newest):
    """Line by line the same members, in their order."""
    with Target(newest, "zoo") as target:
        said = converse(session[0], session_daemon, target, "zoo:add", "add")
    mine = [row for row in said
            if "enter" not in row or row["pid"] == target.pid]
    assert len(mine) == len(session[1])
    for row, line in zip(mine, session[1]):
        cut = line.endswith(",...}")
        shown = json.loads(line.replace(",...}", "}"))
        names = list(row)[:len(shown)] if cut else list(row)
        assert names == list(shown), line


def test_it_tells_of_a_refusal(session, session_daemon, newest):
    """The helpers print the message of an error, too."""
    helpers = session[0].split("ask hello")[0]
    done = subprocess.run(
        ["bash", "--norc", "-c", helpers.split("\n", 3)[3]
         + "ask hello '{\"protocol\": 99}'\nanswer\n"],
        env=dict(os.environ, NOPDB_SOCKET=str(session_daemon.socket)),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60,
        universal_newlines=True)
    assert "protocol 99 is too new" in done.stdout


# ---- tables -----------------------------------------------------------------
def test_every_error_is_listed():
    table = re.findall(r'X\(\w+, "([\w-]+)", (-?\d+), (\d)\)',
                       (ROOT / "proto" / "error.h").read_text())
    listed = re.findall(r"^\.It Li (\S+) Ta (-\d+) Ta (\d)$",
                        PAGE.read_text(), re.M)
    assert listed == [row for row in table if row[0] != "none"]


def methods():
    """Method -> its parameters, as the page has them."""
    text = PAGE.read_text().replace("\\\n", "")
    text = text.split(".Sh METHODS")[1].split(".Sh ")[0]
    found = {}
    for item in re.findall(r"^\.It (.*)$", text, re.M):
        for name, params in re.findall(
                r"(?:^|, )Li ([\w.]+)(?: No \(([^)]*)\))?", item):
            found[name] = set(re.split(r", | or ", params)) - {""}
    return found


def test_every_method_has_its_parameters():
    shown_methods = methods()
    assert set(shown_methods) == set(
        SCHEMA["$defs"]["request"]["properties"]["method"]["enum"])
    for name, shown in shown_methods.items():
        params = set(SCHEMA["$defs"]["params." + name]["properties"])
        assert shown == params, name


def test_limits_are_those_of_the_sources():
    text = re.sub(r"\s+", " ", plain(rendered()))
    limits = (ROOT / "proto" / "limits.h").read_text()
    for define, words in (
            (r"LIMIT_LINE \(1u << 20\)", "at most 1 MiB"),
            (r"LIMIT_JSON_DEPTH 64", "64 levels of nesting"),
            (r"LIMIT_CLIENT_QUEUE \(2u << 20\)", "up to 2 MiB of records"),
            (r"LIMIT_CLIENTS 128", "has 128 clients"),
            (r"NOPDB_PROTOCOL 1\n", "This is protocol 1.")):
        assert re.search(define, limits), define
        assert words in text, words
    assert "CALLS_MAX 256" in (ROOT / "daemon/method.c").read_text()
    assert "may have 256 requests unanswered" in text
