# SPDX-License-Identifier: MIT
"""A call that outlives the agent keeps two pages, no more: the next agent
takes them away once it has returned."""
import threading
import time

from hook_pages import pages
from host import Agent

go_on = threading.Event()


def outlives(number):
    go_on.wait()
    return number


def start(number):
    thread = threading.Thread(target=outlives, args=(number,))
    thread.start()
    time.sleep(0.02)
    return thread


threads = []
for round in range(3):
    with Agent() as agent:
        agent.add(module="__main__", function="outlives")
        threads.append(start(round))
    assert pages() == round + 1, pages()
go_on.set()
for thread in threads:
    thread.join()
with Agent() as agent:
    assert pages() == 1, pages()
assert pages() == 0, pages()
