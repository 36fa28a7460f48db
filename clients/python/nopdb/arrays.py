# SPDX-License-Identifier: MIT
"""Arrays of a target: numpy's when there is numpy here, else memoryviews.

Their bytes come whole (arrays="full"), or their items do, when there are few.
"""
import array
import math
import re
import struct
import sys
from typing import Any, Dict, List, Mapping, Optional, Tuple

MOST = 1 << 30  # bytes that a shape may ask for
DIMENSIONS_MOST = 32

_DTYPE = re.compile(r"[<>|=]?[bhilqBHILQefdgFDGcu?]?[0-9]{0,2}\Z|"
                    r"(?:u?int|float|complex)[0-9]{1,3}\Z|bool\Z")

# Of memoryview.cast(), for dtypes in the order of this machine.
_FORMATS: Dict[str, str] = {
    "b1": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i",
    "u4": "I", "i8": "q", "u8": "Q", "f4": "f", "f8": "d"}
_ORDER = "<" if sys.byteorder == "little" else ">"


def is_dtype(text: str) -> bool:
    """Is it a plain type of numbers? Objects are never unpickled."""
    return bool(_DTYPE.match(text))


def is_shape(shape: Any) -> bool:
    """A list of sizes that can be."""
    return (isinstance(shape, list) and len(shape) <= DIMENSIONS_MOST
            and all(isinstance(size, int) and not isinstance(size, bool)
                    and 0 <= size <= MOST for size in shape))


def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def _format(dtype: str) -> Optional[str]:
    if dtype[:1] in (_ORDER, "|", "="):
        return _FORMATS.get(dtype[1:])
    return _FORMATS.get(dtype)


def _view(content: bytes, dtype: str, shape: List[int]) -> memoryview:
    """With its format and shape where memoryview knows them."""
    flat = memoryview(content)
    kind = _format(dtype)
    if kind is None or not shape or 0 in shape:
        return flat
    return flat.cast(kind, shape)


def of_bytes(content: bytes, dtype: str, shape: List[int],
             view: bool = False) -> Any:
    """The array with that content. ValueError: they do not belong together.
    view: a memoryview, whatever there is."""
    numpy = None if view else _numpy()
    if numpy:
        return numpy.frombuffer(content, dtype=dtype).reshape(shape)
    try:
        return _view(content, dtype, shape)
    except (TypeError, struct.error) as error:
        raise ValueError(str(error)) from None


def of_items(items: List[Any], dtype: str, shape: List[int],
             view: bool = False) -> Any:
    """The array with these items, all of it; None: they are not all, or are
    of no kind that they can be made of here."""
    if len(items) != math.prod(shape):
        return None
    numpy = None if view else _numpy()
    if numpy:
        return numpy.array(items, dtype=dtype).reshape(shape)
    kind = _format(dtype)
    if kind is None:
        return None
    if kind == "?":
        return _view(bytes(map(bool, items)), dtype, shape)
    return _view(array.array(kind, items).tobytes(), dtype, shape)


def members(raw: Mapping[str, Any]) -> Optional[Tuple[str, List[int]]]:
    """(dtype, shape) of a value, None when it has none that are plain."""
    shape, dtype = raw.get("$shape"), raw.get("$dtype")
    if shape is None or not isinstance(dtype, str) or len(dtype) > 64:
        return None
    return (dtype, shape) if is_dtype(dtype) else None
