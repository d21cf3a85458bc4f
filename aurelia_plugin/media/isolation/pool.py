"""The processes that decode, started when they are needed and started again when they end."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from loguru import logger

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.isolation.limits import Limits, current_limits
from aurelia_plugin.media.isolation.process import DecodingProcess, GoneError
from aurelia_plugin.media.isolation.tasks import Task
from aurelia_plugin.media.isolation.wire import Value

__all__ = ["ProcessPool", "pool"]


_ATTEMPTS = 3

# Files whose timelines a process still knows, about.
_REMEMBERED = 64


class ProcessPool:
    """At most so many processes as the limits say; safe for threads."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._idle: list[DecodingProcess] = []
        self._busy: set[DecodingProcess] = set()
        self._starting = 0

    def run(self, task: Task, file: str) -> Value:
        """Return what a task gives, in a process that knows the file if one is free.

        Raises:
            MediaError: the file cannot be decoded, or decoding it ended or stopped the process.
            ValueError: the caller's mistake, as the function says.
            StartError: no process can be started.
        """
        for _ in range(_ATTEMPTS):
            with self._process(file) as process:
                try:
                    return process.run(task)
                except GoneError:
                    logger.info("a decoding process was ended by others; another one is started")
        raise MediaError(task.name, "the decoder is killed each time, perhaps for want of memory")

    @contextmanager
    def _process(self, file: str) -> Iterator[DecodingProcess]:
        process = self._taken(file)
        try:
            yield process
        finally:
            with self._free:
                self._busy.discard(process)
                if process.is_alive and process.limits == current_limits():
                    process.files[file] = process.files.pop(file, None)
                    while len(process.files) > _REMEMBERED:
                        del process.files[next(iter(process.files))]
                    self._idle.append(process)
                else:
                    process.close()
                self._free.notify()

    def _taken(self, file: str) -> DecodingProcess:
        limits = current_limits()
        with self._free:
            while True:
                self._drop_useless(limits)
                if self._idle:
                    knowing = (p for p in self._idle if file in p.files)
                    process = next(knowing, self._idle[-1])
                    self._idle.remove(process)
                    self._busy.add(process)
                    return process
                if len(self._busy) + self._starting < limits.workers:
                    self._starting += 1
                    break
                self._free.wait()
        return self._started(limits)

    def _started(self, limits: Limits) -> DecodingProcess:
        process: DecodingProcess | None = None
        try:
            process = DecodingProcess(limits)
            return process
        finally:
            with self._free:
                self._starting -= 1
                if process is None:
                    self._free.notify()
                else:
                    self._busy.add(process)

    def _drop_useless(self, limits: Limits) -> None:
        for process in [p for p in self._idle if not p.is_alive or p.limits != limits]:
            self._idle.remove(process)
            process.close()

    def close(self) -> None:
        """End the processes; those at work, too."""
        with self._free:
            for process in (*self._idle, *self._busy):
                process.close()
            self._idle.clear()

    def forget(self) -> None:
        """Let go of processes that belong to the process from which this one was forked."""
        for process in (*self._idle, *self._busy):
            process.forget()


_pool: ProcessPool | None = None
_lock = threading.Lock()


def pool() -> ProcessPool:
    """Return the pool of this process."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ProcessPool()
            atexit.register(_pool.close)
        return _pool


def _after_fork() -> None:
    global _pool, _lock
    _lock = threading.Lock()
    if _pool is not None:
        atexit.unregister(_pool.close)
        _pool.forget()
        _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
