# SPDX-License-Identifier: MIT
"""The limits of a probe, as keywords with Python's units."""
from typing import Any, Dict, Optional, TypedDict

from .errors import NopdbError


class Limits(TypedDict, total=False):
    """0 lifts a limit. What is not given is the daemon's default.

    hits: records, then the probe switches itself off (100). seconds: how long
    it is set (600). rate: records a second (100). depth, items, string: of a
    value (2, 100, 255). stack: frames (20). record: bytes (65536). locals:
    with them (True). min_duration: seconds; shorter calls are left out.
    only_exceptions: calls that raise. every, after: each Nth, from the Nth.
    eval_seconds, exec_seconds: of the target's time (0.01, 1). debug_seconds:
    so long a silence at pdb's prompt (60). redact, no_redact: names withheld or
    shown, with commas. strict: look at values, too, for what may be secret.
    arrays: "summary", or "full", the bytes of all items ("summary"). repr: what
    objects say of themselves, which is code of the target (False). yields:
    those of generators, too (False).
    """

    hits: int
    seconds: float
    rate: int
    depth: int
    items: int
    string: int
    stack: int
    record: int
    locals: bool
    min_duration: float
    only_exceptions: bool
    every: int
    after: int
    eval_seconds: float
    exec_seconds: float
    debug_seconds: float
    redact: str
    no_redact: str
    strict: bool
    arrays: str
    repr: bool
    yields: bool


_PLAIN = {"hits", "rate", "depth", "items", "string", "stack", "record",
          "locals", "only_exceptions", "every", "after", "redact",
          "no_redact", "strict", "arrays", "repr", "yields"}
_SCALED = {"seconds": ("time_ms", 1e3), "min_duration":
           ("min_duration_ns", 1e9), "eval_seconds": ("eval_ms", 1e3),
           "exec_seconds": ("exec_ms", 1e3), "debug_seconds":
           ("debug_ms", 1e3)}


def _scaled(name: str, value: Any, scale: float) -> int:
    """In the unit of the protocol; what is not nothing is not 0 there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (
            not 0 <= value < 1e9):
        raise NopdbError("%s: %r is no number of seconds" % (name, value),
                         "usage", None, 2)
    return max(int(round(value * scale)), 1 if value > 0 else 0)


def to_wire(limits: Dict[str, Any],
            defaults: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """The limits object of probe.add. NopdbError: an unknown keyword."""
    found: Dict[str, Any] = {}
    for name, value in {**(defaults or {}), **limits}.items():
        if name in _PLAIN:
            if value != "":  # no names: as if it were not given
                found[name] = value
        elif name in _SCALED:
            wire, scale = _SCALED[name]
            found[wire] = _scaled(name, value, scale)
        else:
            raise NopdbError("unknown limit %r" % name, "usage",
                             "one of " + ", ".join(sorted(
                                 _PLAIN | set(_SCALED))), 2)
    return found
