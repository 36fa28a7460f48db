# SPDX-License-Identifier: MIT
"""The nopdb command on a pseudo-terminal, as a user has it."""
import os
import pty
import re
import select
import signal
import subprocess
import time

from machine import Command

PROMPT = "(Pdb) "


def read_master(master):
    """What it shows next; b"" at its end. Linux says EIO, the end, also to a
    reader that had found nothing when the last words came (n_tty_read, 6.18:
    9 of 600,000 programs on a busy machine); asked again, it gives them."""
    for _ in range(2):
        try:
            return os.read(master, 65536)
        except OSError:
            pass
    return b""


class Terminal:
    """One command; what it wrote is in text. Ends with the `with` block."""

    def __init__(self, socket, *args):
        command = Command(socket)
        self.master, slave = pty.openpty()
        self.text = ""
        self.seen = 0
        self.process = subprocess.Popen(
            command.words(args, ()), env=command.env, stdin=slave,
            stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(
                0, __import__("termios").TIOCSCTTY, 0))
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)

    def read(self, timeout):
        """Takes in what comes; False at the end."""
        if not select.select([self.master], [], [], max(timeout, 0))[0]:
            return True
        data = read_master(self.master)
        self.text += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, wanted, timeout=20.0):
        """Waits for a text behind what was expected last; what is before
        it."""
        deadline = time.monotonic() + timeout
        while wanted not in self.text[self.seen:]:
            more = self.read(deadline - time.monotonic())
            if wanted in self.text[self.seen:]:
                break
            if not more or time.monotonic() > deadline:
                raise AssertionError("no %r in %r" % (
                    wanted, self.text[self.seen:][-3000:]))
        start = self.seen
        self.seen = self.text.index(wanted, start) + len(wanted)
        return self.text[start:self.seen - len(wanted)]

    def write(self, text):
        os.write(self.master, text.encode())

    def say(self, line):
        """Types a line at the prompt; what came before the next."""
        self.write(line + "\n")
        answer = self.expect(PROMPT)
        return re.sub(r"\A%s\n" % re.escape(line), "", answer)

    def wait(self, timeout=20.0):
        """Its exit status."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        while self.read(0) and select.select([self.master], [], [], 0)[0]:
            pass
        assert self.process.poll() is not None, self.text[-3000:]
        return self.process.returncode

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
