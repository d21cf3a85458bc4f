"""A process that has imported the harness once, and runs one evaluation after the other.

Started as `python -m aurelia_plugin.model_wrappers.harness.warm FD`. Each line of its standard
input is a JSON list: the arguments of `python -m lmms_eval`. An evaluation runs in a child that is
forked from it, so that nothing of one is left for the next, and one that dies takes no other along.
Its exit status, negative where a signal ended it, is written to the file descriptor FD, a line
each. Children end with this process, and this one with its standard input.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import runpy
import signal
import sys
from types import FrameType
from typing import Final, NoReturn, TextIO

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
    status = os.fdopen(int(sys.argv[1]), "w", encoding="ascii")
    os.set_inheritable(status.fileno(), False)
    with contextlib.suppress(Exception):  # an evaluation that needs it says what is wrong
        for name in _IMPORTS:
            importlib.import_module(name)
    for line in sys.stdin:
        print(_run(json.loads(line), status), file=status, flush=True)


def _run(arguments: list[str], status: TextIO) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status.close()
        _evaluate(arguments)

    def end(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
    try:
        _, ended = os.waitpid(child, 0)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return os.waitstatus_to_exitcode(ended)


def _evaluate(arguments: list[str]) -> NoReturn:
    """Run the harness in this process, which is a child, and end it."""
    code = 1
    try:
        _die_with_parent()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        sys.argv = ["lmms_eval", *arguments]
        runpy.run_module("lmms_eval", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a process
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        _finish(code)
    raise AssertionError  # not reached


def _finish(code: int) -> NoReturn:
    """End a forked process as one ends: what was registered for the end is called."""
    import atexit

    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    os._exit(code)


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


if __name__ == "__main__":
    main()
