# SPDX-License-Identifier: MIT
"""Objects of this process that code of a probe in it refers to by number.

A probe is described by texts. What a text cannot name (a function, a code
object, values of variables) is kept here for as long as the probe is, and the
text says take(NUMBER). A reload of this module loses nothing.
"""
import itertools
from typing import Any, Dict, Iterator, Tuple

from .living import note

__all__ = ["Hooks", "drop", "hooks", "keep", "note", "take", "tell",
           "tell_text", "text_of", "told_text"]

_kept: Dict[int, Any] = globals().get("_kept", {})
_numbers: Iterator[int] = globals().get("_numbers", itertools.count(1))


def keep(thing: Any) -> int:
    """A number by which it is found, until it is dropped."""
    number = next(_numbers)
    _kept[number] = thing
    return number


def take(number: int) -> Any:
    """What has that number."""
    return _kept[number]


def drop(number: int) -> None:
    """It is not needed any more."""
    _kept.pop(number, None)


def text_of(number: int) -> str:
    """An expression for it, wherever in this process it is evaluated."""
    return "__import__('sys').modules[%r].take(%d)" % (__name__, number)


class Hooks:
    """Functions to be called with a frame, as attributes: n5 is number 5."""

    def __getattr__(self, name: str) -> Any:
        try:
            return _kept[int(name[1:])]
        except (KeyError, ValueError):
            raise AttributeError(name) from None


hooks = Hooks()


# What makes the value of an expression known by its identity, too.
_HEAD = "__import__('sys').modules[%r].tell((\n" % __name__
_TAIL = "\n))"


def tell(value: Any) -> Tuple[int, Any]:
    """A number for claim(), and the value."""
    return note({"value": value}), value


def tell_text(expression: str) -> str:
    """The expression, whose value comes with a number."""
    return _HEAD + expression.strip() + _TAIL


def told_text(text: str) -> str:
    """The expression in a text of tell_text(), or the text as it is."""
    if text.startswith(_HEAD) and text.endswith(_TAIL):
        return text[len(_HEAD):-len(_TAIL)]
    return text
