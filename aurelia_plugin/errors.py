"""The errors that this package raises on purpose.

Every message says what happened, names the file or setting, and ends with the fix on its own
last line, because the harness prints a traceback around any exception and the last line is what
a user reads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aurelia_plugin.redaction import without_secrets

__all__ = [
    "AureliaError",
    "BackendError",
    "ConfigError",
    "MediaError",
    "OverBudgetError",
    "StoreError",
    "TransientError",
]


class AureliaError(Exception):
    """A problem that the user can fix.

    Args:
        what: what happened, with the file or setting concerned.
        fix: what to do about it; printed as the last line.
    """

    def __init__(self, what: str, fix: str) -> None:
        # What happened is told in the words of users, files and services: a key may be among them.
        self.what = without_secrets(what)
        self.fix = fix
        super().__init__(f"{self.what}\n{fix}")

    def __reduce__(self) -> tuple[type[AureliaError], tuple[str, str]]:
        return type(self), (self.what, self.fix)


class ConfigError(AureliaError):
    """A setting, spec or prompt file is missing, misspelt or out of range."""


class StoreError(AureliaError):
    """A traces folder cannot be read or written."""


class OverBudgetError(AureliaError):
    """A call was not made because it could have passed `max_calls`, `max_tokens` or `max_cost`."""


class MediaError(AureliaError):
    """A media file is missing, unreadable or has no usable content.

    Args:
        path: the file, or a description of an in-memory medium.
        cause: why it cannot be used.
        fix: what to do about it.
    """

    def __init__(
        self,
        path: Path | str,
        cause: str,
        fix: str = "Check that the file plays from beginning to end, or fetch it again.",
    ) -> None:
        super().__init__(f"{path}: {cause}", fix)
        self.path = path
        self.cause = cause

    def __reduce__(self) -> tuple[type[AureliaError], tuple[str, str]]:
        return type(self), (str(self.path), self.cause, self.fix)  # type: ignore[return-value]


class BackendError(AureliaError):
    """A model or service did not answer: the call failed after its retries.

    Args:
        backend: the backend's name.
        what: what happened.
        fix: what to do about it.
        charged: whether the service may have worked, and may want money, all the same: a reply
            that came late, broke off or could not be read.
    """

    def __init__(self, backend: str, what: str, fix: str, *, charged: bool = False) -> None:
        super().__init__(f"{backend}: {what}", fix)
        self.backend = backend
        self.charged = charged
        self._what = what

    def __reduce__(self) -> tuple[Any, ...]:
        # The third entry is restored into the attributes.
        return type(self), (self.backend, self._what, self.fix), self.__dict__


class TransientError(BackendError):
    """A call failed in a way that may pass: too many requests, a timeout, a dropped connection.

    Args:
        retry_after: seconds that the service asked to wait, if it said so.
        throttled: whether the service refused because it is asked too much.
    """

    def __init__(
        self,
        backend: str,
        what: str,
        fix: str,
        *,
        retry_after: float | None = None,
        throttled: bool = False,
        charged: bool = False,
    ) -> None:
        super().__init__(backend, what, fix, charged=charged)
        self.retry_after = retry_after
        self.throttled = throttled
