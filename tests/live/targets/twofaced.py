# SPDX-License-Identifier: MIT
"""twofaced.py PLAIN SETUID REPORT: one process id, two masks, by exec, for
ever: a plain program of its user, and under a set-user-ID interpreter one of
root's, which looks for traces of a debugger in itself and appends what it finds
to REPORT. Its own functions tell who was looked at."""
import os
import sys
import time

ROOT_SECONDS = 0.04
USER_SECONDS = 0.02  # after a start that takes as long


def traces():
    """What of an agent is in this process."""
    with open("/proc/self/maps") as stream:
        found = [line.split()[-1] for line in stream
                 if "nopdb-agent" in line or "memfd:" in line]
    for task in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/comm" % task) as stream:
            name = stream.read().strip()
        if "nopdb" in name:
            found.append(name)
    with open("/proc/self/status") as stream:
        found += [line.strip() for line in stream
                  if line.startswith("TracerPid:") and line.split()[1] != "0"]
    return found


def rest(seconds):
    """In small pieces: a place where a thread can be stopped."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.001)


def as_root(plain, setuid, report):
    """The privileged mask: a name that no picture of its user's may show."""
    rest(ROOT_SECONDS)
    with open(report, "a") as stream:
        stream.write("%s\n" % (",".join(traces()) or "clean"))
    user = os.getuid()
    os.setresuid(user, user, user)
    os.execv(plain, [plain, __file__, plain, setuid, report])


def as_user(plain, setuid, report):
    rest(USER_SECONDS)
    os.execv(setuid, [setuid, __file__, plain, setuid, report])


if __name__ == "__main__":
    if os.geteuid() == 0:
        as_root(*sys.argv[1:])
    else:
        as_user(*sys.argv[1:])
