# SPDX-License-Identifier: MIT
"""A program as they are: Flask (Debian's) behind werkzeug's server with
threads, under wrk: requests a second and the time of the slowest, without
nopdb, with a probe that is never reached, and with every request captured."""
import re
import shutil
import subprocess
import sys

from stand import UNLIMITED, median
from stream_rows import Reader

SECONDS = 2
ROUNDS = 3


def load(port):
    """(requests a second, the 99th percentile in milliseconds)."""
    done = subprocess.run(
        ["wrk", "-t1", "-c8", "-d%ds" % SECONDS, "--latency",
         "http://127.0.0.1:%d/basket/7" % port], stdout=subprocess.PIPE,
        check=True)
    text = done.stdout.decode()
    assert "Non-2xx" not in text, text
    slow, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            float(slow) * {"us": 0.001, "ms": 1, "s": 1000}[unit])


def has_flask(python):
    return not subprocess.run(
        [str(python.path), "-c", "import flask"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode


def measure_web(stand):
    """{state: {"requests", "p99_ms", "ratio"}}; None without Flask or wrk."""
    if not shutil.which("wrk") or not has_flask(stand.python):
        print("bench: no Flask or no wrk for %s" % stand.python.id,
              file=sys.stderr)
        return None
    figures = {state: [] for state in ("plain", "idle", "captured")}
    with stand.target("website") as target:
        port = target.call("serve")
        load(port)
        for _ in range(ROUNDS):
            figures["plain"].append(load(port))
            for state, function in (("idle", "never"),
                                    ("captured", "basket")):
                stand.attach(target)
                probe = stand.client.probe(
                    target.pid, "website:" + function,
                    dict(UNLIMITED, stack=10))
                reader = Reader(stand.client)
                figures[state].append(load(port))
                reader.end()
                probe.remove()
                stand.detach(target)
    plain = median([requests for requests, _ in figures["plain"]], 1)
    return {state: {
        "requests": median([each[0] for each in values], 1),
        "p99_ms": median([each[1] for each in values], 2),
        "ratio": round(plain / median([each[0] for each in values], 1), 3)}
        for state, values in figures.items()}


def web_table(results):
    yield "%-13s %-10s %12s %10s %8s" % (
        "Flask, wrk", "", "requests/s", "p99, ms", "ratio")
    for name, result in results.items():
        for state, row in (result["web"] or {}).items():
            yield "%-13s %-10s %12.1f %10.2f %8.3f" % (
                name, state, row["requests"], row["p99_ms"], row["ratio"])
