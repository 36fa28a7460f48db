# SPDX-License-Identifier: MIT
"""Not imported at first: a probe on it is pending until it is."""


def arrived(x):
    return x + 10


class Late:
    def method(self):
        return "late"
