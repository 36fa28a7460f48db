# SPDX-License-Identifier: MIT
"""Where a probe goes: NoPdb's keywords as parameters of the protocol."""
import functools
import inspect
import os
import types
from pathlib import PurePath
from typing import Any, Callable, Dict, List, Optional, Union

from .connection import Json
from .errors import LocationError

Function = Union[str, Callable[..., Any]]
Module = Union[str, types.ModuleType]
File = Union[str, "os.PathLike[str]"]

# Does a record belong to what was asked for?
Filter = Callable[[Json], bool]


class Location:
    """params: for the daemon. filters: what the daemon cannot tell apart."""

    def __init__(self) -> None:
        self.params: Dict[str, Any] = {}
        self.filters: List[Filter] = []

    def admits(self, record: Json) -> bool:
        return all(admit(record) for admit in self.filters)


def _unwrapped(function: Any, unwrap: bool) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, (staticmethod, classmethod)):
        function = function.__func__
    if isinstance(function, property):
        function = function.fget
    if isinstance(function, type):
        function = function.__init__  # type: ignore[misc]
    return inspect.unwrap(function) if unwrap else function


def _same_instance(name: str, instance: Any) -> Filter:
    address = "0x%x" % id(instance)

    def admit(record: Json) -> bool:
        args = record.get("args") or {}
        first = args.get(name)
        # A hit has no arguments; nor has a call that ran already.
        return not isinstance(first, dict) or bool(
            address == first.get("$id", first.get("$ref")))
    return admit


def _take_callable(where: Location, given: Any, unwrap: bool,
                   own: bool) -> None:
    """Fills in module and function of a callable of this process."""
    instance = getattr(given, "__self__", None)
    function = _unwrapped(given, unwrap)
    function = getattr(function, "__func__", function)
    code: Optional[types.CodeType] = getattr(function, "__code__", None)
    if code is None:
        raise LocationError("%r has no code of Python" % (given,),
                            remedy="name a function that is written in Python")
    # What functools.wraps copied is not how the code is called.
    name = getattr(code, "co_qualname", None) or function.__qualname__
    if name.rpartition(".")[2] != code.co_name:
        name = code.co_name
    where.params["module"] = function.__globals__.get("__name__", "")
    where.params["function"] = name
    if not own:
        return
    first, source = code.co_firstlineno, code.co_filename

    def same_code(record: Json) -> bool:
        return record.get("event") != "call" or bool(
            record.get("line") == first
            and record.get("file") == source)
    where.filters.append(same_code)
    if instance is not None and code.co_argcount:
        where.filters.append(_same_instance(code.co_varnames[0], instance))


def locate(function: Optional[Function], module: Optional[Module],
           file: Optional[File], unwrap: bool, own: bool) -> Location:
    """The location that NoPdb's keywords name.

    own: it is in this process, whose callables are known by identity.
    LocationError: nothing is named, or it has no code.
    """
    where = Location()
    if isinstance(function, str):
        where.params["function"] = function
    elif function is not None:
        _take_callable(where, function, unwrap, own)
    if isinstance(module, str):
        where.params["module"] = module
    elif module is not None:
        where.params["module"] = module.__name__
    if isinstance(file, PurePath):
        where.params["file"] = os.path.abspath(str(file))
    elif file is not None:
        where.params["file"] = os.fspath(file)
    if not where.params:
        raise LocationError("no location is given",
                            remedy="name a function, a module or a file")
    return where
