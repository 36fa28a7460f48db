# SPDX-License-Identifier: MIT
"""run.py MODULE [ARG...]: the main loop of every target program.

Imports MODULE (its main(args), if any, starts its threads), prints one JSON
line {"ready": PID} and then serves commands, one JSON object a line on stdin,
one answer a line on stdout:

    {"call": "a.b", "args": [...], "kwargs": {...}}   calls MODULE.a.b
    {"start": "a.b", ...}      the same in a thread of its own, named by "name"
    {"status": true}           what the target can tell about itself

At the end of stdin it exits at once, or as a program does when MODULE has
FINALIZE. Between commands the main thread sleeps in select(), so the program is idle
unless MODULE keeps threads of its own. Runs on CPython 3.7-3.15.
"""
import importlib
import json
import os
import select
import sys
import threading

import view


def resolve(module, path):
    """MODULE.a.b, by attribute access."""
    found = module
    for name in path.split("."):
        found = getattr(found, name)
    return found


def invoke(module, command):
    """Calls what the command names; the answer holds repr or exception."""
    path = command.get("call") or command["start"]
    function = resolve(module, path)
    try:
        result = function(*command.get("args", ()),
                          **command.get("kwargs", {}))
    except BaseException as error:  # the answer, whatever it is
        return {"exception": type(error).__name__, "message": str(error)}
    return {"result": repr(result)}


def answer(module, command):
    if "call" in command:
        return invoke(module, command)
    if "start" in command:
        thread = threading.Thread(target=invoke, args=(module, command),
                                  name=command.get("name"), daemon=True)
        thread.start()
        return {"started": thread.name}
    if "status" in command:
        return view.status(module)
    return {"unknown": sorted(command)}


def say(message):
    os.write(1, json.dumps(message).encode() + b"\n")


def serve(module):
    """Answers commands until stdin ends."""
    pending = b""
    while True:
        select.select([0], [], [])
        chunk = os.read(0, 65536)
        if not chunk:
            return
        pending += chunk
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            say(answer(module, json.loads(line.decode())))


def main():
    module = importlib.import_module(sys.argv[1])
    if hasattr(module, "main"):
        module.main(sys.argv[2:])
    say({"ready": os.getpid()})
    serve(module)
    if not hasattr(module, "FINALIZE"):
        os._exit(0)


if __name__ == "__main__":
    main()
