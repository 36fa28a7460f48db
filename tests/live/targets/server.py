# SPDX-License-Identifier: MIT
"""An asyncio server and its clients in one program: the main thread serves
from epoll, another asks and checks every answer. Commands as in run.py, but
{"status": true} alone is known."""
import asyncio
import json
import os
import socket
import sys
import threading

import view

CLIENTS = 4
ASKED = {}
BAD = []


def tick(line):
    return line[::-1]


async def serve_one(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(tick(line.strip()) + b"\n")
        await writer.drain()
        await asyncio.sleep(0.001)
    writer.close()


def ask_forever(port, name):
    """Any failure, and any wrong answer, is noted."""
    connection = socket.create_connection(("127.0.0.1", port))
    stream = connection.makefile("rb")
    while True:
        question = b"%s-%d" % (name.encode(), ASKED[name])
        connection.sendall(question + b"\n")
        if stream.readline().strip() != question[::-1]:
            BAD.append(name)
            return
        ASKED[name] += 1


def guarded(port, name):
    try:
        ask_forever(port, name)
    except OSError as error:
        BAD.append("%s: %s" % (name, error))


def report():
    return {"rounds": dict(ASKED), "bad": list(BAD)}


def on_command():
    if not os.read(0, 65536):
        os._exit(0)
    os.write(1, json.dumps(view.status(sys.modules[__name__])).encode()
             + b"\n")


async def main():
    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for number in range(CLIENTS):
        name = "client-%d" % number
        ASKED[name] = 0
        threading.Thread(target=guarded, args=(port, name), name=name,
                         daemon=True).start()
    asyncio.get_running_loop().add_reader(0, on_command)
    os.write(1, json.dumps({"ready": os.getpid()}).encode() + b"\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
