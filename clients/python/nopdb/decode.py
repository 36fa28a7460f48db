# SPDX-License-Identifier: MIT
"""Values of the protocol as Python's own.

Nothing of a target is executed, imported or unpickled: a value is built from
its text by the type that its name stands for here, or becomes a Snapshot.
"""
import base64
import binascii
import builtins
import collections
import datetime
import decimal
import fractions
import math
import pathlib
import re
import sys
import uuid
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from . import arrays
from .errors import DecodeError
from .snapshot import Facts, Snapshot

Raw = Mapping[str, Any]
Finder = Callable[[int], Any]
NESTING_MOST = 200
TEXT_MOST = 1 << 20

_INT = re.compile(r"-?(0x[0-9a-f]+|[0-9]+)\Z")
_COMPLEX = re.compile(r"\(?[-+0-9.einfaj]{1,80}\)?\Z")
_DECIMAL = re.compile(
    r"-?(?:[0-9]+(?:\.[0-9]*)?(?:E[-+]?[0-9]{1,19})?|Infinity|s?NaN)\Z")
_OFFSET = re.compile(r"([-+])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?\Z")
_ADDRESS = re.compile(r"0x[0-9a-f]{1,16}\Z")

# Members that say what a value is, not what it tells about itself.
_FORM = {"$type", "$id", "$truncated", "$len", "$redacted", "$items", "$pairs",
         "$attrs", "$value", "$base64", "$repr"}


def _wrong(what: str, raw: Any) -> DecodeError:
    return DecodeError("%s: %.200r" % (what, raw))


class _Decoder:
    """One walk over a value. find: the living object at an address."""

    def __init__(self, find: Optional[Finder] = None) -> None:
        self.nesting = 0
        self.find = find

    def value(self, raw: Any) -> Any:
        if raw is None or isinstance(raw, (bool, int, float, str)):
            return raw
        self.nesting += 1
        if self.nesting > NESTING_MOST:
            raise DecodeError("a value is nested too deeply")
        try:
            if isinstance(raw, list):
                return [self.value(item) for item in raw]
            if isinstance(raw, dict):
                return self.mapping(raw)
        finally:
            self.nesting -= 1
        raise _wrong("not a value", raw)

    def mapping(self, raw: Raw) -> Any:
        address = raw.get("$id", raw.get("$ref"))
        if self.find and address is not None:
            living = self.find(_address(address))
            if living is not None:
                return living
        if "$ref" in raw:
            return Snapshot(Facts("cycle", id=_address(raw["$ref"])))
        if "$type" not in raw:
            return self.members(raw)
        name = raw["$type"]
        if not isinstance(name, str):
            raise _wrong("a type without a name", raw)
        if not raw.get("$truncated") and "$redacted" not in raw:
            builder = (_array if _is_array(raw) else _few
                       if "$shape" in raw else _BUILDERS.get(name))
            # A class made of a built-in one may have attributes besides.
            if builder and ("$attrs" not in raw or name in _BY_ATTRIBUTES):
                found = builder(self, raw)
                if found is not _NONE:
                    return found
        return self.snapshot(name, raw)

    def members(self, raw: Raw) -> Dict[str, Any]:
        """An object of names, none of them a mark."""
        for name in raw:
            if name.startswith("$"):
                raise _wrong("a mark in a plain object", raw)
        return {name: self.value(item) for name, item in raw.items()}

    def items(self, raw: Raw) -> List[Any]:
        found = raw.get("$items", [])
        if not isinstance(found, list):
            raise _wrong("not items", raw)
        return [self.value(item) for item in found]

    def pairs(self, raw: Raw) -> List[Tuple[Any, Any]]:
        """The entries of a dict, in either form."""
        if isinstance(raw.get("$items"), dict):
            return list(self.members(raw["$items"]).items())
        found = raw.get("$pairs", [])
        if not isinstance(found, list) or not all(
                isinstance(pair, list) and len(pair) == 2 for pair in found):
            raise _wrong("not pairs", raw)
        return [(self.value(key), self.value(item)) for key, item in found]

    def snapshot(self, name: str, raw: Raw) -> Snapshot:
        attributes = raw.get("$attrs", {})
        length = raw.get("$len")
        if not isinstance(attributes, dict) or not (
                length is None or isinstance(length, int) and length >= 0):
            raise _wrong("not a value", raw)
        is_map = "$pairs" in raw or isinstance(raw.get("$items"), dict)
        redacted = raw.get("$redacted")
        identity = raw.get("$id")
        return Snapshot(Facts(
            name, None if identity is None else _address(identity),
            self.members(attributes),
            self.items(raw) if "$items" in raw and not is_map else None,
            self.pairs(raw) if is_map else None,
            self.content(raw),
            {key[1:]: self.value(item) for key, item in raw.items()
             if key not in _FORM and key.startswith("$")},
            bool(raw.get("$truncated")), length,
            None if redacted is None else str(redacted)))

    def content(self, raw: Raw) -> Any:
        if "$base64" in raw:
            # Of a class made of one, the content that can be worked with.
            return _bytes(raw) if raw.get("$truncated") or not _is_array(
                raw) else _array(self, raw)
        if "$value" in raw:
            return self.value(raw["$value"])
        return raw.get("$repr")


