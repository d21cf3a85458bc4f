"""What a process that decodes is asked, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeVar

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.isolation.wire import Value, passes

__all__ = ["READY", "Outcome", "Task", "guarded"]

READY = "ready"
"""The first message of a process, once it has loaded what decodes."""

T = TypeVar("T")


@passes
class Task(NamedTuple):
    """A call of a function (`module:name`) over a file.

    `name` is the file's, for messages; `seconds` is the most that the call may take.
    """

    function: str
    arguments: tuple[Value, ...]
    options: Mapping[str, Value]
    name: str
    seconds: float


@passes
class Outcome(NamedTuple):
    """What came of a task: a value, a MediaError's or ValueError's parts, or too little memory.

    `logged` holds module, level and text of what was logged on the way.
    """

    kind: Literal["value", "media", "value_error", "memory"]
    value: Value
    logged: tuple[tuple[str, str, str], ...] = ()


def guarded(
    function: Callable[..., T],
    name: str,
    arguments: tuple[Value, ...],
    options: Mapping[str, Value],
) -> T:
    """Call a function that decodes; what a library raises of its own becomes a MediaError.

    Raises:
        MediaError: the file cannot be decoded.
        ValueError: the caller's mistake.
        MemoryError: there is not enough of it.
    """
    try:
        return function(*arguments, **options)
    except (MediaError, ValueError, MemoryError):
        raise
    except Exception as error:
        # Whatever decoders raise on damaged files: it is that file's error, told with its cause.
        cause = f"cannot be decoded: {type(error).__name__}: {error}"
        raise MediaError(name, cause) from error
