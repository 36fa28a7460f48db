# SPDX-License-Identifier: MIT
"""Unprivileged users: their clients, programs and commands, and a daemon that
serves them all."""
import json
import os
import pathlib
import signal
import socket
import subprocess

import proc
from machine import BUILD, Daemon, Interpreter, Target
from rpc import Client, RpcError

# Every account can run it; those under root's home they cannot.
DEBIAN = Interpreter("debian", None, "/usr/bin/python3")
HELPER = pathlib.Path(__file__).resolve().parent / "targets" / "connect.py"

ALL = ["see", "stack", "capture", "eval", "exec", "debug"]


class User:
    """An account by its numbers; it need not be in /etc/passwd."""

    def __init__(self, uid, groups=()):
        self.uid = uid
        self.groups = tuple(groups)

    @property
    def prefix(self):
        groups = ("--groups=" + ",".join(map(str, self.groups))
                  if self.groups else "--clear-groups")
        return ("setpriv", "--reuid=%d" % self.uid, "--regid=%d" % self.uid,
                groups)

    def target(self, module, *args, **options):
        return Target(DEBIAN, module, *args, prefix=self.prefix, **options)

    def client(self, daemon):
        return UserClient(daemon.socket, self)

    def __repr__(self):
        return "user %d" % self.uid


ALICE = User(61101, groups=(61200, 61201))
BOB = User(61102, groups=(61201,))


class UserClient(Client):
    """A client whose socket was connected by a process of that user, which is
    what the kernel tells of it; the descriptor comes back to us."""

    def __init__(self, path, user):
        super().__init__(path)
        self.socket.close()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            done = subprocess.run(
                [*user.prefix, DEBIAN.path, str(HELPER), str(path),
                 str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                universal_newlines=True, timeout=20)
            assert done.returncode == 0, done.stdout
            _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        self.socket = socket.socket(fileno=fds[0])
        self.user = user

    def refusal(self, method, **params):
        """The error of a request that must fail."""
        try:
            result = self.call(method, **params)
        except RpcError as error:
            return error
        raise AssertionError("%s by %r: %r" % (method, self.user, result))


class SystemDaemon(Daemon):
    """A daemon that serves every user, with its policy and audit log."""

    def __init__(self, folder, policy=None, options=(), **others):
        folder = pathlib.Path(folder)
        os.chmod(folder, 0o755)
        self.policy = folder / "policy.json"
        self.audit_path = folder / "private" / "audit"
        self.audit_path.parent.mkdir(mode=0o700, exist_ok=True)
        if policy is not None:
            self.write(policy)
            options = ("--policy", str(self.policy), *options)
        if "--audit" not in options:
            options = ("--audit", str(self.audit_path), *options)
        super().__init__(folder, options=("--system", *options), **others)

    def write(self, policy):
        text = policy if isinstance(policy, str) else json.dumps(
            policy, indent=1)
        self.policy.write_text(text)

    def reload(self):
        """Reads the policy again; waits until that is written down."""
        before = len(self.audit("policy"))
        self.process.send_signal(signal.SIGHUP)
        return proc.wait_until(lambda: self.audit("policy")[before:], 10,
                               "word of the policy")[0]

    def audit(self, event=None):
        """The lines so far, all whole; of one event."""
        if not self.audit_path.exists():
            return []
        text = self.audit_path.read_text()
        lines = [json.loads(line) for line in text.splitlines()
                 if line.endswith("}")]
        return [line for line in lines
                if event is None or line["event"] == event]


def rules(*given, **others):
    """A policy of these rules."""
    return dict({"version": 1, "rules": list(given)}, **others)


def own(*rights, **others):
    return dict({"name": "own", "process": {"owner": "self"},
                 "rights": list(rights or ALL)}, **others)
