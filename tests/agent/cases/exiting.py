# SPDX-License-Identifier: MIT
"""The program ends while the agent is in it, its probes armed."""
import atexit
import threading
import time

from host import Agent


def target(x):
    return x


def work():
    while True:
        target(1)
        time.sleep(0)


class Late:
    def __del__(self):
        target(2)


def main():
    agent = Agent()
    agent.start()
    agent.add(module="__main__", function="target")
    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    globals()["late"] = Late()
    atexit.register(target, 3)
    time.sleep(0.05)


main()
