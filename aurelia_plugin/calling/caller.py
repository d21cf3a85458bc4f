"""Calling backends: the one place where calls are paced, timed, retried, paid for and recorded."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from aurelia_plugin.calling.backend import Backend, Preparing, Prompt, Reply, service_of
from aurelia_plugin.calling.budget import Budget, Limits, Reservation
from aurelia_plugin.calling.contrast import Contrasting, without_logits
from aurelia_plugin.calling.ledger import TARGET_ROLE, Amount, CallRecord, Ledger, Purpose
from aurelia_plugin.calling.pacing import Pacer
from aurelia_plugin.calling.prices import FREE, Price, Prices
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.errors import AureliaError, BackendError, TransientError
from aurelia_plugin.redaction import without_secrets

__all__ = ["Caller"]

_ANY = 2**31
_READY = 2
"""Requests made ready at once, for each call that a service is asked at once."""


class Caller:
    """Makes every call of a run, so that all roles and the target keep to one limit per service.

    Args:
        retry: when a call is repeated.
        limits: what the calls of the run may use; nothing is limited without them.
        prices: what tokens cost; may be None without a limit on cost.
        timeout: seconds after which a call counts as failed and is repeated, its turn in the queue
            not included; by default as each service's own option says, and none on this machine.
        ledger: where every call is recorded.
    """

    def __init__(
        self,
        retry: RetryPolicy | None = None,
        *,
        limits: Limits | None = None,
        prices: Prices | None = None,
        timeout: float | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.retry = retry or RetryPolicy()
        self.prices = prices
        self.timeout = timeout
        self.ledger = ledger or Ledger()
        self.budget = Budget(limits or Limits(), self.ledger)
        self._pacers: dict[str, Pacer] = {}
        self._ready: dict[str, Pacer] = {}

    async def answer(
        self,
        backend: Backend,
        prompt: Prompt,
        purpose: Purpose | None = None,
        *,
        priority: int = 0,
    ) -> Reply:
        """Return the backend's reply.

        Args:
            backend: the model that is called.
            prompt: the request.
            purpose: what the call is made for, as the ledger keeps it; the target's by default.
            priority: of calls that wait for one service, those with the lowest number go first.

        Raises:
            BackendError: when the call failed, after its retries if it could have passed.
            OverBudgetError: when the call could pass a limit of the budget; it is not made.
            ConfigError: the prompt asks for contrastive decoding, and the backend has no logits.
            AureliaError: as the backend raised it (a medium, a setting).
        """
        if prompt.contrast is not None and not isinstance(backend, Contrasting):
            raise without_logits(backend.identity)
        call = _Call(self, backend, prompt, purpose or Purpose(), priority)
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
        said = {"text": without_secrets(reply.text), "model": without_secrets(reply.model)}
        return reply.model_copy(update=said)

    def price(self, backend: Backend) -> Price | None:
        """Return what the backend's tokens cost, None if it is not known."""
        if service_of(backend) is None:
            return FREE
        return None if self.prices is None else self.prices.of(backend)

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

    def __init__(
        self, caller: Caller, backend: Backend, prompt: Prompt, purpose: Purpose, priority: int
    ) -> None:
        self._caller = caller
        self._backend = backend
        self._prompt = prompt
        self._purpose = purpose
        self._priority = priority
        self._price = caller.price(backend)
        self._pacer = caller.pacer(backend)
        self._ready = caller.ready(backend)
        self._failures = 0
        service = service_of(backend)
        # A target on this machine costs nothing that a budget could limit.
        self._budgeted = service is not None or purpose.role != TARGET_ROLE
        self._requests = service.requests(prompt) if service else 1
        self._seconds = caller.timeout
        if service is not None:
            self._seconds = (caller.timeout or service.timeout) * self._requests

    async def __call__(self) -> Reply:
        async with self._ready.turn(self._priority):
            if isinstance(self._backend, Preparing):
                send = await self._backend.prepare(self._prompt)
            else:
                send = functools.partial(self._backend, self._prompt)
            return await self._in_turn(send)

    async def _in_turn(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._pacer.turn(self._priority) as began:
            try:
                reply = await self._paid(send)
            except TransientError as error:
                if error.throttled:
                    self._pacer.throttled(began, error.retry_after)
                else:
                    self._failures += 1
                raise
        self._pacer.passed()
        return reply

    async def _paid(self, send: Callable[[], Awaitable[Reply]]) -> Reply:
        """Send the request within the budget, and record what became of it."""
        budget = self._caller.budget
        if not self._budgeted:
            return await self._recorded(send, None)
        async with budget.reserving(self._backend, self._prompt, self._price) as reservation:
            return await self._recorded(send, reservation)

    async def _recorded(
        self, send: Callable[[], Awaitable[Reply]], reservation: Reservation | None
    ) -> Reply:
        began = time.monotonic()
        try:
            reply = await self._timed(send)
        except BackendError as error:
            # The service may have worked for it: then all that was reserved counts as spent.
            charged = reservation.worst if reservation and error.charged else Amount()
            self._record(CallRecord(self._purpose, "failed", spent=charged), began)
            raise
        cost = (self._price or FREE).cost(reply.usage, reply.evidence)
        spent = Amount(self._requests, reply.usage.total, cost)
        if reservation is not None:
            reservation.took(reply.usage)
        self._record(
            CallRecord(
                self._purpose, "answered", reply.usage, reply.evidence, reply.model, spent=spent
            ),
            began,
        )
        return reply

    def _record(self, call: CallRecord, began: float) -> None:
        self._caller.ledger.add(
            call._replace(
                seconds=time.monotonic() - began,
                priced=self._price is not None,
                budgeted=self._budgeted,
            )
        )

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
