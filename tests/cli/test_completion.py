# SPDX-License-Identifier: MIT
"""The shells' completions, in the shells themselves; they offer what the usage
texts of the command name, neither less nor more."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from test_command import BUILD

NOPDB = str(BUILD / "nopdb")
SHELLS = ("bash", "zsh", "fish")


def output(*words):
    done = subprocess.run([NOPDB, *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, universal_newlines=True,
                          check=True)
    return done.stdout


def shell(name):
    path = shutil.which(name)
    if not path:
        pytest.skip("no " + name)
    return path


def verbs():
    return re.findall(r"^  ([a-z]+) ", output("help").split("Options")[0],
                      re.M)


def options(verb):
    """Every -x and --name of a verb's usage text."""
    text = output("help", verb)
    found = re.findall(r"^  (?:(-\w), |    )(--[\w-]+)", text, re.M)
    return {word for pair in found for word in pair if word}


@pytest.fixture
def script(tmp_path):
    def write(name):
        path = tmp_path / {"bash": "nopdb.bash", "zsh": "_nopdb",
                           "fish": "nopdb.fish"}[name]
        path.write_text(output("completion", name))
        return path
    return write


@pytest.fixture
def python_process():
    """A process whose first word says python."""
    process = subprocess.Popen(["/usr/bin/python3", "-c",
                                "input()"], stdin=subprocess.PIPE)
    yield process.pid
    process.kill()
    process.wait()


# ---- asking a shell ---------------------------------------------------------
def ask_bash(path, line):
    """What bash offers for the last word, words split as readline does."""
    words = [word for word in re.split(r"(=|:)|\s", line) if word]
    if line.endswith(" ") or line.endswith("="):
        words += [] if line.endswith("=") else [""]
    done = subprocess.run(
        [shell("bash"), "--norc", "-c",
         'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nopdb; '
         'printf "%s\\n" "${COMPREPLY[@]}"', str(path), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(path.parent),
        universal_newlines=True, check=True)
    assert done.stderr == ""
    return [word for word in done.stdout.split("\n") if word]


def ask_fish(path, line):
    done = subprocess.run(
        [shell("fish"), "--no-config", "-c",
         "source $argv[1]; complete -C $argv[2]", str(path), line],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(path.parent),
        universal_newlines=True, check=True,
        env=dict(os.environ, HOME=str(path.parent)))
    assert done.stderr == ""
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


def type_into(words, keys, wanted, cwd, seconds=30):
    """Types into a shell on a terminal; all that it shows until `wanted`, but
    for the bytes that move the cursor."""
    def text():
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x09\x0b-\x1f]", "",
                      shown.decode(errors="replace"))
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(str(cwd))
        env = dict(os.environ, PS1="> ", TERM="dumb", HOME=str(cwd),
                   ZDOTDIR=str(cwd), INPUTRC="/dev/null")
        os.execve(words[0], words, env)
    shown = b""
    deadline = time.monotonic() + seconds
    try:
        os.write(fd, keys.encode())
        while not re.search(wanted, text()):
            left = deadline - time.monotonic()
            assert left > 0, (text(), shown)
            if select.select([fd], [], [], left)[0]:
                shown += os.read(fd, 4096)
    finally:
        os.kill(pid, 9)
        os.close(fd)
        os.waitpid(pid, 0)
    return text()


ASK = {"bash": ask_bash, "fish": ask_fish}


# ---- the tests --------------------------------------------------------------
@pytest.mark.parametrize("name", SHELLS)
def test_syntax(script, name):
    subprocess.run([shell(name), "-n", str(script(name))], check=True)


@pytest.mark.parametrize("name", sorted(ASK))
def test_every_verb_and_nothing_else(script, name):
    path = script(name)
    assert sorted(ASK[name](path, "nopdb ")) == sorted(verbs())
    assert ASK[name](path, "nopdb cal") == ["calls"]
    assert "completion" not in verbs()
    assert sorted(ASK[name](path, "nopdb help ")) == sorted(verbs())
    assert sorted(ASK[name](path, "nopdb -q --socket /s ")) == sorted(verbs())


@pytest.mark.parametrize("name", sorted(ASK))
@pytest.mark.parametrize("verb", verbs())
def test_every_option_of_a_verb(script, name, verb):
    path, known = script(name), options(verb)
    assert {"--json", "-h"} <= known
    offered = set(ASK[name](path, "nopdb %s -" % verb))
    if name == "fish":      # joins letters: -h, -hq
        offered |= set(ASK[name](path, "nopdb %s --" % verb))
    assert offered == known


@pytest.mark.parametrize("name", sorted(ASK))
def test_processes(script, name, python_process):
    path = script(name)
    for line in ("nopdb calls ", "nopdb doctor ", "nopdb --json stack -l ",
                 "nopdb break -n 3 "):
        assert str(python_process) in ASK[name](path, line), line
    for line in ("nopdb ps ", "nopdb calls -n ", "nopdb calls --hits ",
                 "nopdb calls 1 ", "nopdb rm "):
        assert ASK[name](path, line) == [], line


@pytest.mark.parametrize("name", sorted(ASK))
def test_values(script, name):
    path = script(name)
    (path.parent / "probes.json").write_text("")
    (path.parent / "programs").mkdir()
    assert sorted(ASK[name](path, "nopdb calls 1 f --arrays ")) == [
        "full", "summary"]
    for line in ("nopdb apply 1 pro", "nopdb exec 1 --exec-file pro",
                 "nopdb stack 1 -o pro", "nopdb --socket pro"):
        found = [word.rstrip("/") for word in ASK[name](path, line)]
        assert sorted(found) == ["probes.json", "programs"], line
    found = ASK[name](path, "nopdb stack core --root pro")
    assert [word.rstrip("/") for word in found] == ["programs"]


def test_bash_splits_at_equals(script):
    path = script("bash")
    assert ask_bash(path, "nopdb calls 1 f --arrays=") == ["summary", "full"]
    assert ask_bash(path, "nopdb calls 1 f --arrays=s") == ["summary"]
    assert ask_bash(path, "nopdb stack --depth=3 -o pro") == []
    assert ask_bash(path, "nopdb --socket=x ca") == ["calls"]


def test_bash_on_a_terminal(script):
    path = script("bash")
    type_into([shell("bash"), "--norc", "--noprofile", "-i"],
              "source %s\nnopdb det\t--fo\t" % path,
              r"nopdb detach +--force", path.parent)


def test_zsh_on_a_terminal(script, python_process):
    path = script("zsh")
    zsh = [shell("zsh"), "-f", "-i"]
    setup = ("fpath=(%s $fpath); autoload -Uz compinit; compinit -u -d %s/dump"
             "; setopt no_beep; echo rea''dy\n"
             % (path.parent, path.parent))

    def typed(keys, wanted):
        return type_into(zsh, setup + keys, wanted, path.parent)
    typed("nopdb det\t--fo\t", r"nopdb detach +--force")
    typed("nopdb calls 1 f --only\t", r"--only-exceptions")
    typed("nopdb calls 1 f --arrays=s\t", r"--arrays=summary")
    typed("nopdb doctor %s\t\n" % str(python_process)[:-1],
          r"doctor %d" % python_process)
    # The list comes in pieces.
    typed("nopdb \t", r"(?s)\A(?=.*detach .*leave no trace)%s" % "".join(
        r"(?=.*\n\s*%s\b)" % verb for verb in verbs()))


def test_other_shells_are_refused():
    done = subprocess.run([NOPDB, "completion", "csh"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    assert done.returncode == 2 and "csh" in done.stderr


