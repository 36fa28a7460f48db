# SPDX-License-Identifier: MIT
"""nopdb stack finds an interpreter wherever it is: without its symbol, without
any section, in a program that is not Python's own. (Shared, static, stripped
and in another root they come as the interpreters of all tests.)"""
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

import proc
from machine import Interpreter, Target
from test_stack import python_frames

STATIC = pathlib.Path("/usr/bin/python3").resolve()
UWSGI = "/usr/lib/uwsgi/plugins/python3_plugin.so"
SECTION_TABLE = 40      # of an ELF header: e_shoff; at 60 e_shnum, e_shstrndx


def without_symbol(data):
    """The interpreter's state goes by another name."""
    assert data.count(b"\0_PyRuntime\0") >= 1
    return data.replace(b"\0_PyRuntime\0", b"\0_PyRunaway\0")


def without_sections(data):
    data = bytearray(without_symbol(data))
    struct.pack_into("<Q", data, SECTION_TABLE, 0)
    struct.pack_into("<HH", data, SECTION_TABLE + 20, 0, 0)
    return bytes(data)


@pytest.mark.parametrize("change, found_by", [
    (bytes, "symbol"), (without_symbol, "section"),
    (without_sections, "scan")], ids=["symbol", "section", "scan"])
def test_static(client, folder, change, found_by):
    """Debian's, which has no table of symbols to begin with."""
    path = folder / STATIC.name
    path.write_bytes(change(STATIC.read_bytes()))
    path.chmod(0o755)
    python = Interpreter("copy", None, str(path))
    with Target(python, "natives", env={"PYTHONHOME": "/usr"}) as target:
        target.start("receive", name="receive")

        def there():
            record = client.call("stack", pid=target.pid, native="none")
            assert record["found_by"] == found_by
            assert record["executable"] == str(path)
            return ["natives:receive"] in [
                [frame[0] for frame in python_frames(thread)][-1:]
                for thread in record["threads"]
                if thread["name"] == "receive"]
        proc.wait_until(there, 20, "the thread's frames")
        target.call("end")


class Hosted:
    """A program that is not Python and runs some."""

    def __init__(self, *words, **options):
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, **options)

    def __enter__(self):
        return self.process.pid

    def __exit__(self, *exc):
        os.killpg(self.process.pid, 9)
        self.process.wait()


def sleeping(client, pid, function):
    """The picture in which a thread sleeps in this function."""
    found = []

    def there():
        try:
            record = client.call("stack", pid=pid)
        except Exception:
            return False    # it has still to load Python
        found[:] = [record, [
            thread for thread in record["threads"]
            if [function] == [frame[0] for frame in python_frames(thread)
                              ][-1:] and "waits" in thread]]
        return len(found[1]) == 1
    proc.wait_until(there, 60, function)
    record, (thread,) = found
    assert thread["waits"]["for"] == "sleep"
    verdict, = [one for one in record["verdict"] if one["kind"] == "sleep"]
    assert verdict["threads"] == [thread["id"]]
    return record, thread


def test_embedded_in_gdb(client):
    code = ("import time\ndef nap():\n    time.sleep(1000)\n"
            "nap()\n")
    with Hosted("gdb", "-nx", "-batch", "-ex",
                "python exec(%r)" % code) as pid:
        record, thread = sleeping(client, pid, "__main__:nap")
        assert "python" in record["executable"]
        assert thread["merged"]
        assert any(frame.get("module") == "gdb"
                   for frame in thread["frames"])


@pytest.mark.skipif(not shutil.which("uwsgi") or not os.path.exists(UWSGI),
                    reason="no uwsgi with its Python plugin")
def test_embedded_in_uwsgi(client, folder):
    """One of its workers, while it answers."""
    (folder / "app.py").write_text(
        "import time\ndef nap():\n    time.sleep(1000)\nnap()\n")
    with Hosted("uwsgi", "--plugin", "python3", "--socket",
                str(folder / "socket"), "--wsgi-file", "app.py",
                "--need-app", cwd=str(folder)) as pid:
        record, thread = sleeping(client, pid, "uwsgi_file_app:nap")
        assert thread["merged"]
        assert any(frame.get("module", "").startswith("uwsgi")
                   for frame in thread["frames"])
