# SPDX-License-Identifier: MIT
"""Code for a probe as NoPdb takes it: text, bytes or a code object, with
variables from outside; as the text that the protocol has for it."""
import ast
import types
from typing import Any, Dict, List, Mapping, Optional, Union

from .errors import LocationError
from .location import Location

Code = Union[str, bytes, types.CodeType]
Variables = Optional[Mapping[str, Any]]


def _text(code: Union[str, bytes]) -> str:
    if isinstance(code, str):
        return code
    try:
        return code.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LocationError("the code is no UTF-8: %s" % error,
                            "bad-code") from None


def _names(code: types.CodeType) -> List[str]:
    """The names that a code object may look up, itself or nested in it."""
    found = set(code.co_names) | set(code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.update(_names(constant))
    return sorted(found)


def _kept(where: Location, code: types.CodeType, own: bool) -> str:
    if not own:
        raise LocationError("a code object cannot go to another process",
                            "bad-code", "give its source text")
    return where.keep(code)


def _literal(name: str, value: Any) -> str:
    """The value as an expression for another process."""
    text = repr(value)
    try:
        if ast.literal_eval(text) == value:
            return text
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    raise LocationError("the variable %s cannot go to another process: %.100r"
                        % (name, value), "bad-code",
                        "only what a literal can say")


def _values(where: Location, variables: Mapping[str, Any], own: bool
            ) -> Dict[str, str]:
    """Expressions for the values of variables."""
    for name in variables:
        if not isinstance(name, str) or not name.isidentifier():
            raise LocationError("variables: %r is no name" % (name,),
                                "bad-code")
    if not own:
        return {name: _literal(name, value)
                for name, value in variables.items()}
    kept = where.keep(dict(variables))
    return {name: "%s[%r]" % (kept, name) for name in variables}


def expression(where: Location, code: Code, variables: Variables,
               own: bool) -> str:
    """An expression. Variables from outside hide those of the frame."""
    if isinstance(code, types.CodeType):
        # A name that is mentioned is one that the frame hands in.
        mentioned = "".join("%s, " % name for name in _names(code)
                            if name.isidentifier())
        text = "(eval(%s, {**globals(), **locals()}), lambda: (%s))[0]" % (
            _kept(where, code, own), mentioned)
    else:
        text = _text(code)
    if not variables:
        return text
    values = _values(where, variables, own)
    return "(lambda %s: (\n%s\n))(%s)" % (
        ", ".join(values), text.strip(), ", ".join(values.values()))


def statements(where: Location, code: Code, variables: Variables,
               own: bool) -> str:
    """Statements. Variables from outside may not be variables of the frame,
    and are gone afterwards."""
    text = ("exec(%s)" % _kept(where, code, own)
            if isinstance(code, types.CodeType) else _text(code))
    if not variables:
        return text
    values = _values(where, variables, own)
    names = ", ".join(values)
    return (
        "if set(locals()) & set(%r): raise RuntimeError("
        "'variables from outside and of the frame have the same name: %%s' "
        "%% ', '.join(set(locals()) & set(%r)))\n"
        "%s, = %s,\n%s\ndel %s" % (
            list(values), list(values), names, ", ".join(values.values()),
            text, names))
