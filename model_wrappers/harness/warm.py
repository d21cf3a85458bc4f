"""A process that has imported the harness once, and runs one evaluation after the other.

Started as `python -m aurelia_plugin.model_wrappers.harness.warm FD`. Each line of its standard
input is a JSON list: the arguments of `python -m lmms_eval`. A model that was loaded for one
evaluation is there for the next. The exit status of each is written to the file descriptor FD, a
line each. Whoever started it ends it after an evaluation that failed, so that nothing of that is
left for the next; it ends by itself with its parent, and with its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import json
import os
import runpy
import signal
import sys
from typing import Final

__all__ = ["main"]

_DIE_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""

_IMPORTS: Final = (
    *("lmms_eval.evaluator", "lmms_eval.tasks", "lmms_eval.loggers", "lmms_eval.models"),
    *("aurelia_plugin.model_wrappers.aurelia", "transformers.models.auto.modeling_auto"),
)
"""What every evaluation imports, and what takes most of its start."""


def main() -> None:
    """Run evaluations until standard input ends."""
    _die_with_parent()  # a study that is killed takes its run along; both go on where they were
    commands = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # no evaluation reads the next one's arguments
    status = os.fdopen(int(sys.argv[1]), "w", encoding="ascii")
    os.set_inheritable(status.fileno(), False)
    with contextlib.suppress(Exception):  # an evaluation that needs it says what is wrong
        for name in _IMPORTS:
            importlib.import_module(name)
    from aurelia_plugin.model_wrappers.resting import RESTING

    RESTING.welcome()
    try:
        for line in commands:
            print(_evaluated(json.loads(line)), file=status, flush=True)
    finally:
        asyncio.run(RESTING.close())


def _evaluated(arguments: list[str]) -> int:
    """Run the harness, and return what its process would end with."""
    code = 1
    try:
        sys.argv = ["lmms_eval", *arguments]
        runpy.run_module("lmms_eval", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a process
        sys.excepthook(*sys.exc_info())
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


if __name__ == "__main__":
    main()
