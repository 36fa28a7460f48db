# SPDX-License-Identifier: MIT
"""connect.py PATH FD: connects to a Unix socket as whoever runs it, and sends
the connection over FD."""
import socket
import sys

client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
client.connect(sys.argv[1])
with socket.socket(fileno=int(sys.argv[2])) as parent:
    socket.send_fds(parent, [b"x"], [client.fileno()])
