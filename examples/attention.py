#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""attention.py PID [STEPS]: the attention weights of a running model.

Takes the weights of model.py at the line that uses them, from the process
that serves, and prints them with a checksum: they are what the model
computed, bit for bit.
"""
import hashlib
import struct
import sys

import nopdb


def checksum(weights) -> str:
    """Of the doubles as they lie in memory."""
    flat = [weight for row in weights for weight in row]
    return hashlib.sha256(struct.pack("%dd" % len(flat), *flat)).hexdigest()


def main(pid: int, steps: int) -> None:
    with nopdb.attach(pid) as model:
        with model.breakpoint("attention", line="return weights @ value",
                              depth=4, items=64, hits=steps) as bp:
            bp.eval("step")
            bp.eval("weights.tolist()")
            bp.wait(steps, timeout=60)
    # The model did not wait while the second expression was added.
    for step, weights in [hit.values for hit in bp.hits
                          if len(hit.values) == 2]:
        print(step, checksum(weights))
        for row in weights:
            print("   ", " ".join("%.3f" % weight for weight in row))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
