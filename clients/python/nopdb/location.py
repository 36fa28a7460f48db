# SPDX-License-Identifier: MIT
"""Where a probe goes: NoPdb's keywords as parameters of the protocol."""
import functools
import inspect
import os
import types
from pathlib import PurePath
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from . import given
from .connection import Json
from .errors import LocationError

Function = Union[str, Callable[..., Any]]
Module = Union[str, types.ModuleType]
File = Union[str, "os.PathLike[str]"]

# Does a record belong to what was asked for?
Filter = Callable[[Json], bool]

_PACKAGE = __name__.rpartition(".")[0]


class Location:
    """params: for the daemon. filters: what the daemon cannot tell apart.
    globals: of the function, when it is of this process. kept: numbers of what
    is kept for the params, see given."""

    def __init__(self) -> None:
        self.params: Dict[str, Any] = {}
        self.filters: List[Filter] = []
        self.globals: Optional[Dict[str, Any]] = None
        self.kept: List[int] = []

    def admits(self, record: Json) -> bool:
        return not self.filters or all(
            admit(record) for admit in self.filters)

    def keep(self, thing: Any) -> str:
        """An expression for an object of this process, until release()."""
        number = given.keep(thing)
        self.kept.append(number)
        return given.text_of(number)

    def release(self) -> None:
        for number in self.kept:
            given.drop(number)
        self.kept.clear()


def _is_function(thing: Any) -> bool:
    return isinstance(thing, types.FunctionType)


def _step(thing: Any) -> Tuple[Any, Any]:
    """One step towards the code that a call runs: what is behind it, and the
    object to which it is bound. itself: there is nothing behind it."""
    if isinstance(thing, types.MethodType):
        return thing.__func__, thing.__self__
    if isinstance(thing, functools.partial):
        return thing.func, None
    if isinstance(thing, (staticmethod, classmethod)):
        return thing.__func__, None
    if isinstance(thing, property):
        return thing.fget, None
    if isinstance(thing, type):
        return thing.__init__, None  # type: ignore[misc]
    call = getattr(type(thing), "__call__", None)
    if not _is_function(thing) and _is_function(call):
        return call, thing
    return thing, None


def function_behind(thing: Any, unwrap: bool
                    ) -> Tuple[types.FunctionType, Any]:
    """The function that a call runs, and the object that it is bound to.

    LocationError: no code of Python is behind it.
    """
    instance, function = None, thing
    for _ in range(100):
        if unwrap and hasattr(function, "__wrapped__"):
            function = inspect.unwrap(function)
        behind, bound = _step(function)
        instance = bound if bound is not None else instance
        if behind is function:
            break
        function = behind
    if not _is_function(function):
        raise LocationError("%r has no code of Python" % (thing,),
                            remedy="name a function that is written in Python")
    return function, instance


def qualname_of(function: types.FunctionType) -> str:
    """The name of its code: what functools.wraps copied is not how it is
    called."""
    code = function.__code__
    name: str = getattr(code, "co_qualname", None) or function.__qualname__
    return name if name.rpartition(".")[2] == code.co_name else code.co_name


def _bare(function: types.FunctionType) -> types.FunctionType:
    """The same code without what it wraps: nobody is to look behind it."""
    return types.FunctionType(function.__code__, function.__globals__,
                              function.__name__, None, function.__closure__)


def _take_callable(where: Location, thing: Any, unwrap: bool) -> None:
    """By the name of a callable: for another process."""
    function, _ = function_behind(thing, unwrap)
    where.params["module"] = function.__globals__.get("__name__", "")
    where.params["function"] = qualname_of(function)


def _take_own(where: Location, thing: Any, unwrap: bool) -> None:
    """A callable itself: for this process."""
    function, instance = function_behind(thing, unwrap)
    where.globals = function.__globals__
    if hasattr(function, "__wrapped__"):
        function = _bare(function)
    where.params["module"] = given.__name__
    where.params["callable"] = where.keep(
        function if instance is None
        else types.MethodType(function, instance))


def _not_ours(record: Json) -> bool:
    """Is it no doing of this package? Its frames are part of the stack."""
    stack = record.get("stack")
    frames = [record] + (stack if isinstance(stack, list) else [])
    return not any(
        str(frame.get("function", "")).partition(":")[0].partition(".")[0]
        == _PACKAGE for frame in frames if isinstance(frame, dict))


def _names_module(where: Location, module: Module) -> None:
    name = module if isinstance(module, str) else module.__name__
    if "callable" not in where.params:
        where.params["module"] = name
        return
    # A callable stands alone: of one that is of another module comes nothing.
    if (where.globals or {}).get("__name__") != name:
        where.filters.append(lambda record: False)


def _names_file(where: Location, file: File) -> None:
    name = file if isinstance(file, str) else os.path.realpath(file)
    if "callable" not in where.params:
        where.params["file"] = name
        return

    def fits(record: Json) -> bool:
        found = str(record.get("file"))
        return found == name or PurePath(os.path.realpath(found)).match(name)
    where.filters.append(fits)


def locate(function: Optional[Function] = None,
           module: Optional[Module] = None, file: Optional[File] = None,
           unwrap: bool = True, own: bool = False,
           callable: Optional[str] = None) -> Location:
    """The location that NoPdb's keywords name; nothing named: every function.

    own: it is in this process, whose callables are known by identity.
    callable: an expression in the target, instead of function and file.
    LocationError: what is named has no code.
    """
    where = Location()
    if callable is not None:
        if function is not None or file is not None:
            raise LocationError("callable: stands alone, or with a module")
        where.params["callable"] = callable
        if module is not None:
            where.params["module"] = module if isinstance(
                module, str) else module.__name__
        return where
    if isinstance(function, str):
        where.params["function"] = function
    elif function is not None:
        (_take_own if own else _take_callable)(where, function, unwrap)
    if module is not None:
        _names_module(where, module)
    if file is not None:
        _names_file(where, file)
    if not where.params:
        where.params["function"] = "*"
    if own and "callable" not in where.params:
        where.filters.append(_not_ours)
    return where
