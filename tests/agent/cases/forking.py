# SPDX-License-Identifier: MIT
"""A child that was forked while armed runs on, unwatched."""
import os
import warnings

from host import Agent

warnings.simplefilter("ignore")     # 3.12+: fork with more than one thread


def target(x):
    return x


def child():
    for x in range(1000):
        if target(x) != x:
            os._exit(1)
    grandchild = os.fork()
    if not grandchild:
        target(1)
        os._exit(0)
    os._exit(os.waitpid(grandchild, 0)[1] != 0)


def main():
    with Agent() as agent:
        agent.add(module="__main__", function="[tc]*")
        for round in range(20):
            pid = os.fork()
            if not pid:
                child()
            assert os.waitpid(pid, 0)[1] == 0, round
        assert agent.raw() == []
        target(5)
        record, = agent.records()
        assert record["args"] == {"x": 5}


main()
