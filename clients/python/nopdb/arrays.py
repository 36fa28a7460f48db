# SPDX-License-Identifier: MIT
"""Arrays of the protocol whose whole content is there, as Python's own."""
import array
import math
import re
from typing import Any, List, Mapping, Optional, Tuple

ARRAY_MOST = 1 << 30  # items that a shape may ask for
DIMENSIONS_MOST = 64
FIELDS_MOST = 1000
SIZE_MOST = 1 << 26  # bytes of one item

_UNIT = r"\[[0-9]{0,9}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]"
_DTYPE = re.compile(r"([<>|])(?:([biufcSUV])([0-9]{1,9})|([Mm])8(%s)?)\Z"
                    % _UNIT)
_BRAIN = "bfloat16"

# What memoryview.cast() and the array module call them, by kind and size.
_FORMATS = {("i", 1): "b", ("u", 1): "B", ("i", 2): "h", ("u", 2): "H",
            ("i", 4): "i", ("u", 4): "I", ("i", 8): "q", ("u", 8): "Q",
            ("f", 4): "f", ("f", 8): "d", ("b", 1): "?", ("m", 8): "q",
            ("M", 8): "q"}


class ArrayError(ValueError):
    """It is no array."""


class Layout:
    """What the content of an array means."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        shape, dtype = raw.get("$shape"), raw.get("$dtype")
        if not isinstance(shape, list) or len(shape) > DIMENSIONS_MOST or any(
                isinstance(size, bool) or not isinstance(size, int) or
                not 0 <= size <= ARRAY_MOST for size in shape):
            raise ArrayError("not a shape")
        if not isinstance(dtype, str):
            raise ArrayError("not a dtype")
        self.shape = tuple(shape)
        self.dtype = dtype
        self.kind, self.size, self.swapped = _item(dtype)
        self.fields = _fields(raw.get("$fields"), self.size)

    def is_known(self) -> bool:
        """Is it known what the bytes of an item mean?"""
        return self.kind != ""

    def fits(self, content: bytes) -> bool:
        """Is this the content of all items?"""
        items: int = math.prod(self.shape)
        return not self.is_known() or self.size * items == len(content)

    def numpy_type(self) -> Any:
        """What numpy.dtype() takes, or None for what it does not know."""
        if not self.is_known() or self.dtype == _BRAIN:
            return None
        if self.fields is None:
            return self.dtype
        return {"names": [name for name, _, _ in self.fields],
                "formats": [dtype for _, dtype, _ in self.fields],
                "offsets": [offset for _, _, offset in self.fields],
                "itemsize": self.size}

    def format(self) -> Optional[str]:
        """The format of the struct module for one item, if it has one."""
        if self.swapped:
            return None
        return _FORMATS.get((self.kind, self.size))


def _item(dtype: str) -> Tuple[str, int, bool]:
    """Kind ("": not known), bytes, and is their order the other one?"""
    if dtype == _BRAIN:
        return "V", 2, False
    parts = _DTYPE.match(dtype)
    if not parts:
        return "", 0, False
    order, kind, digits, time, _ = parts.groups()
    size = int(digits) * (4 if kind == "U" else 1) if kind else 8
    if size > SIZE_MOST:
        raise ArrayError("too large a dtype")
    return kind or time, size, order == ">" and size > 1


def _fields(raw: Any, size: int) -> Optional[List[Tuple[str, str, int]]]:
    if raw is None:
        return None
    if not isinstance(raw, list) or len(raw) > FIELDS_MOST:
        raise ArrayError("not fields")
    found = []
    for field in raw:
        if not isinstance(field, list) or len(field) != 3:
            raise ArrayError("not a field")
        name, dtype, offset = field
        if not isinstance(name, str) or not isinstance(dtype, str) or (
                isinstance(offset, bool) or not isinstance(offset, int)) or (
                not 0 <= offset <= size - _item(dtype)[1]):
            raise ArrayError("not a field")
        found.append((name, dtype, offset))
    if len({name for name, _, _ in found}) != len(found):
        raise ArrayError("a field twice")
    return found


def as_memoryview(layout: Layout, content: bytes) -> memoryview:
    """Its items where memoryview has a format for them, else its bytes."""
    view, code = memoryview(content), layout.format()
    if not code or not content:
        return view
    try:
        return view.cast(code, layout.shape) if layout.shape else view.cast(
            code)
    except (TypeError, ValueError):
        return view


def as_numpy(layout: Layout, content: bytes) -> Any:
    """numpy's array; None without numpy, or for what numpy does not know."""
    try:
        import numpy
    except ImportError:
        return None
    dtype = layout.numpy_type()
    if dtype is None:
        return None
    try:
        if not content:
            return numpy.zeros(layout.shape, dtype)
        return numpy.frombuffer(content, dtype=dtype).reshape(layout.shape)
    except (TypeError, ValueError) as error:
        raise ArrayError(str(error)) from None


def as_array(layout: Layout, content: bytes) -> Any:
    """The array module's; None for items that it has no code for."""
    code = "u" if layout.dtype == "<U1" else layout.format()
    if not code or code == "?" or len(layout.shape) != 1:
        return None
    found = array.array(code)
    if found.itemsize != layout.size:
        return None
    found.frombytes(content)
    return found


def content_of(layout: Layout, items: List[Any]) -> Optional[bytes]:
    """The bytes of plain items; None: they are not all there are, or of a kind
    that is not known here. ArrayError: they are not of that kind."""
    if layout.fields is not None or layout.kind not in "biufc" or (
            not layout.is_known() or len(items) != math.prod(layout.shape)):
        return None
    code = layout.format()
    try:
        if code == "?":
            return bytes(map(bool, items))
        if code:
            return array.array(code, items).tobytes()
        import numpy
        return bytes(numpy.array(items, dtype=layout.dtype).tobytes())
    except ImportError:
        return None
    except (TypeError, ValueError, OverflowError) as error:
        raise ArrayError(str(error)) from None


def build(name: str, raw: Mapping[str, Any], content: bytes) -> Any:
    """The array of a type of this name; ArrayError: it is none."""
    layout, found = Layout(raw), None
    if not layout.fits(content):
        raise ArrayError("a shape that is not that of the content")
    if name == "array.array":
        found = as_array(layout, content)
    elif name.startswith(("numpy.", "torch.")):
        found = as_numpy(layout, content)
    return as_memoryview(layout, content) if found is None else found
