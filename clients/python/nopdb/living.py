# SPDX-License-Identifier: MIT
"""Objects of the own process, found again behind the addresses of records.

An address alone proves nothing: it may have been given to another object
since. So what the caller can reach is noted before the probe is set, weakly;
an object that is still alive later has had its address all the time.
"""
import gc
import types
import weakref
from typing import Any, Dict, List, Set

from .decode import decode

NOTED_MOST = 20000
DEPTH = 4
_PLAIN = (str, bytes, bytearray, int, float, complex, bool, type(None))
_CONTAINERS = (list, tuple, dict, set, frozenset)


class Living:
    """What was reachable from some roots at one time."""

    def __init__(self, roots: List[Any]) -> None:
        self._weak: Dict[int, "weakref.ref[Any]"] = {}
        self._held: Dict[int, Any] = {}
        self._note(roots)

    def _note(self, level: List[Any]) -> None:
        seen: Set[int] = set()
        for depth in range(DEPTH):
            below: List[Any] = []
            for thing in level:
                if isinstance(thing, _PLAIN) or id(thing) in seen:
                    continue
                if len(seen) == NOTED_MOST:
                    return
                seen.add(id(thing))
                self._note_one(thing, depth)
                if self._goes_on(thing):
                    below += gc.get_referents(thing)
            level = below

    @staticmethod
    def _goes_on(thing: Any) -> bool:
        """Is it data, of which the parts are worth knowing?"""
        if isinstance(thing, _CONTAINERS):
            return True
        return not isinstance(thing, (type, types.ModuleType,
                                      types.FunctionType, types.CodeType,
                                      types.FrameType))

    def _note_one(self, thing: Any, depth: int) -> None:
        try:
            self._weak[id(thing)] = weakref.ref(thing)
        except TypeError:
            # Records name no address of plain containers; what else cannot
            # be watched is held, where the caller holds it by name.
            if depth == 0 and not isinstance(thing, _CONTAINERS):
                self._held[id(thing)] = thing

    def find(self, address: int) -> Any:
        """The object at that address all this time, else None."""
        if address in self._held:
            return self._held[address]
        known = self._weak.get(address)
        return known() if known else None

    def resolve(self, raw: Any) -> Any:
        """The living objects of a raw value, else what it decodes to."""
        return decode(raw, self.find)
