"""A process that decodes files for another one, and ends with it.

Started by `process`; imports nothing of a run but what decodes.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from loguru import logger

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.isolation.channel import receive, send
from aurelia_plugin.media.isolation.limits import configure
from aurelia_plugin.media.isolation.progress import watch
from aurelia_plugin.media.isolation.tasks import READY, Outcome, Task, guarded

if TYPE_CHECKING:
    from loguru import Message

__all__ = ["main"]

_PRELOADED = ("aurelia_plugin.media.video", "aurelia_plugin.media.audio")

# How much later than the other process, which may be gone, this one ends itself.
_GRACE_S = 30.0


def main(arguments: list[str]) -> None:
    """Serve tasks until the other side closes the channel.

    Args:
        arguments: one JSON object with the descriptors `channel` and `counter`, the bytes of
            `memory` and the process id of the `parent`.
    """
    settings = json.loads(arguments[0])
    configure(isolated=False)
    counter = mmap.mmap(settings["counter"], mmap.PAGESIZE)
    watch(memoryview(counter).cast("Q"))
    threading.Thread(target=_end_with, args=(settings["parent"],), daemon=True).start()
    for name in _PRELOADED:
        import_module(name)
    _limit(settings["memory"])
    log = _Log()
    with socket.socket(fileno=settings["channel"]) as channel, suppress(EOFError, OSError):
        send(channel, READY)
        while True:
            task = receive(channel)
            if not isinstance(task, Task):
                return
            signal.setitimer(signal.ITIMER_REAL, task.seconds + _GRACE_S)
            outcome = _outcome(task)
            send(channel, outcome._replace(logged=log.taken()))
            signal.setitimer(signal.ITIMER_REAL, 0)


def _limit(memory: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever a decoder does
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS has the limit, and refuses it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # If the machine runs out of memory all the same, this is what the system ends first.
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _outcome(task: Task) -> Outcome:
    module, _, name = task.function.partition(":")
    function = getattr(import_module(module), name)
    try:
        return Outcome("value", guarded(function, task.name, task.arguments, task.options))
    except MediaError as error:
        return Outcome("media", (str(error.path), error.cause, error.fix))
    except ValueError as error:
        return Outcome("value_error", str(error))
    except MemoryError:
        return Outcome("memory", None)


class _Log:
    """Gathers what this package logs."""

    def __init__(self) -> None:
        self._records: list[tuple[str, str, str]] = []
        logger.remove()
        logger.add(self._keep, level="INFO", format="{message}")

    def _keep(self, message: Message) -> None:
        record = message.record
        self._records.append((record["name"] or "", record["level"].name, record["message"]))

    def taken(self) -> tuple[tuple[str, str, str], ...]:
        """Return the records since the last time."""
        records, self._records = tuple(self._records), []
        return records


if __name__ == "__main__":
    main(sys.argv[1:])
