# SPDX-License-Identifier: MIT
"""Five busy threads that check their own sums, and a main thread asleep."""
import hashlib
import json
import re
import threading

ROUNDS = {}
BAD = []
DOCUMENT = {"name": "nopdb", "list": list(range(40)),
            "nested": {"a": [1.5, None, True, "\u00e9\u4e2d"], "b": {"c": "d"}}}
TEXT = " ".join("key%d=%d;" % (n, n * n) for n in range(60))
PATTERN = re.compile(r"key(?P<key>\d+)=(?P<value>\d+);")


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def work_json():
    text = json.dumps(DOCUMENT, sort_keys=True)
    return digest(json.dumps(json.loads(text), sort_keys=True))


def work_regex():
    total = 0
    for match in PATTERN.finditer(TEXT):
        total += int(match.group("key")) * int(match.group("value"))
    return digest(str(total))


def work_lists():
    rows = [(n * 7919) % 1009 for n in range(500)]
    rows.sort()
    return digest(repr(rows[::7] + list(reversed(rows[::11]))))


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def work_calls():
    return digest(str([fibonacci(n) for n in range(12)]))


def squares(limit):
    for n in range(limit):
        yield n * n


def work_generators():
    table = {}
    for n in squares(300):
        try:
            if n % 3 == 0:
                raise ValueError(n)
            table[n] = str(n)
        except ValueError as error:
            table[error.args[0]] = "three"
    return digest(repr(sorted(table.items())))


WORK = {"json": work_json, "regex": work_regex, "lists": work_lists,
        "calls": work_calls, "generators": work_generators}


def loop(name, work, expected):
    while True:
        if work() != expected:
            BAD.append(name)
        ROUNDS[name] += 1


def main(args):
    for name in args or sorted(WORK):
        work = WORK[name]
        ROUNDS[name] = 0
        threading.Thread(target=loop, args=(name, work, work()),
                         name="busy-" + name, daemon=True).start()


def report():
    return {"rounds": dict(ROUNDS), "bad": list(BAD)}
