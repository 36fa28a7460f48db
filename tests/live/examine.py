# SPDX-License-Identifier: MIT
"""`nopdb doctor PID`, both ways that it answers."""
import os
import pty
import subprocess

from terminal import read_master


def in_text(cli, pid):
    """Exit status and text, as a wide terminal gets it."""
    master, slave = pty.openpty()
    process = subprocess.Popen(cli.words(("doctor", pid), ()),
                               env=dict(cli.env, COLUMNS="2000"),
                               stdin=subprocess.DEVNULL, stdout=slave,
                               stderr=slave)
    os.close(slave)
    text = b"".join(iter(lambda: read_master(master), b""))
    os.close(master)
    return process.wait(), text.decode()


def doctor(cli, pid):
    """Exit status and the checks by name, from the JSON; the text must say
    all of it, too."""
    listed = cli("doctor", pid, "--json")
    checks = {check["name"]: check for check in listed.records}
    status, text = in_text(cli, pid)
    assert status == listed.status, (text, listed)
    for check in checks.values():
        for member in ("name", "result", "detail", "remedy"):
            assert check.get(member, "") in text, (check, text)
    return listed.status, checks


def assert_foretold(cli, pid, name, refusal, *words):
    """The doctor names the check that attach fails with: the same exit
    status, message and remedy as those of `refusal`, a result of `nopdb
    calls`."""
    status, checks = doctor(cli, pid)
    check = checks[name]
    assert check["result"] == "fail", check
    assert status == refusal.status, (checks, refusal)
    for word in words:
        assert str(word) in check["detail"] + check["remedy"], check
    assert check["detail"] in refusal.err, (check, refusal)
    assert "remedy: " + check["remedy"] in refusal.err, (check, refusal)
    assert refusal.out == "", refusal
    return check


def assert_fine(cli, pid):
    """Nothing stands in the way."""
    status, checks = doctor(cli, pid)
    assert status == 0, checks
    assert not [check for check in checks.values()
                if check["result"] == "fail"]
    return checks
