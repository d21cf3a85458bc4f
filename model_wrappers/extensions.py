"""Providers and sidecar adapters that other installed packages bring, through entry points.

A broken one costs a warning, never a run that does not name it.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable, Container
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from loguru import logger

__all__ = ["PROVIDER_GROUP", "SIDECAR_GROUP", "Extensions", "provider_modules", "sidecar_files"]

PROVIDER_GROUP = "aurelia.providers"
SIDECAR_GROUP = "aurelia.sidecars"

T = TypeVar("T")


class Extensions(NamedTuple):
    """What a group's entry points gave.

    Attributes:
        found: by name.
        broken: what is wrong with each of the others, by name.
    """

    found: dict[str, Any]
    broken: dict[str, str]


def provider_modules(packaged: Container[str]) -> Extensions:
    """Return the providers of other packages: modules with `OPTIONS` and `open_backend`."""
    return _read(PROVIDER_GROUP, packaged, _provider)


def sidecar_files(packaged: Container[str]) -> Extensions:
    """Return the adapters' files of other packages; none of them is run here."""
    return _read(SIDECAR_GROUP, packaged, _adapter)


def _read(group: str, packaged: Container[str], resolve: Callable[[EntryPoint], T]) -> Extensions:
    extensions = Extensions({}, {})
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


def _provider(entry: EntryPoint) -> Any:
    module = entry.load()
    lacking = [name for name in ("OPTIONS", "open_backend") if not hasattr(module, name)]
    if lacking:
        raise TypeError(f"{entry.value} has no {' and no '.join(lacking)}")
    if not hasattr(module.OPTIONS, "model_fields") or not callable(module.open_backend):
        raise TypeError(
            f"{entry.value}: OPTIONS is no subclass of BackendOptions, or open_backend no function"
        )
    return module


def _adapter(entry: EntryPoint) -> Path:
    """Return an adapter's file: a module's, or the path that an attribute holds."""
    if entry.attr:
        place = entry.load()
        place = getattr(place, "__file__", place)
    else:
        spec = importlib.util.find_spec(entry.module)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"no module {entry.module}")
        place = spec.origin
    path = Path(place)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file")
    return path


def _package(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "unknown package"
