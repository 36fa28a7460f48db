# SPDX-License-Identifier: MIT
"""The agent in our own process, played with as the daemon does.

    from host import Agent
    with Agent() as agent:
        probe = agent.add(module="app", function="f", hits=0)
        ...
        for record in agent.records(): ...

Loads nopdb-agent.so with ctypes into the running interpreter, whichever that
is (3.7 and later), runs it on a plain pthread, and holds the other end of its
control socket and of its ring. So every engine can be tried without the
injector. NOPDB_BUILD names the folder of the build (default: build).
"""
import array
import ctypes
import functools
import json
import mmap
import os
import pathlib
import re
import select
import signal
import socket
import struct
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NOPDB_BUILD", str(ROOT / "build")))

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.dlsym.restype = ctypes.c_void_p
LIBC.dlsym.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
LIBC.dlopen.restype = ctypes.c_void_p
LIBC.dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
LIBC.dlclose.argtypes = [ctypes.c_void_p]
LIBC.dlerror.restype = ctypes.c_char_p
LIBC.pthread_create.argtypes = [ctypes.c_void_p] * 4
LIBC.pthread_join.argtypes = [ctypes.c_ulong, ctypes.c_void_p]

ABI = 1
FRAME_MAGIC = 0x6e70
FRAME_MOST = 64 << 10
RING_MAGIC = 0x676E6972706F6E
BOOT_MAGIC = 0x424450504F4E
RING_HEADER = 4096
RING_SKIP = 0x80000000
UNLOAD, STAY = 0, 1

START, PING, PROBE_ADD, PROBE_REMOVE, PROBE_ENABLE, PROBE_DISABLE, LINES, \
    LEAVE = range(1, 9)
READY, PONG, PROBE_STATE, PROBE_REMOVED, LINES_ANSWER, ERROR, \
    LEAVING = range(64, 71)

RING_KINDS = {1: "call", 2: "hit", 3: "probe", 4: "error", 5: "done", 6: "yield"}

# Tags of proto/probe_spec.c.
TEXT_TAGS = {"module": 3, "file": 4, "function": 5, "redact": 64,
             "no_redact": 65}
NUMBER_TAGS = {"id": 1, "kind": 2, "hits": 6, "time_ms": 7, "rate": 8,
               "depth": 9, "items": 10, "string": 11, "stack": 12,
               "record": 13, "locals": 14, "min_duration_ns": 15,
               "only_exceptions": 16, "line_kind": 17, "line": 18,
               "every": 19, "after": 20, "eval_ms": 21, "exec_ms": 22, "strict": 66,
               "yields": 80,
               "arrays": 90, "repr": 91}
SCRIPT_TAGS = {"line_text": 23, "condition": 24, "thread": 25, "once_per": 26}
ACTION_TAGS = {"eval": 28, "exec": 29, "log": 30, "stack": 31, "jump": 32}
PROBE_BREAK, LINE_NUMBER = 2, 1

STATS = struct.Struct("<IIQQQQQII")
STATS_FIELDS = ("probe", "locations", "hits", "captures", "lost_ring",
                "lost_rate", "lost_size", "lost_calls", "cut")


class AgentError(Exception):
    """A FRAME_ERROR: its message and remedy."""

    def __init__(self, code, message, remedy):
        super().__init__(message)
        self.code, self.message, self.remedy = code, message, remedy


