"""What other installed packages bring through entry points.

A broken one costs a warning, never a run that does not name it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from loguru import logger

__all__ = ["Extensions", "read_extensions"]

T = TypeVar("T")


@dataclass(frozen=True)
class Extensions(Generic[T]):
    """What a group's entry points gave.

    Attributes:
        found: by name.
        broken: what is wrong with each of the others, by name.
    """

    found: dict[str, T] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


def read_extensions(
    group: str, packaged: Container[str], resolve: Callable[[EntryPoint], T]
) -> Extensions[T]:
    """Return what other packages bring.

    Args:
        group: of the entry points.
        packaged: names that this package has itself; they cannot be taken.
        resolve: returns what an entry point stands for; whatever it raises makes the entry a broken
            one, of which a warning tells once.
    """
    extensions: Extensions[T] = Extensions()
    for entry in _entries(group, tuple(sys.path)):
        if entry.name in packaged or entry.name in extensions.found:
            cause = "the name is taken"
        else:
            try:
                extensions.found[entry.name] = resolve(entry)
                continue
            except Exception as error:  # noqa: BLE001 - other people's code; told in a warning
                cause = f"{type(error).__name__}: {error}"
        extensions.broken[entry.name] = f"{_package(entry)}: {cause}"
        _warn(group, entry.name, extensions.broken[entry.name])
    return extensions


@functools.lru_cache(maxsize=16)
def _entries(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group, for one state of `sys.path`."""
    return tuple(entry_points(group=group))


@functools.cache
def _warn(group: str, name: str, cause: str) -> None:
    """Warn of a broken one, once."""
    logger.warning("{} {!r} is left out: {}", group, name, cause)


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown package"
