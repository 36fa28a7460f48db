#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""own_process.py: NoPdb's functions in the process that calls them."""
import nopdb


def blend(colours, weight):
    total = sum(colours)
    share = total * weight
    return share


def paint():
    return [blend([1, 2, 3], weight) for weight in (0.5, 0.25)]


def main() -> None:
    with nopdb.capture_calls(blend) as calls:
        paint()
    for call in calls:
        print(call.args["weight"], call.locals["total"], call.return_value)
    with nopdb.breakpoint(blend, line="share = total * weight",
                          cond="weight < 0.5") as bp:
        totals = bp.eval("total")
        bp.exec("total = 100")
        painted = paint()
    print(painted, totals)


if __name__ == "__main__":
    main()
