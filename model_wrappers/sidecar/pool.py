"""Several workers of one system: each request goes to one that is free, and none is lost."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from loguru import logger

from aurelia_plugin.errors import AureliaError, BackendError, ConfigError
from aurelia_plugin.model_wrappers.sidecar.process import (
    BrokenError,
    Launch,
    Ready,
    SlowError,
    StartError,
    WorkerProcess,
)

__all__ = ["Outcome", "WorkerPool"]

_ATTEMPTS = 2
"""A request that broke a worker is repeated once: twice is the request's own doing."""

_GIVE_UP = 4
"""Requests in a row that broke a worker, after which the system counts as broken."""

_GOODBYE = 2.0
"""Seconds that idle workers get to end by themselves."""


class Outcome(NamedTuple):
    """A worker's reply, and what the worker had said of itself."""

    reply: dict[str, Any]
    ready: Ready


class _Job(NamedTuple):
    blocks: list[dict[str, Any]]
    generation: dict[str, Any]
    future: Future[Outcome]


class WorkerPool:
    """One thread and one worker for each launch; workers start with the first request.

    Args:
        launches: how each worker is started.
    """

    def __init__(self, launches: Sequence[Launch]) -> None:
        self._launches = launches
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._workers: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._given_up: AureliaError | None = None

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self._launches)

    @property
    def usable(self) -> bool:
        """Whether requests still reach a worker."""
        return self._given_up is None

    def ask(self, blocks: list[dict[str, Any]], generation: dict[str, Any]) -> Future[Outcome]:
        """Put a request; cancelling the future takes it back, also while it is being answered.

        The future raises `ConfigError` if no worker can be had, `BackendError` if this request
        was not answered.
        """
        future: Future[Outcome] = Future()
        self._begin()
        self._jobs.put(_Job(blocks, generation, future))
        return future

    def _begin(self) -> None:
        with self._lock:
            if self._threads:
                return
            self._given_up, self._in_a_row = None, 0
            self._workers = [WorkerProcess(launch) for launch in self._launches]
            for worker, launch in zip(self._workers, self._launches, strict=True):
                # Daemons: a program that ends does not wait for an answer.
                thread = threading.Thread(target=self._serve, args=(worker, launch), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, worker: WorkerProcess, launch: Launch) -> None:
        while (job := self._jobs.get()) is not None:
            if job.future.cancelled():
                continue
            # A future that is set running cannot be cancelled; so it is left pending, and watched.
            job.future.add_done_callback(lambda f: worker.cancel(f) if f.cancelled() else None)
            try:
                outcome = self._answered(worker, launch, job)
            except AureliaError as error:
                _settle(job.future, error=error)
            else:
                _settle(job.future, outcome=outcome)
        worker.stop()

    def _answered(self, worker: WorkerProcess, launch: Launch, job: _Job) -> Outcome:
        problem = ""
        for _ in range(_ATTEMPTS):
            self._make_ready(worker, launch)
            assert worker.ready is not None
            if job.future.cancelled():  # while the worker was loading
                break
            try:
                reply = worker.ask(job.blocks, job.generation, job.future)
            except SlowError:
                if job.future.cancelled():
                    break
                raise self._failed(
                    launch,
                    f"the request took longer than {launch.call_limit:g} s; the worker was ended.",
                    "Raise limit=… (seconds), or choose a faster machine.",
                ) from None
            except BrokenError as error:
                problem = f"the worker {error}. Its last lines:\n{worker.last_lines}"
                logger.warning(f"{launch.name}: {problem}")
                continue
            self._in_a_row = 0
            return Outcome(reply, worker.ready)
        if job.future.cancelled():
            raise BackendError(launch.name, "the request was taken back", "Ask again.")
        raise self._failed(
            launch, problem, "See the worker's own lines above; memory is the usual cause."
        )

    def _make_ready(self, worker: WorkerProcess, launch: Launch) -> None:
        if self._given_up is not None:
            raise self._given_up
        if worker.running:
            return
        try:
            worker.start()
        except StartError as error:
            self._given_up = ConfigError(
                f"{launch.name}: the worker {error}",
                "`aurelia sidecar check` shows whether the environment, the checkout and the "
                "weights fit together.",
            )
            raise self._given_up from error

    def _failed(self, launch: Launch, what: str, fix: str) -> AureliaError:
        self._in_a_row += 1
        if self._in_a_row >= _GIVE_UP:
            self._given_up = ConfigError(
                f"{launch.name}: {self._in_a_row} requests in a row broke the worker; the last "
                f"one: {what}",
                fix,
            )
            return self._given_up
        return BackendError(launch.name, what, fix)

    def close(self) -> None:
        """End the workers: those that are idle by themselves, the others at once."""
        with self._lock:
            threads, self._threads = self._threads, []
            self._given_up = BackendError(
                self._launches[0].name, "it was closed while a request was under way", "Ask again."
            )
            for _ in threads:
                self._jobs.put(None)
            patience = time.monotonic() + _GOODBYE
            for thread in threads:
                thread.join(timeout=max(0.0, patience - time.monotonic()))
            for worker in self._workers:
                worker.kill()
            for thread in threads:
                thread.join(timeout=_GOODBYE)


def _settle(
    future: Future[Outcome], outcome: Outcome | None = None, error: BaseException | None = None
) -> None:
    with contextlib.suppress(Exception):  # cancelled in the meantime
        if error is not None:
            future.set_exception(error)
        elif outcome is not None:
            future.set_result(outcome)
