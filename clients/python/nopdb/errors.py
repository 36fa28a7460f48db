# SPDX-License-Identifier: MIT
"""What can go wrong, as exceptions that carry the daemon's own reason."""
from typing import Any, Dict, Mapping, Optional, Type


class NopdbError(Exception):
    """Any refusal or failure of nopdb.

    name: its name in the protocol ("no-such-process"), remedy: what can be
    done (or None), exit: the status with which the command would end.
    """

    name: str = "internal"
    status = 6

    def __init__(self, message: str, name: Optional[str] = None,
                 remedy: Optional[str] = None, exit: Optional[int] = None
                 ) -> None:
        super().__init__(message)
        self.message = message
        self.name = name or type(self).name
        self.remedy = remedy
        self.exit = type(self).status if exit is None else exit

    def __str__(self) -> str:
        if self.remedy:
            return "%s (remedy: %s)" % (self.message, self.remedy)
        return self.message


class NotPermitted(NopdbError):
    """The kernel, or the daemon's policy, does not allow it."""

    name = "not-permitted"
    status = 3


class NoSuchProcess(NopdbError):
    """There is none, it is no Python, or it has ended."""

    name = "no-such-process"
    status = 4


class LocationError(NopdbError):
    """The location, condition or code given cannot work."""

    name = "bad-location"
    status = 5


class AttachError(NopdbError):
    """The process could not be entered; it is as it was."""

    name = "attach-failed"


class DaemonError(NopdbError):
    """There is no daemon, or the connection to it is lost."""

    name = "no-daemon"


class DecodeError(NopdbError):
    """A record or value that is not what the protocol allows."""

    name = "parse"


class WaitTimeout(NopdbError, TimeoutError):
    """What was waited for did not come in time."""

    name = "timeout"


class EvaluationError(NopdbError):
    """An expression of a breakpoint raised in the target.

    type: the exception's type by name, "nopdb" when it was interrupted.
    """

    name = "evaluation"

    def __init__(self, text: str, type: Optional[str],
                 message: Optional[str]) -> None:
        super().__init__("%s: %s: %s" % (text, type, message))
        self.text = text
        self.type = type
        self.reason = message


_CLASSES: Dict[str, Type[NopdbError]] = {
    "not-permitted": NotPermitted,
    "no-such-process": NoSuchProcess,
    "not-python": NoSuchProcess,
    "unsupported-python": NoSuchProcess,
    "zombie": NoSuchProcess,
    "target-exited": NoSuchProcess,
    "bad-location": LocationError,
    "bad-condition": LocationError,
    "bad-code": LocationError,
    "already-traced": AttachError,
    "stopped": AttachError,
    "finalizing": AttachError,
    "no-safe-thread": AttachError,
    "timeout": AttachError,
    "seccomp": AttachError,
    "engine": AttachError,
    "attach-failed": AttachError,
    "no-daemon": DaemonError,
    "protocol": DaemonError,
}


def from_answer(error: Mapping[str, Any]) -> NopdbError:
    """The exception for the error member of an answer."""
    data = error.get("data")
    facts: Mapping[str, Any] = data if isinstance(data, dict) else {}
    name = str(facts.get("name", "internal"))
    remedy = facts.get("remedy")
    status = facts.get("exit")
    return _CLASSES.get(name, NopdbError)(
        str(error.get("message", "no reason given")), name,
        remedy if isinstance(remedy, str) else None,
        status if isinstance(status, int) else None)
