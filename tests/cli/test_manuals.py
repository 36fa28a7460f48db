# SPDX-License-Identifier: MIT
"""The manuals name every verb, option and environment variable that there is,
and none that there is not."""
import re
import subprocess

import pytest

from test_command import BUILD, HERE
from test_completion import options, output, verbs

MAN = HERE.parents[1] / "man"


def source(page):
    return (MAN / page).read_text().replace("\\\n", "")


def items(page):
    """The options that have an entry of their own in a list of a page."""
    found = set()
    for line in re.findall(r"^\.It (Fl .*)$", source(page), re.M):
        for flag in re.findall(r"(?:Fl | , )(?!Fl)(-?[\w-]+)", line):
            if flag.startswith("-") or len(flag) == 1:
                found.add("-" + flag)
    return found


def used(page):
    """Every option that a page speaks of."""
    return {"-" + flag for flag in re.findall(r"\bFl (-[\w-]+)",
                                              source(page))}


def daemon_options():
    done = subprocess.run([str(BUILD / "nopdbd"), "--help"], check=True,
                          stdout=subprocess.PIPE, universal_newlines=True)
    return set(re.findall(r"--[\w-]+", done.stdout))


def test_every_option_of_the_command_is_described():
    known = set().union(*(options(verb) for verb in verbs()))
    described = items("nopdb.1")
    assert known - described - used("nopdb.1") == set()
    # Told of within the text of another.
    assert known - described <= {"--force", "--eval-time", "--exec-time"}
    assert described - known == set()


def test_every_option_of_the_daemon_is_described():
    assert items("nopdbd.8") == daemon_options()


@pytest.mark.parametrize("page", ["nopdb.1", "nopdbd.8"])
def test_nothing_else_is_spoken_of(page):
    known = set().union(*(options(verb) for verb in verbs()))
    assert used(page) - known - daemon_options() == set()


def test_every_verb_is_in_the_synopsis_and_described():
    text = source("nopdb.1")
    synopsis = text.split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
    rest = text.split(".Sh DESCRIPTION")[1]
    for verb in verbs():
        assert re.search(r"^\.Cm .*\b%s\b" % verb, synopsis, re.M), verb
        assert re.search(r"^\.It Cm .*\b%s\b|^\.Cm %s$" % (verb, verb), rest,
                         re.M), verb


def test_defaults_are_those_of_the_table():
    """A default that a usage text names stands in the manual as well."""
    manual = re.sub(r"\s+", " ", source("nopdb.1"))
    calls = output("help", "calls")
    for name, default in re.findall(r"--([\w-]+) N +.*\(default (\d+)", calls):
        entries = re.findall(r"\.It (?:Fl \w Ar n , )?Fl -%s Ar n (.*?)\.It "
                             % name, manual)
        assert any(re.search(r"\b%s by default" % default, entry)
                   for entry in entries), name


def test_the_environment_is_described():
    """What the sources ask for."""
    for page, folder in (("nopdb.1", "clients/cli"), ("nopdbd.8", "daemon")):
        asked = set()
        for path in (HERE.parents[1] / folder).glob("*.c"):
            asked |= set(re.findall(r'(?:getenv|variable)\("(\w+)"',
                                    path.read_text()))
        named = set(re.findall(r"[A-Z][A-Z_]+", " ".join(re.findall(
            r"^\.It Ev (.*)$", source(page), re.M))))
        assert asked and asked == named