@functools.lru_cache(maxsize=None)
def symbol_names():
    """The names of proto/symbols.h in the order of enum boot_symbol."""
    text = (ROOT / "proto" / "symbols.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.findall(r"\bX\((\w+), (?:SYMBOL_ANY|\d)", text)


@functools.lru_cache(maxsize=None)
def error_names():
    text = (ROOT / "proto" / "error.h").read_text()
    return re.findall(r'X\([A-Z_]+, "([a-z-]+)"', text)


def text_of(raw):
    return raw.split(b"\0")[0].decode()


def define(name):
    """A number that a header of proto/ defines."""
    for header in ("boot.h", "limits.h"):
        found = re.search(r"#define %s (\w+)" % name,
                          (ROOT / "proto" / header).read_text())
        if found:
            return int(found.group(1).rstrip("u"), 0)
    raise KeyError(name)


@functools.lru_cache(maxsize=None)
def boot_type():
    """struct boot, read from its header: the fields and their types."""
    text = (ROOT / "proto" / "boot.h").read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    known = {"uint64_t": ctypes.c_uint64, "uint32_t": ctypes.c_uint32,
             "int32_t": ctypes.c_int32, "char": ctypes.c_char}
    sizes = {"SYM_COUNT": len(symbol_names())}
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", text,
                                 re.S | re.M):
        fields = []
        for kind, names in re.findall(r"(?:struct )?(\w+) ([^;]+);", body):
            for field in names.split(","):
                field, count = re.match(r"\s*(\w+)(?:\[(\w+)\])?",
                                        field).groups()
                one = known[kind]
                if count:
                    size = sizes.get(count)
                    if size is None:
                        size = int(count, 0) if count[0].isdigit() \
                            else define(count)
                    one = one * size
                fields.append((field, one))
        known[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
    return known["boot"]


def make_boot(agent_socket):
    kind = boot_type()
    boot = kind()
    names = symbol_names()
    boot.magic = BOOT_MAGIC
    boot.version = ABI
    boot.size = ctypes.sizeof(kind)
    boot.agent_socket = agent_socket
    boot.daemon_socket = -1
    boot.memfd = -1
    boot.symbols.version = ABI
    boot.symbols.count = len(names)
    for index, name in enumerate(names):
        boot.symbols.address[index] = LIBC.dlsym(None, name.encode()) or 0
    return boot


def encode_spec(identity, kind=1, actions=(), **fields):
    """probe_spec_encode: u16 tag, u16 length, bytes."""
    out = []
    texts = [(SCRIPT_TAGS[name], fields.pop(name))
             for name in list(fields) if name in SCRIPT_TAGS]
    texts += [(ACTION_TAGS[name], text) for name, text in actions]
    for tag, text in texts:
        raw = text.encode() + b"\0"
        out.append(struct.pack("<HH", tag, len(raw)) + raw)
    fields.update(id=identity, kind=kind)
    for name, value in fields.items():
        if name in TEXT_TAGS:
            raw = value.encode()
            out.append(struct.pack("<HH", TEXT_TAGS[name], len(raw)) + raw)
        else:
            out.append(struct.pack("<HHQ", NUMBER_TAGS[name], 8, int(value)))
    return b"".join(out)


class Ring:
    """The reader's side of proto/ring.h."""

    def __init__(self, size):
        self.size = size
        self.fd = LIBC.syscall(319, b"nopdb-test-ring", 1)  # memfd_create
        os.ftruncate(self.fd, RING_HEADER + size)
        self.map = mmap.mmap(self.fd, RING_HEADER + size)
        struct.pack_into("<QII", self.map, 0, RING_MAGIC, ABI, size)
        self.tail = 0

    def read(self):
        """All records that are committed: (kind, probe, text)."""
        found = []
        while True:
            head = struct.unpack_from("<Q", self.map, 64)[0]
            if self.tail == head:
                return found
            at = RING_HEADER + self.tail % self.size
            word = struct.unpack_from("<I", self.map, at)[0]
            if not word:
                return found
            total = word & ~RING_SKIP
            if not word & RING_SKIP:
                kind, _, probe, length = struct.unpack_from("<HHII", self.map,
                                                            at + 4)
                text = self.map[at + 16:at + 16 + length]
                found.append((RING_KINDS[kind], probe, text.decode()))
            self.map[at:at + total] = bytes(total)
            self.tail += total
            struct.pack_into("<Q", self.map, 128, self.tail)

    def close(self):
        self.map.close()
        os.close(self.fd)


class Agent:
    """One life of the agent. Entering starts it, leaving makes it leave."""

    def __init__(self, silence_ms=60000, ring_size=1 << 20, library=None,
                 timeout=20):
        self.library = str(library or BUILD / "nopdb-agent.so")
        self.silence_ms, self.ring_size = silence_ms, ring_size
        self.timeout = timeout
        self.ids = iter(range(1, 1 << 30))
        self.probes = iter(range(1, 1 << 30))
        self.left = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.left is None:
            self.leave()

    # ---- life --------------------------------------------------------------
    def load(self):
        """Maps the agent and starts its thread; it waits for START."""
        self.socket, theirs = socket.socketpair(socket.AF_UNIX,
                                                socket.SOCK_SEQPACKET)
        self.socket.settimeout(self.timeout)
        self.handle = LIBC.dlopen(self.library.encode(), os.RTLD_NOW)
        if not self.handle:
            raise OSError(LIBC.dlerror().decode())
        self.boot = make_boot(theirs.detach())
        self.ring = Ring(self.ring_size)
        self.eventfd = LIBC.eventfd(0, 0o2004000)
        self.thread = ctypes.c_ulong()
        entry = LIBC.dlsym(self.handle, b"nopdb_agent_main")
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
        failed = LIBC.pthread_create(ctypes.byref(self.thread), None, entry,
                                     ctypes.byref(self.boot))
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        assert not failed

    def start(self):
        self.load()
        payload = struct.pack("<IIII", ABI, self.silence_ms, self.ring_size, 0)
        try:
            self.ready = json.loads(self.ask(START, payload, READY,
                                             [self.ring.fd, self.eventfd]))
        except AgentError:
            self.finish()
            raise
        return self.ready

    def leave(self):
        """Asks it to leave; the enum boot_leave it answered."""
        answer = self.ask(LEAVE, b"", LEAVING)
        told = struct.unpack("<I", answer)[0]
        assert self.finish() == told
        return told

    def finish(self):
        """Waits for the thread and unmaps the agent if it may be."""
        value = ctypes.c_void_p()
        LIBC.pthread_join(self.thread, ctypes.byref(value))
        self.left = value.value or UNLOAD
        self.pending = self.ring.read()
        if self.left == UNLOAD:
            LIBC.dlclose(self.handle)
        self.socket.close()
        self.ring.close()
        os.close(self.eventfd)
        return self.left

    # ---- frames ------------------------------------------------------------
    def send(self, kind, payload=b"", fds=(), identity=None):
        identity = next(self.ids) if identity is None else identity
        header = struct.pack("<HHIII", FRAME_MAGIC, kind, identity,
                             len(payload), 0)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                   array.array("i", fds))] if fds else []
        self.socket.sendmsg([header + payload], rights)
        return identity

    def receive(self):
        """(type, id, payload) of the next frame; None at the end."""
        raw = self.socket.recv(FRAME_MOST)
        if not raw:
            return None
        magic, kind, identity, length, _ = struct.unpack_from("<HHIII", raw)
        assert magic == FRAME_MAGIC and length == len(raw) - 16
        return kind, identity, raw[16:]

    def ask(self, kind, payload, expected, fds=()):
        identity = self.send(kind, payload, fds)
        answer = self.receive()
        if answer is None:
            raise EOFError("the agent closed the socket")
        if answer[0] == ERROR:
            code, message, remedy = struct.unpack("<i256s256s", answer[2])
            raise AgentError(error_names()[code], text_of(message),
                             text_of(remedy))
        assert answer[:2] == (expected, identity), answer
        return answer[2]

    # ---- requests ----------------------------------------------------------
    def add(self, identity=None, **spec):
        """Sets a probe; its state, with "probe": id. No limits by default
        but of hits and rate: hits=0, rate=0."""
        identity = identity or next(self.probes)
        spec.setdefault("hits", 0)
        spec.setdefault("rate", 0)
        state = json.loads(self.ask(PROBE_ADD, encode_spec(identity, **spec),
                                    PROBE_STATE))
        state["probe"] = identity
        return state

    def stop_at(self, function, line=0, *actions, **spec):
        """A breakpoint of this program: at a line, 0: at the call."""
        if line:
            spec.update(line_kind=LINE_NUMBER, line=line)
        return self.add(kind=PROBE_BREAK, module="__main__", function=function,
                        actions=actions, **spec)["probe"]

    def remove(self, identity):
        return self.stats_of(self.ask(PROBE_REMOVE,
                                      struct.pack("<I", identity),
                                      PROBE_REMOVED))

    def enable(self, identity):
        return json.loads(self.ask(PROBE_ENABLE, struct.pack("<I", identity),
                                   PROBE_STATE))

    def disable(self, identity):
        return json.loads(self.ask(PROBE_DISABLE, struct.pack("<I", identity),
                                   PROBE_STATE))

    def lines(self, **spec):
        return json.loads(self.ask(LINES, encode_spec(1, **spec),
                                   LINES_ANSWER))

    def ping(self):
        """The counters of all probes, by id."""
        raw = self.ask(PING, b"", PONG)
        found = [self.stats_of(raw[at:at + STATS.size])
                 for at in range(0, len(raw), STATS.size)]
        return {stats["probe"]: stats for stats in found}

    @staticmethod
    def stats_of(raw):
        return dict(zip(STATS_FIELDS, STATS.unpack(raw)))

    # ---- records -----------------------------------------------------------
    def raw(self):
        """What is in the ring now: (kind, probe, JSON text)."""
        return self.ring.read()

    def records(self, kind="call"):
        """What is in the ring now, parsed, of one kind ("" for all); with
        "event" and "probe" as the daemon's envelope has them."""
        found = []
        for event, probe, text in self.raw():
            if kind in ("", event):
                found.append(dict(json.loads(text), event=event, probe=probe))
        return found

    def wait(self, count=1, kind="call", timeout=5):
        """Records until `count` of them came."""
        found, end = [], time.monotonic() + timeout
        while len(found) < count and time.monotonic() < end:
            found += self.records(kind)
            time.sleep(0.001)
        return found
