"""Calling a backend: the one place where calls are retried and failures get their form."""

from __future__ import annotations

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from aurelia_plugin.backend import Backend, Prompt, Reply
from aurelia_plugin.errors import AureliaError, BackendError, TransientError

__all__ = ["RetryPolicy", "answer"]


class RetryPolicy:
    """How often and how patiently a call that failed in passing is repeated.

    Args:
        attempts: calls in all.
        first_wait: seconds; the wait grows exponentially from here, with jitter.
        longest_wait: seconds.
    """

    def __init__(
        self, attempts: int = 5, first_wait: float = 1.0, longest_wait: float = 60.0
    ) -> None:
        self.attempts = attempts
        self._backoff = wait_random_exponential(multiplier=first_wait, max=longest_wait)

    def wait(self, state: RetryCallState) -> float:
        """Return the seconds to wait: what the service asked for, else the backoff."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        return max(self._backoff(state), asked or 0.0)


async def answer(backend: Backend, prompt: Prompt, retry: RetryPolicy) -> Reply:
    """Return the backend's reply.

    Raises:
        BackendError: when the call failed, after its retries if it could have passed.
        AureliaError: as the backend raised it (a medium, a setting).
    """
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(retry.attempts),
        wait=retry.wait,
        reraise=True,
    )
    try:
        return await attempts(backend, prompt)
    except AureliaError:
        raise
    except Exception as error:
        raise BackendError(
            backend.identity,
            f"{type(error).__name__}: {error}",
            "Look up this error in the model's or service's own documentation.",
        ) from error
