#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Becomes a service as its unit says, where no systemd runs: the socket, the
mounts, the capabilities, the filter of system calls, then the command.

Run as root in a mount namespace of its own (unshare --mount --propagation
private): unit_jail.py UNITS RUN [-CAPABILITY...]. UNITS is the folder of the
installed nopdbd.service and nopdbd.socket, RUN what is seen at /run/nopdb; a
capability that is named is left out. A call that the filter does not allow
ends the process with SIGSYS, instead of the unit's error, so that it shows.
"""
import ctypes
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 24, 38, 22
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, KILL, EPERM = 0x7fff0000, 0x80000000, 0x00050001
AF_UNIX, AF_NETLINK, NEW_NAMESPACES = 1, 16, 0x7e020080
HEADERS = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
CAPABILITIES = "/usr/include/linux/capability.h"


class Unit:
    """Its settings: those given several times as one list of words."""

    def __init__(self, path):
        self.values = {}
        text = pathlib.Path(path).read_text().replace("\\\n", " ")
        for line in text.splitlines():
            found = re.fullmatch(r"(\w+)=(.*)", line)
            if found:
                self.values.setdefault(found[1], []).append(found[2])

    def one(self, name):
        (value,) = self.values[name]
        return value

    def words(self, name):
        return [word for value in self.values[name]
                for word in value.split()]

    def yes(self, name):
        return self.one(name) == "yes"


def defined(path, pattern):
    """name -> number of the #defines of a header."""
    return {name: int(number) for name, number in re.findall(
        pattern, pathlib.Path(path).read_text())}


def call(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s%r: %s" % (name, arguments,
                                            os.strerror(number)))


# ---- what it sees -----------------------------------------------------------
def mount(*words):
    subprocess.run(["mount", *words], check=True)


def build_view(unit, run):
    """ProtectSystem=strict: all read-only but for the kernel's own and the
    runtime directory."""
    assert unit.one("ProtectSystem") == "strict"
    assert unit.one("RuntimeDirectory") == "nopdb"
    mount("-t", "tmpfs", "-o", "mode=755", "run", "/run")
    os.mkdir("/run/nopdb")
    mount("--bind", run, "/run/nopdb")
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        place = line.split()[1].encode().decode("unicode_escape")
        if not re.match("/(proc|sys|dev|run/nopdb)(/|$)", place):
            mount("-o", "remount,bind,ro", place)


# ---- what it may ------------------------------------------------------------
def drop_capabilities(unit, without):
    known = defined(CAPABILITIES, r"#define\s+(CAP_\w+)\s+(\d+)\b")
    kept = {known[name] for name in unit.words("CapabilityBoundingSet")}
    kept -= {known[name] for name in without}
    last = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())
    for number in range(last + 1):
        if number not in kept:
            call("prctl", PR_CAPBSET_DROP, number, 0, 0, 0)


def expanded(names):
    """The calls that these are, groups of them taken apart."""
    calls, groups = set(), [name for name in names if name[0] == "@"]
    calls |= set(names) - set(groups)
    for group in groups:
        listing = subprocess.run(["systemd-analyze", "syscall-filter", group],
                                 stdout=subprocess.PIPE, check=True,
                                 universal_newlines=True).stdout
        inner = [line.strip() for line in listing.splitlines()[1:]
                 if line.startswith("    ") and line.strip()[0] != "#"]
        calls |= expanded(inner)
    return calls


def allowed_calls(unit):
    allowed = set()
    for value in unit.values["SystemCallFilter"]:
        if value.startswith("~"):
            allowed -= expanded(value[1:].split())
        else:
            allowed |= expanded(value.split())
    return allowed


def instruction(code, constant, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, constant)


def guarded(number, checks):
    """If it is this call: the checks decide."""
    return instruction(EQUAL, number, 0, len(checks) // 8) + checks


def filter_program(unit):
    numbers = defined(HEADERS, r"#define __NR_(\w+) (\d+)")
    low_word = instruction(LOAD, 16)    # of the first argument
    families = unit.words("RestrictAddressFamilies")
    assert sorted(families) == ["AF_NETLINK", "AF_UNIX"]
    assert unit.yes("RestrictNamespaces")
    program = instruction(LOAD, 0)
    program += guarded(numbers["socket"], low_word
                       + instruction(EQUAL, AF_UNIX, 1, 0)
                       + instruction(EQUAL, AF_NETLINK, 0, 1)
                       + instruction(RETURN, ALLOW)
                       + instruction(RETURN, KILL))
    program += guarded(numbers["clone"], low_word
                       + instruction(ANY_BIT, NEW_NAMESPACES, 1, 0)
                       + instruction(RETURN, ALLOW)
                       + instruction(RETURN, KILL))
    # What its flags are no filter sees; systemd, too, says it is not there.
    program += guarded(numbers["clone3"], instruction(RETURN, 0x00050026))
    for name in sorted(allowed_calls(unit) - {"socket", "clone", "clone3"}):
        if name in numbers:
            program += guarded(numbers[name], instruction(RETURN, ALLOW))
    return program + instruction(RETURN, KILL)


def restrict(unit, without):
    drop_capabilities(unit, without)
    for name in ("NoNewPrivileges", "MemoryDenyWriteExecute"):
        assert unit.yes(name)
    program = filter_program(unit)
    code = ctypes.create_string_buffer(program, len(program))
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # A kernel before 6.3 does not know it.
    LIBC.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
    given = Program(len(program) // 8, ctypes.addressof(code))
    call("prctl", PR_SET_SECCOMP, 2, ctypes.byref(given), 0, 0)


# ---- becoming it ------------------------------------------------------------
def listen(unit):
    opened = socket.socket(socket.AF_UNIX)
    opened.bind(unit.one("ListenStream"))
    os.chmod(unit.one("ListenStream"), int(unit.one("SocketMode"), 8))
    opened.listen(int(unit.one("Backlog")))
    return opened.detach()


def main(units, run, *without):
    service = Unit(os.path.join(units, "nopdbd.service"))
    words = [word.strip('"') for word in service.words("ExecStart")]
    build_view(service, run)
    given = listen(Unit(os.path.join(units, "nopdbd.socket")))
    os.dup2(given, 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    os.umask(int(service.one("UMask"), 8))
    os.chdir("/")
    restrict(service, [name[1:] for name in without])
    os.execv(words[0], words)


if __name__ == "__main__":
    main(*sys.argv[1:])
