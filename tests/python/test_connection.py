# SPDX-License-Identifier: MIT
"""The connection against a daemon that is played here."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import nopdb
from nopdb import yama
from nopdb.connection import Connection, parse
from nopdb.launch import connect, default_sockets, find_program


class Daemon:
    """Answers each request with what reply(request) gives: bytes."""

    def __init__(self, reply):
        self.folder = tempfile.TemporaryDirectory(prefix="nopdb-")
        self.path = os.path.join(self.folder.name, "sock")
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(1)
        self.reply = reply
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        peer, _ = self.server.accept()
        with peer, peer.makefile("rb") as lines:
            for line in lines:
                answer = self.reply(json.loads(line.decode()))
                if answer is None:
                    return
                peer.sendall(answer)

    def __enter__(self):
        self.connection = Connection(self.path)
        return self.connection

    def __exit__(self, *exc):
        self.connection.close()
        self.thread.join(10)
        self.server.close()
        self.folder.cleanup()


def line(**members):
    return json.dumps(dict(members, jsonrpc="2.0")).encode() + b"\n"


def good(request):
    return line(id=request["id"], result={"method": request["method"]})


class Talking(unittest.TestCase):
    def test_answers(self):
        with Daemon(good) as connection:
            self.assertEqual(connection.call("hello"), {"method": "hello"})

    def test_an_error_says_everything(self):
        def refuse(request):
            return line(id=request["id"], error={
                "code": -32010, "message": "no", "data": {
                    "name": "not-permitted", "exit": 3, "remedy": "ask"}})
        with Daemon(refuse) as connection:
            with self.assertRaises(nopdb.NotPermitted) as caught:
                connection.call("attach", pid=1)
        error = caught.exception
        self.assertEqual((error.name, error.exit, error.remedy, error.message),
                         ("not-permitted", 3, "ask", "no"))
        self.assertEqual(str(error), "no (remedy: ask)")

    def test_another_protocol_is_told_of(self):
        asked = []

        def refuse(request):
            asked.append((request["method"], request["params"]["protocol"]))
            return line(id=request["id"], error={
                "code": -32002, "message": "too new", "data": {
                    "name": "protocol", "exit": 6, "remedy": "end it"}})
        daemon = Daemon(refuse)
        self.addCleanup(daemon.folder.cleanup)
        self.addCleanup(daemon.server.close)
        with self.assertRaises(nopdb.DaemonError) as caught:
            nopdb.attach(1, daemon.path)
        self.assertEqual(str(caught.exception), "too new (remedy: end it)")
        self.assertEqual(asked, [("hello", 1)])

    def test_records_come_in_order_behind_the_answer(self):
        def three(request):
            records = [line(method="record", params={"probe": 7, "seq": n})
                       for n in range(3)]
            return good(request) + b"".join(records)
        found, arrived = [], threading.Event()

        def take(record):
            found.append(record["seq"])
            if len(found) == 3:
                arrived.set()
        with Daemon(three) as connection:
            connection.call("x", arrived=lambda answer:
                            connection.claim(7, take))
            self.assertTrue(arrived.wait(10))
        self.assertEqual(found, [0, 1, 2])

    def test_many_threads(self):
        with Daemon(good) as connection:
            names, threads = [], []
            for number in range(8):
                threads.append(threading.Thread(target=lambda n=number: [
                    names.append(connection.call("m%d" % n)["method"])
                    for _ in range(20)]))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        self.assertEqual(len(names), 160)

    def test_nonsense_is_left_out_and_counted(self):
        junk = [b"nonsense", b"[1]", b"\xff\xfe", b"{}", b"{\"id\":[]}",
                b"[" * 100000, b"{\"method\":\"record\",\"params\":3}",
                b"{\"id\":1}{\"id\":1}"]

        def noisy(request):
            return b"\n".join(junk) + b"\n" + good(request)
        with Daemon(noisy) as connection:
            self.assertEqual(connection.call("x"), {"method": "x"})
            self.assertEqual(connection.malformed, len(junk))

    def test_the_daemon_goes(self):
        with Daemon(lambda request: None) as connection:
            with self.assertRaises(nopdb.DaemonError):
                connection.call("x")
            with self.assertRaises(nopdb.DaemonError):
                connection.call("x")

    def test_no_answer_in_time(self):
        with Daemon(lambda request: b"") as connection:
            with self.assertRaises(nopdb.DaemonError):
                connection.call("x", timeout=0.05)

    def test_a_child_has_none(self):
        with Daemon(good) as connection:
            child = os.fork()
            if child == 0:
                try:
                    connection.call("x")
                    os._exit(1)
                except nopdb.DaemonError:
                    os._exit(0)
                finally:
                    os._exit(2)
            self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_parse(self):
        self.assertEqual(parse(b'{"a":1} '), {"a": 1})
        for bad in (b"", b"1", b'{"a":1}x', b"{", b"\xc3("):
            with self.assertRaises(nopdb.DecodeError):
                parse(bad)


class Launching(unittest.TestCase):
    def setUp(self):
        self.before = dict(os.environ)

    def tearDown(self):
        os.environ.clear()
        os.environ.update(self.before)

    def test_the_programs_of_a_build(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "nopdbd")
            with open(path, "w"):
                pass
            os.environ["NOPDB_BUILD"] = folder
            self.assertNotEqual(find_program("nopdbd"), path)
            os.chmod(path, 0o755)
            self.assertEqual(find_program("nopdbd"), path)
        self.assertIsNone(find_program("no-such-program-of-nopdb"))

    def test_the_programs_of_an_install(self):
        """PREFIX/bin beside PREFIX/lib/nopdb/python."""
        with tempfile.TemporaryDirectory() as prefix:
            package = os.path.join(prefix, "lib", "nopdb", "python")
            shutil.copytree(os.path.dirname(nopdb.__file__),
                            os.path.join(package, "nopdb"))
            path = os.path.join(prefix, "bin", "nopdbd")
            os.mkdir(os.path.dirname(path))
            with open(path, "w"):
                pass
            os.chmod(path, 0o755)
            env = dict(os.environ, PYTHONPATH=package)
            env.pop("NOPDB_BUILD", None)
            found = subprocess.run(
                [sys.executable, "-c", "from nopdb.launch import find_program"
                 "; print(find_program('nopdbd'))"], env=env, check=True,
                stdout=subprocess.PIPE, universal_newlines=True).stdout
            self.assertEqual(found.strip(), os.path.realpath(path))

    def test_a_folder_of_others_is_not_used(self):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_RUNTIME_DIR"] = folder
            self.assertEqual(default_sockets()[0], folder + "/nopdb/sock")
            os.chmod(folder, 0o777)
            self.assertNotIn(folder + "/nopdb/sock", default_sockets())

    @unittest.skipUnless(os.path.exists("/bin/sh"), "no /bin/sh in this root")
    def test_a_daemon_that_does_not_start(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "nopdbd")
            with open(path, "w") as program:
                program.write("#!/bin/sh\necho broken >&2\n")
            os.chmod(path, 0o755)
            os.environ["NOPDB_BUILD"] = folder
            before = nopdb.launch.START_SECONDS
            nopdb.launch.START_SECONDS = 0.5
            try:
                with self.assertRaisesRegex(nopdb.DaemonError, "broken"):
                    connect(os.path.join(folder, "sock"))
            finally:
                nopdb.launch.START_SECONDS = before


class Permitting(unittest.TestCase):
    def test_where_it_is_restricted(self):
        with tempfile.TemporaryDirectory() as folder:
            scope = pathlib.Path(folder, "ptrace_scope")
            self.assertFalse(yama.is_restricted(scope))
            for text, restricted in (("0\n", False), ("1\n", True),
                                     ("2\n", False), ("3\n", False)):
                scope.write_text(text)
                self.assertEqual(yama.is_restricted(scope),
                                 restricted and os.geteuid() != 0, text)

    @unittest.skipUnless(os.path.exists("/proc/sys/kernel"),
                         "no /proc in this root")
    def test_who_may_enter(self):
        """With Yama the kernel takes it, without it says so."""
        self.assertEqual(yama.permit(os.getpid()), yama.SCOPE.exists())
        self.assertEqual(yama.permit(0), yama.SCOPE.exists())


if __name__ == "__main__":
    unittest.main()
