# SPDX-License-Identifier: MIT
"""A child that was forked while probed: it runs on undisturbed, and can be
attached itself, whatever its parent's agent left in it."""
import os
import pathlib
import shutil
import sys
import tempfile
import threading

from host import Agent, BUILD

MONITORING = sys.monitoring


def probed(value):
    return value


def fails():
    raise KeyError


def other():
    yield 1
    yield 2


def attach_child(library):
    """In the child: the code ran with the parent's probe, then runs on."""
    for _ in range(3):
        assert probed(1) == 1 and list(other()) == [1, 2]
        try:
            fails()
        except KeyError:
            pass
    inherited = MONITORING.get_tool(4)
    with Agent(library=library) as agent:
        assert MONITORING.get_tool(4) not in (inherited, None)
        agent.add(module="__main__", function="probed")
        agent.add(module="__main__", function="other")
        assert probed(2) == 2 and list(other()) == [1, 2]
        found = [record["function"] for record in agent.records()]
        assert found == ["__main__:probed", "__main__:other"], found
    assert MONITORING.get_tool(4) is None


def fork(library):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            attach_child(library)
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def main(library):
    idle = threading.Event()
    thread = threading.Thread(target=idle.wait)
    thread.start()
    try:
        with Agent() as agent:
            for function in ("probed", "fails", "other"):
                agent.add(module="__main__", function=function)
            for _ in range(5):
                fork(library)
            probed(3)
            assert len(agent.records()) == 1
    finally:
        idle.set()
        thread.join()


with tempfile.TemporaryDirectory() as folder:
    # As the injector does it: each attach maps a file of its own.
    main(shutil.copy(str(BUILD / "nopdb-agent.so"),
                     str(pathlib.Path(folder) / "agent.so")))
