"""When a run is stopped because its target cannot answer: a table of zeros is no result."""

from __future__ import annotations

import re

from aurelia_plugin.errors import AureliaError, BackendError, OverBudgetError, TransientError

__all__ = ["STOP_AFTER", "TargetWatch"]

STOP_AFTER = 8
"""Calls of the target after which a run stops, if all of them ended in one permanent error."""


class TargetWatch:
    """Watches how the target's calls end, those of one process.

    Args:
        limit: the number of first calls that, all ended by one permanent error, stop the run; 0
            watches nothing.
    """

    def __init__(self, limit: int = STOP_AFTER) -> None:
        self._limit = limit
        self._failed = 0
        self._alike = True
        self._first: BackendError | None = None
        self._answered = False

    def answered(self) -> None:
        """Note an answer: from here on the target is known to work."""
        self._answered = True

    def failed(self, error: AureliaError) -> None:
        """Note a call that failed after its retries.

        Media that cannot be read and calls that the budget did not allow say nothing of the target.

        Raises:
            BackendError: the limit is reached.
        """
        if not isinstance(error, BackendError) or isinstance(error, OverBudgetError):
            return
        self._failed += 1
        self._first = self._first or error
        passing = isinstance(error, TransientError)
        self._alike &= not passing and _kind(error) == _kind(self._first)
        if self._limit and not self._answered and self._alike and self._failed >= self._limit:
            raise self._stopped(f"the first {self._failed} questions all ended in this error")

    def finish(self) -> None:
        """Look at the whole run.

        Raises:
            BackendError: not one call of the target was answered.
        """
        if self._limit and not self._answered and self._failed:
            raise self._stopped("not one question was answered, and the first ended in this error")

    def _stopped(self, when: str) -> BackendError:
        assert self._first is not None
        what = self._first.what.removeprefix(f"{self._first.backend}: ")
        return BackendError(
            self._first.backend,
            f"{what}\nThe run was stopped, and nothing was scored: {when}. What the agents "
            "finished is kept. stop_after=0 goes on all the same.",
            self._first.fix,
        )


def _kind(error: BackendError) -> str:
    """Return the error without what differs from call to call: numbers and identifiers."""
    return re.sub(r"[0-9a-fA-F-]*\d[0-9a-fA-F-]*", "#", error.what)