_NONE = object()  # the type is known, this value has no equal here


def _text(raw: Raw, member: str, most: int = TEXT_MOST) -> str:
    found = raw.get(member)
    if not isinstance(found, str) or len(found) > most:
        raise _wrong("no %s" % member, raw)
    return found


def _address(raw: Any) -> int:
    if not isinstance(raw, str) or not _ADDRESS.match(raw):
        raise _wrong("not an address", raw)
    return int(raw, 16)


def _bytes(raw: Raw) -> bytes:
    try:
        return base64.b64decode(_text(raw, "$base64", 1 << 26), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("not base64", raw) from None


def _is_array(raw: Raw) -> bool:
    return "$base64" in raw and "$shape" in raw


def _array(walk: _Decoder, raw: Raw) -> Any:
    """An array whose whole content is there."""
    try:
        return arrays.build(_text(raw, "$type"), raw, _bytes(raw))
    except arrays.ArrayError as error:
        raise _wrong(str(error), raw) from None


def _few(walk: _Decoder, raw: Raw) -> Any:
    """An array of which all items are there."""
    if "$items" not in raw or not isinstance(raw["$items"], list):
        return _NONE
    try:
        content = arrays.content_of(arrays.Layout(raw), walk.items(raw))
        if content is None:
            return _NONE
        return arrays.build(_text(raw, "$type"), raw, content)
    except arrays.ArrayError as error:
        raise _wrong(str(error), raw) from None


def _int(walk: _Decoder, raw: Raw) -> Any:
    text = _text(raw, "$repr")
    if not _INT.match(text):
        raise _wrong("not an int", raw)
    limit = getattr(sys, "get_int_max_str_digits", lambda: 0)()
    if "x" not in text and limit and len(text) > limit:
        return _NONE
    return int(text, 16 if "x" in text else 10)


def _float(walk: _Decoder, raw: Raw) -> Any:
    text = _text(raw, "$repr", 8)
    if text not in ("nan", "inf", "-inf"):
        raise _wrong("not a float", raw)
    return math.nan if text == "nan" else float(text)


def _complex(walk: _Decoder, raw: Raw) -> Any:
    text = _text(raw, "$repr", 100)
    if not _COMPLEX.match(text):
        raise _wrong("not a complex", raw)
    return complex(text)


def _hashed(make: Callable[[List[Any]], Any]
            ) -> Callable[[_Decoder, Raw], Any]:
    """Of items that must all be there as different ones."""
    def build(walk: _Decoder, raw: Raw) -> Any:
        items = walk.items(raw)
        try:
            found = make(items)
        except TypeError:
            return _NONE
        return found if len(found) == len(items) else _NONE
    return build


def _mapped(make: Callable[[Dict[Any, Any]], Any]
            ) -> Callable[[_Decoder, Raw], Any]:
    def build(walk: _Decoder, raw: Raw) -> Any:
        pairs = walk.pairs(raw)
        try:
            found = dict(pairs)
        except TypeError:
            return _NONE
        return make(found) if len(found) == len(pairs) else _NONE
    return build


def _bounds(make: Callable[[Any, Any, Any], Any], only_ints: bool
            ) -> Callable[[_Decoder, Raw], Any]:
    def build(walk: _Decoder, raw: Raw) -> Any:
        parts = [walk.value(raw.get(name))
                 for name in ("$start", "$stop", "$step")]
        if only_ints and not all(isinstance(part, int) for part in parts):
            raise _wrong("not a range", raw)
        return make(*parts)
    return build


def _deque(walk: _Decoder, raw: Raw) -> Any:
    most = raw.get("$maxlen")
    if not (most is None or isinstance(most, int) and 0 <= most < 1 << 63):
        raise _wrong("not a length", raw)
    return collections.deque(walk.items(raw), most)


def _decimal(walk: _Decoder, raw: Raw) -> Any:
    text = _text(raw, "$repr", 5000)
    if text == "?" or text == "-?":
        return _NONE
    if not _DECIMAL.match(text):
        raise _wrong("not a Decimal", raw)
    return decimal.Decimal(text)


def _iso(kind: Any) -> Callable[[_Decoder, Raw], Any]:
    def build(walk: _Decoder, raw: Raw) -> Any:
        text = _text(raw, "$iso", 64)
        if "$tzinfo" in raw:
            return _NONE  # its rules are code of the target
        found = kind.fromisoformat(text)
        return found.replace(fold=1) if raw.get("$fold") == 1 and hasattr(
            found, "fold") else found
    return build


def _timezone(walk: _Decoder, raw: Raw) -> Any:
    text = _text(raw, "$iso", 16)
    parts = _OFFSET.match(text)
    if not parts:
        return _NONE
    sign, hours, minutes, seconds = parts.groups()
    offset = datetime.timedelta(hours=int(hours), minutes=int(minutes),
                                seconds=int(seconds or 0))
    return datetime.timezone(-offset if sign == "-" else offset)


def _timedelta(walk: _Decoder, raw: Raw) -> Any:
    parts = [raw.get(name) for name in ("$days", "$seconds", "$microseconds")]
    if not all(isinstance(part, int) for part in parts):
        raise _wrong("not a timedelta", raw)
    return datetime.timedelta(*parts)  # type: ignore[arg-type]


def _attribute(walk: _Decoder, raw: Raw, name: str) -> Any:
    attributes = raw.get("$attrs")
    if not isinstance(attributes, dict) or name not in attributes:
        return _NONE
    return walk.value(attributes[name])


def _fraction(walk: _Decoder, raw: Raw) -> Any:
    parts = [_attribute(walk, raw, name)
             for name in ("_numerator", "_denominator")]
    if not all(isinstance(part, int) for part in parts) or not parts[1]:
        return _NONE
    return fractions.Fraction(*parts)


def _uuid(walk: _Decoder, raw: Raw) -> Any:
    number = _attribute(walk, raw, "int")
    if not isinstance(number, int) or not 0 <= number < 1 << 128:
        return _NONE
    return uuid.UUID(int=number)


def _path(kind: Any) -> Callable[[_Decoder, Raw], Any]:
    def build(walk: _Decoder, raw: Raw) -> Any:
        for name in ("_raw_paths", "_parts"):  # 3.12 and later, before
            parts = _attribute(walk, raw, name)
            if isinstance(parts, list) and all(
                    isinstance(part, str) for part in parts):
                return kind(*parts)
        return _NONE
    return build


def _ellipsis(walk: _Decoder, raw: Raw) -> Any:
    return ...


# By the name that the agent gives the exact type. defaultdict: without its
# factory, which is code of the target; equal all the same.
_BUILDERS: Dict[str, Callable[[_Decoder, Raw], Any]] = {
    "int": _int, "float": _float, "complex": _complex,
    "ellipsis": _ellipsis,
    "tuple": lambda walk, raw: tuple(walk.items(raw)),
    "list": lambda walk, raw: walk.items(raw),
    "set": _hashed(set), "frozenset": _hashed(frozenset),
    "dict": _mapped(dict),
    # Of 3.15; elsewhere what is equal to it.
    "frozendict": _mapped(getattr(builtins, "frozendict", dict)),
    "bytes": lambda walk, raw: _bytes(raw),
    "bytearray": lambda walk, raw: bytearray(_bytes(raw)),
    "range": _bounds(range, True), "slice": _bounds(slice, False),
    "collections.deque": _deque,
    "collections.OrderedDict": _mapped(collections.OrderedDict),
    "collections.Counter": _mapped(collections.Counter),
    "collections.defaultdict":
        _mapped(lambda found: collections.defaultdict(None, found)),
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "datetime.date": _iso(datetime.date),
    "datetime.time": _iso(datetime.time),
    "datetime.datetime": _iso(datetime.datetime),
    "datetime.timedelta": _timedelta,
    "datetime.timezone": _timezone,
    "uuid.UUID": _uuid,
    "pathlib.PosixPath": _path(pathlib.PurePosixPath),
    "pathlib._local.PosixPath": _path(pathlib.PurePosixPath),
    "pathlib.PurePosixPath": _path(pathlib.PurePosixPath),
    "pathlib._local.PurePosixPath": _path(pathlib.PurePosixPath),
    "pathlib.PureWindowsPath": _path(pathlib.PureWindowsPath),
    "pathlib._local.PureWindowsPath": _path(pathlib.PureWindowsPath),
}
_BY_ATTRIBUTES = {"fractions.Fraction", "uuid.UUID"} | {
    name for name in _BUILDERS if name.startswith("pathlib.")}


def decode(raw: Any, find: Optional[Finder] = None) -> Any:
    """The value that a `value` of the protocol stands for.

    raw: as json gives it. find: gives the living object at an address, or
    None; for values of the own process. Equal to what it was in the target
    for exact built-in types, the datetime family, Decimal, Fraction, UUID,
    paths and the collections; all else, and what was cut or withheld, is a
    Snapshot. DecodeError: it is no value.
    """
    try:
        return _Decoder(find).value(raw)
    except DecodeError:
        raise
    except (ValueError, TypeError, OverflowError, ArithmeticError,
            RecursionError, KeyError) as error:
        raise DecodeError("%s: %.200r" % (error, raw)) from None


# What stands for itself.
_PLAIN = frozenset((int, float, str, bool, type(None)))


def decode_variables(raw: Any) -> Dict[str, Any]:
    """The names and values of args or locals; the marks of a cut left out."""
    if not isinstance(raw, dict):
        raise _wrong("not variables", raw)
    return {name: item if type(item) in _PLAIN else decode(item)
            for name, item in raw.items() if not name.startswith("$")}


def cut(raw: Optional[Raw]) -> bool:
    """Were variables left out?"""
    return bool(raw and raw.get("$truncated"))
