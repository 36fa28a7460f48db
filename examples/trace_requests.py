#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""trace_requests.py PID [SECONDS]: the requests that a web server answers.

PID is a server made of http.server (python3 -m http.server, say). Prints one
line for each GET: what was asked, from where, how long it took, and what was
raised. The server is not stopped, and is left as it was.
"""
import sys

import nopdb


def main(pid: int, seconds: float) -> None:
    with nopdb.attach(pid) as server:
        with server.capture_calls("*.do_GET", seconds=seconds, hits=0,
                                  items=20) as requests:
            print("watching", pid, flush=True)
            for request in requests:
                handler = request.args["self"]
                ending = request.exception.type if request.exception else "ok"
                print("%s %s %.1f ms %s" % (
                    handler.client_address[0], handler.path,
                    (request.duration or 0) * 1e3, ending), flush=True)
        if requests.lost:
            print("not seen: %d" % requests.lost)


if __name__ == "__main__":
    main(int(sys.argv[1]),
         float(sys.argv[2]) if len(sys.argv) > 2 else 600.0)
