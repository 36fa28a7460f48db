# SPDX-License-Identifier: MIT
"""natives: a thread that waits in C, called from a line of its own."""
import socket

ours, theirs = socket.socketpair()


def receive():
    return ours.recv(100)


def end():
    theirs.send(b"x")
