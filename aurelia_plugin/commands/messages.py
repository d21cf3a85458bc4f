"""Messages of this package and of the libraries below it: one log, on standard error.

loguru is imported where it is used: that takes longer than `aurelia --help`, which never does.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aurelia_plugin.files.escaping import for_terminal

if TYPE_CHECKING:
    from loguru import Message, Record

__all__ = ["quiet_harness", "shown_messages"]

_LEVEL = "WARNING"
_FORMAT = "{level}: {message}"


@contextlib.contextmanager
def shown_messages() -> Iterator[None]:
    """Show warnings and errors while a command runs, as plain text, and those of libraries too."""
    from loguru import logger

    logger.configure(patcher=_plain)
    with contextlib.suppress(ValueError):
        logger.remove(0)  # what loguru begins with: every detail
    sink = logger.add(_show, level=_LEVEL, format=_FORMAT)
    # Does nothing where somebody else has set the log up.
    logging.basicConfig(handlers=[_ToLoguru()], level=_LEVEL)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            logger.remove(sink)


def quiet_harness() -> None:
    """Show no more of the harness's own log than warnings, and not on standard output."""
    import lmms_eval.models  # noqa: F401 - sets the log up when it is imported
    from loguru import logger

    logger.remove()
    logger.add(_show, level=_LEVEL, format=_FORMAT)


def _plain(record: Record) -> None:
    record["message"] = for_terminal(record["message"])


def _show(message: Message) -> None:
    sys.stderr.write(message)


class _ToLoguru(logging.Handler):
    """Hands records of the standard library's log on; see loguru's documentation."""

    def emit(self, record: logging.LogRecord) -> None:
        from loguru import logger

        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame, depth = frame.f_back, depth + 1
        level: str | int = record.levelname if record.levelname in _LEVELS else record.levelno
        logger.opt(depth=depth).log(level, "{}", record.getMessage())


_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
