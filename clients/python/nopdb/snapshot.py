# SPDX-License-Identifier: MIT
"""What a value was, when it has no equal here: an object of the target, or a
value that was cut or withheld."""
from typing import (Any, Dict, Iterator, List, Mapping, NamedTuple, Optional,
                    Tuple)


class Facts(NamedTuple):
    """What is known of a Snapshot; see facts().

    type: its type's name. id: its address in the target. attributes, items,
    pairs, value: its content, as far as it was captured, else None. members:
    what is told besides ("name", "file", "line", ...). truncated: it was cut;
    length: how long it was. redacted: why it was withheld, else None.
    """

    type: str
    id: Optional[int] = None
    attributes: Mapping[str, Any] = {}
    items: Optional[List[Any]] = None
    pairs: Optional[List[Tuple[Any, Any]]] = None
    value: Any = None
    members: Mapping[str, Any] = {}
    truncated: bool = False
    length: Optional[int] = None
    redacted: Optional[str] = None


class Snapshot:
    """An object as it was. Attributes read as attributes, items by [].

    What was not captured raises AttributeError, KeyError or IndexError that
    says whether it was cut. facts(snapshot) tells the rest.
    """

    __slots__ = ("__facts",)

    def __init__(self, known: Facts) -> None:
        self.__facts = known

    def __getattr__(self, name: str) -> Any:
        known = facts(self)
        try:
            return known.attributes[name]
        except KeyError:
            pass
        raise AttributeError("%s has no attribute %r%s" % (
            known.type, name, _but_cut(known)))

    def __getitem__(self, key: Any) -> Any:
        known = facts(self)
        if known.pairs is not None:
            for name, value in known.pairs:
                if name == key:
                    return value
            raise KeyError("%r%s" % (key, _but_cut(known)))
        content = known.items if known.items is not None else known.value
        if isinstance(content, (list, str, bytes, bytearray)):
            try:
                return content[key]
            except IndexError:
                raise IndexError("%r%s" % (key, _but_cut(known))) from None
        values = list(known.attributes.values())
        if isinstance(key, int) and values:
            return values[key]  # a named tuple
        raise TypeError("%s: its content was not captured" % known.type)

    def __iter__(self) -> Iterator[Any]:
        known = facts(self)
        if known.pairs is not None:
            return iter([name for name, _ in known.pairs])
        if known.items is not None:
            return iter(known.items)
        if isinstance(known.value, (str, bytes, bytearray)):
            return iter(known.value)
        if known.attributes:
            return iter(list(known.attributes.values()))
        raise TypeError("%s: its content was not captured" % known.type)

    def __len__(self) -> int:
        """As long as it was, even where less of it is here."""
        known = facts(self)
        if known.length is not None:
            return known.length
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, item: Any) -> bool:
        return any(found == item for found in self)

    def __dir__(self) -> List[str]:
        return list(facts(self).attributes)

    def __reduce__(self) -> Any:
        return Snapshot, (facts(self),)

    def __repr__(self) -> str:
        return _text(facts(self))


def facts(snapshot: Snapshot) -> Facts:
    """What is known of it beyond its attributes."""
    found: Facts = object.__getattribute__(snapshot, "_Snapshot__facts")
    return found


def _but_cut(known: Facts) -> str:
    return " (it was cut)" if known.truncated else ""


def _content(known: Facts) -> List[str]:
    """The parts of a repr."""
    parts: List[str] = []
    if known.value is not None:
        parts.append(repr(known.value))
    for item in known.items or ():
        parts.append(repr(item))
    for name, value in known.pairs or ():
        parts.append("%r: %r" % (name, value))
    for label, value in known.members.items():
        parts.append("%s=%r" % (label, value))
    for label, value in known.attributes.items():
        parts.append("%s=%r" % (label, value))
    if known.truncated:
        parts.append("..." if known.length is None
                     else "... of %d" % known.length)
    return parts


def _text(known: Facts) -> str:
    if known.redacted is not None:
        return "<%s withheld: %s>" % (known.type, known.redacted)
    parts = _content(known)
    if not parts and known.id is not None:
        return "<%s at 0x%x>" % (known.type, known.id)
    return "<%s%s>" % (known.type, " " + ", ".join(parts) if parts else "")


def attributes_of(raw: Mapping[str, Any]) -> Dict[str, Any]:
    """Names and values without the marks of the protocol."""
    return {name: value for name, value in raw.items()
            if not name.startswith("$")}
