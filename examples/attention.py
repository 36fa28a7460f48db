#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""attention.py PID [STEPS]: the attention weights of a running model.

Takes the weights of model.py or torch_model.py at the line that uses them,
from the process that serves, and prints them with a checksum: they are what
the model computed, bit for bit.
"""
import hashlib
import sys

import nopdb


def checksum(weights) -> str:
    """Of the numbers as they lie in memory."""
    return hashlib.sha256(weights.tobytes()).hexdigest()


def main(pid: int, steps: int) -> None:
    with nopdb.attach(pid) as model:
        # The model goes on meanwhile: it is set when it has both expressions.
        with model.breakpoint("attention", line="return weights @ value",
                              arrays="full", hits=steps, enabled=False) as bp:
            numbers = bp.eval("step")
            weights = bp.eval("weights")
            bp.enable()
            bp.wait(steps, timeout=60)
    for step, array in zip(numbers, weights):
        print(step, checksum(array))
        for row in array.tolist():
            print("   ", " ".join("%.3f" % weight for weight in row))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
