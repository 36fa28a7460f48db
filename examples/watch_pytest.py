#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""watch_pytest.py PID: a pytest run, observed from outside.

Attaches to a run that is under way and prints each test as it ends: its name,
how long it took, and why it failed. No plugin, no option, no restart.
"""
import sys

import nopdb


def main(pid: int) -> None:
    with nopdb.attach(pid) as run:
        with run.capture_calls("test_*", hits=0, seconds=0, rate=0,
                               locals=False, depth=1) as tests:
            print("watching", pid, flush=True)
            for test in tests:
                failure = test.exception
                words = ["FAIL" if failure else "pass", test.name,
                         "%.3f s" % (test.duration or 0)]
                if failure:
                    first = (failure.message or "").partition("\n")[0]
                    words.append("%s: %s" % (failure.type, first))
                print(*words, flush=True)
        print("ended:", tests.reason)


if __name__ == "__main__":
    main(int(sys.argv[1]))
