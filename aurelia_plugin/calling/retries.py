"""When a call that failed in passing is repeated, and after which wait."""

from __future__ import annotations

import random

from tenacity import RetryCallState, wait_random_exponential

from aurelia_plugin.errors import TransientError

__all__ = ["RetryPolicy"]

_SPREAD = 0.1
"""Waits that a service asked for are lengthened by up to this share, so that the calls of many
processes do not come back at one moment."""


class RetryPolicy:
    """How often and how patiently a call that failed in passing is repeated.

    Args:
        attempts: calls in all, not counting those that were refused as too many.
        first_wait: seconds; the wait grows exponentially from here, with jitter.
        longest_wait: seconds.
        patience: seconds for which a service may answer nothing but "too many requests", and the
            longest wait that it may ask for, before a call counts as failed.
    """

    def __init__(
        self,
        attempts: int = 5,
        first_wait: float = 1.0,
        longest_wait: float = 60.0,
        patience: float = 900.0,
    ) -> None:
        self.attempts = attempts
        self.patience = patience
        self._backoff = wait_random_exponential(multiplier=first_wait, max=longest_wait)

    def wait(self, state: RetryCallState) -> float:
        """Return the seconds to wait: what the service asked for, else the backoff."""
        error = state.outcome.exception() if state.outcome else None
        asked = (error.retry_after if isinstance(error, TransientError) else None) or 0.0
        return max(self._backoff(state), asked + min(1.0, asked * _SPREAD) * random.random())
