# SPDX-License-Identifier: MIT
"""Its garbage is collected all the time, and has finalizers in Python."""
import gc


class Restless:
    """Comes back whenever it is collected."""

    count = 0

    def __init__(self):
        self.itself = self

    def __del__(self):
        Restless.count += 1
        Restless()


def main(args):
    gc.set_threshold(1, 1, 1)
    Restless()


def finalized():
    return Restless.count


def double(x):
    return 2 * x
