# SPDX-License-Identifier: MIT
"""nopdb stack: suspended greenlets, where the interpreter has the module."""
import pytest

from machine import Target
from schema import Messages


class Greenlets(Target):
    def read(self, timeout=30.0):
        self.line = super().read(timeout)
        return self.line


@pytest.fixture(scope="module")
def target(python):
    running = Greenlets(python, "stack_greenlets", script=True)
    try:
        if "missing" in running.line:
            pytest.skip("no greenlet module for %s" % python.id)
        yield running
    finally:
        running.stop()


def check(record, truth):
    Messages().check("picture", record)
    found = {one["id"]: [one["type"].split(".")[-1], [
        (frame["function"], frame["file"], frame["line"])
        for frame in one["frames"]]] for one in record["greenlets"]}
    assert found == truth


def test_frames_are_what_they_say(target, client):
    """Read first, so that nothing laid their frames open for us."""
    record = client.call("stack", pid=target.pid, native="none", locals=True)
    truth = target.call("truth")
    assert len(truth) == 5
    check(record, truth)
    check(client.call("stack", pid=target.pid), truth)
    for one in record["greenlets"]:
        for frame in one["frames"]:
            if frame["function"].endswith(":plain"):
                assert frame["locals"]["secret_token"] == {
                    "$type": "str", "$redacted": "name"}


def test_command(target, cli, folder):
    result = cli("stack", target.pid, "--no-native", "-o", folder / "out")
    assert result.status == 0, result
    text = (folder / "out").read_text()
    assert text.count("  suspended\n") == 5
    assert "Job  suspended" in text and "greenlet.greenlet  suspended" in text
