"""Functions that decode files, called in a process of their own."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from loguru import logger

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import FileMemory
from aurelia_plugin.media.isolation.limits import Limits, configure, current_limits, is_isolated
from aurelia_plugin.media.isolation.tasks import Task, guarded
from aurelia_plugin.media.medium import Media

__all__ = ["isolated"]


P = ParamSpec("P")
T = TypeVar("T")

# Crashes and hangs by file version: a hang is waited for once, not once a question.
_failures: FileMemory[dict[tuple[str, Limits], MediaError]] = FileMemory()


def isolated(function: Callable[P, T]) -> Callable[P, T]:
    """Let a module's function over media files run where a decoder's fault does no harm.

    Its arguments and its value must be of types that pass (see `wire`). Calls without a file among
    the arguments, and all calls where `is_isolated` says no, are made in this process.

    The function raises what it raises, and MediaError where decoding crashes, hangs, or takes more
    memory or time than the limits allow, or where a library raises an error of its own.
    """
    path = f"{function.__module__}:{function.__qualname__}"

    @functools.wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> T:
        files = [file for value in (*arguments, *options.values()) for file in _files(value)]
        name = str(files[0]) if files else "medium in memory"
        if not files or not is_isolated():
            return guarded(function, name, arguments, options)
        from aurelia_plugin.media.isolation.process import StartError

        seconds = current_limits().deadline(sum(map(_size, files)))
        task = Task(path, arguments, options, name, seconds)
        try:
            return cast(T, _result(task, files[0]))
        except StartError as error:
            configure(isolated=False)
            logger.warning("files are decoded in this process: no other can be started ({})", error)
            return guarded(function, name, arguments, options)

    return call


def _result(task: Task, file: Path) -> object:
    from aurelia_plugin.media.isolation.pool import pool
    from aurelia_plugin.media.isolation.process import DecoderFaultError

    limits = current_limits()
    failures = _failures.get(file, lambda _: {})
    known = failures.get((task.function, limits))
    if known is not None:
        raise MediaError(str(known.path), known.cause, known.fix)
    try:
        return pool().run(task, os.fspath(file))
    except DecoderFaultError as fault:
        failures[task.function, limits] = fault
        raise


def _files(value: object) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Media):
        if value.path is not None:
            yield value.path
        yield from _files(value.sound)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0  # whoever decodes it says so
