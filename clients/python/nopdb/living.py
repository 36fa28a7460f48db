# SPDX-License-Identifier: MIT
"""Objects of the own process behind the values of records.

The agent hands the objects of a record to note() in this process before it
writes it, and puts the number that it answers into the record. They are held
weakly where that is possible. What is held otherwise is given back only while
somebody else has it, too: it would be gone without us.
"""
import itertools
import sys
import weakref
from collections import OrderedDict
from typing import Any, Callable, Dict, Optional, Tuple

NOTED_MOST = 100000  # records whose objects wait to be asked for

_INSIDE_MOST = 200  # objects inside of the containers of a record
_CONTAINERS = (list, tuple, set, frozenset, dict)

# Equal is as good as the same.
_PLAIN = (int, float, complex, bool, type(None))
_TEXT_MOST = 1000  # characters, of texts that are decoded


class Held:
    """One object, weakly if that can be."""

    __slots__ = ("weak", "_thing")

    def __init__(self, thing: Any) -> None:
        self.weak: Optional["weakref.ref[Any]"] = None
        self._thing: Any = None
        try:
            self.weak = weakref.ref(thing)
        except TypeError:
            self._thing = thing

    def get(self) -> Any:
        """It, or None when nobody else has it any more."""
        if self.weak is not None:
            return self.weak()
        if self._thing is None or self._count() > _ALONE:
            return self._thing
        self._thing = None
        return None

    def shares(self, other: "Held") -> bool:
        """Do both hold the same object, and not weakly?"""
        return self._thing is not None and self._thing is other._thing

    def _count(self) -> int:
        return sys.getrefcount(self._thing)


_ALONE = 1 << 30
_ALONE = Held([])._count()

# By name; and by address what is inside of containers.
Noted = Dict[Any, Held]

_noted: "OrderedDict[int, Noted]" = OrderedDict()
_last = 0


def _is_plain(thing: Any) -> bool:
    kind = type(thing)
    return kind in _PLAIN or (
        kind in (str, bytes) and len(thing) <= _TEXT_MOST)


def _inside(thing: Any, held: Noted) -> None:
    """What a container has, and its containers: weakly."""
    level, room = [thing], _INSIDE_MOST
    while level and room > 0:
        one = level.pop()
        items = list(itertools.islice(
            one.values() if type(one) is dict else one, room))
        room -= len(items)
        for item in items:
            if type(item) in _CONTAINERS:
                level.append(item)
            elif not _is_plain(item) and id(item) not in held:
                found = Held(item)
                if found.weak:
                    held[id(item)] = found


def note(things: Dict[str, Any]) -> int:
    """Takes the objects of a record; a number for claim()."""
    global _last
    # One for each object: two would be somebody else to each other.
    each = {id(thing): Held(thing) for thing in things.values()
            if not _is_plain(thing)}
    held: Noted = {name: each[id(thing)] for name, thing in things.items()
                   if id(thing) in each}
    for thing in things.values():
        if type(thing) in _CONTAINERS:
            _inside(thing, held)
    # No lock: the agent interrupts what waits. The GIL is enough.
    _last = number = _last + 1
    if held:
        _noted[number] = held
        if len(_noted) > NOTED_MOST:
            _noted.popitem(last=False)
    return number


def claim(number: Any) -> Noted:
    """What was noted by a number; once."""
    if not isinstance(number, int):
        return {}
    return _noted.pop(number, {})


def forget() -> None:
    """Nobody will ask for what is noted."""
    _noted.clear()


def finder(noted: Noted) -> Callable[[int], Any]:
    """Finds by an address what was there, where it still is."""
    def find(address: int) -> Any:
        held = noted.get(address)
        return held.get() if held else None
    return find


def claim_call(record: Dict[str, Any]) -> Tuple[Noted, Noted]:
    """What belongs to the arguments of a call, and to its end."""
    numbers = record.get("live")
    if numbers is None or not isinstance(numbers, list) or len(numbers) != 2:
        return {}, {}
    begin, end = claim(numbers[0]), claim(numbers[1])
    for name, held in begin.items():
        for other in end.values():
            if held.shares(other):
                begin[name] = other
    return begin, end
