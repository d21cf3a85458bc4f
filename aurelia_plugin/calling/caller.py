"""Calling backends: the one place where calls are paced, timed, retried and paid for."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_random_exponential,
)

from aurelia_plugin.calling.backend import Backend, Preparing, Prompt, Reply, service_of
from aurelia_plugin.calling.budget import Budget
from aurelia_plugin.calling.pacing import Pacer
from aurelia_plugin.errors import AureliaError, BackendError, TransientError
from aurelia_plugin.redaction import without_secrets

__all__ = ["Caller", "RetryPolicy"]

_ANY = 2**31
_READY = 2
"""Requests made ready at once, for each call that a service is asked at once."""

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


class Caller:
    """Makes every call of a run, so that all roles and the target keep to one limit per service.

    Args:
        retry: when a call is repeated.
        budget: what the calls of the run may cost; nothing is limited without one.
        timeout: seconds after which a call counts as failed and is repeated, its turn in the queue
            not included; by default as each service's own option says, and none on this machine.
    """

    def __init__(
        self,
        retry: RetryPolicy | None = None,
        *,
        budget: Budget | None = None,
        timeout: float | None = None,
    ) -> None:
        self.budget = budget or Budget()
        self.retry = retry or RetryPolicy()
        self.timeout = timeout
        self._pacers: dict[str, Pacer] = {}
        self._ready: dict[str, Pacer] = {}

    async def answer(self, backend: Backend, prompt: Prompt, *, free: bool = False) -> Reply:
        """Return the backend's reply.

        Args:
            backend: who is asked.
            prompt: what it is asked.
            free: the call does not count against the budget.

        Raises:
            BackendError: when the call failed, after its retries if it could have passed.
            OverBudgetError: when the call could pass a limit of the budget; it is not made.
            AureliaError: as the backend raised it (a medium, a setting).
        """
        call = _Call(self, backend, prompt, free)
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=call.is_given_up,
            wait=self.retry.wait,
            reraise=True,
        )
        try:
            reply: Reply = await attempts(call)
        except AureliaError:
            raise
        except Exception as error:  # backends run other people's code, which raises what it likes
            raise BackendError(
                backend.identity,
                f"{type(error).__name__}: {error}",
                "Look up this error in the model's or service's own documentation.",
            ) from error
        # Whoever has got this call's place asks first: what follows here takes its time.
        await asyncio.sleep(0)
        said = {"text": without_secrets(reply.text), "model": without_secrets(reply.model)}
        return reply.model_copy(update=said)

    def pacer(self, backend: Backend) -> Pacer:
        """Return what paces calls to the backend's service.

        Backends of one place that want different numbers of calls get the first one's. What works
        on this machine is not held back: it gathers whatever is asked for into its own batches.
        """
        service = service_of(backend)
        if service is None:
            return Pacer(_ANY)
        return self._pacers.setdefault(service.place, Pacer(backend.concurrency))

    def ready(self, backend: Backend) -> Pacer:
        """Return what bounds how many requests to the backend's service are held in memory."""
        service = service_of(backend)
        if service is None:
            return Pacer(_ANY)
        return self._ready.setdefault(service.place, Pacer(_READY * backend.concurrency))


class _Call:
    """One call with its repetitions."""

    def __init__(self, caller: Caller, backend: Backend, prompt: Prompt, free: bool) -> None:
        self._caller = caller
        self._backend = backend
        self._prompt = prompt
        self._free = free
        self._pacer = caller.pacer(backend)
        self._ready = caller.ready(backend)
        self._failures = 0
        service = service_of(backend)
        self._seconds = caller.timeout
        if service is not None:
            self._seconds = (caller.timeout or service.timeout) * service.requests(prompt)

    async def __call__(self) -> Reply:
        async with self._ready.turn():
            if isinstance(self._backend, Preparing):
                send = await self._backend.prepare(self._prompt)
            else:
                send = functools.partial(self._backend, self._prompt)
            return await self._in_turn(send)

    async def _in_turn(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._pacer.turn() as began:
            try:
                async with self._caller.budget.paying(
                    self._backend, self._prompt, free=self._free
                ) as pay:
                    reply = pay(await self._timed(send))
            except TransientError as error:
                if error.throttled:
                    self._pacer.throttled(began, error.retry_after)
                else:
                    self._failures += 1
                raise
        self._pacer.passed()
        return reply

    async def _timed(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        if self._seconds is None:
            return await send()
        try:
            return await asyncio.wait_for(send(), self._seconds)
        except asyncio.TimeoutError:
            raise TransientError(
                self._backend.identity,
                f"no reply within {self._seconds:g} s",
                "Raise `call_timeout`, or lower `concurrency`.",
                charged=True,
            ) from None

    def is_given_up(self, state: RetryCallState) -> bool:
        """Whether another attempt would be in vain."""
        error = state.outcome.exception() if state.outcome else None
        retry = self._caller.retry
        if isinstance(error, TransientError) and error.throttled:
            return max(self._pacer.refused_for, error.retry_after or 0.0) > retry.patience
        return self._failures >= retry.attempts
