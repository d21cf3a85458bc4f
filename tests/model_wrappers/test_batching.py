from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aurelia_plugin.model_wrappers.batching import MicroBatcher

pytestmark = pytest.mark.timeout(30)


class Model:
    """Doubles its items; notes its batches; can be held back."""

    def __init__(self, bad: Callable[[Any], bool] = lambda item: False) -> None:
        self.batches: list[list[Any]] = []
        self.go, self.begun = threading.Event(), threading.Event()
        self.go.set()
        self._bad, self._busy = bad, threading.Lock()

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        assert self._busy.acquire(blocking=False), "run was called twice at once"
        try:
            self.batches.append(list(items))
            self.begun.set()
            self.go.wait(10)
            for item in items:
                if self._bad(item):
                    raise RuntimeError(f"bad {item}")
            return [2 * item for item in items]
        finally:
            self._busy.release()


def _batcher(model: Any, size: int = 4, group: Any = lambda item: "same") -> MicroBatcher[Any, Any]:
    return MicroBatcher(model, size, group)


def _all(batcher: MicroBatcher[Any, Any], items: Sequence[Any]) -> list[Any]:
    async def ask() -> list[Any]:
        return await asyncio.gather(*map(batcher, items), return_exceptions=True)

    return asyncio.run(ask())


def test_what_is_asked_at_once_runs_in_batches_of_the_size_in_order() -> None:
    model = Model()
    assert _all(_batcher(model), range(10)) == [2 * item for item in range(10)]
    assert model.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_only_one_group_shares_a_batch_and_the_oldest_comes_first() -> None:
    model = Model()
    assert _all(_batcher(model, 3, lambda item: item % 2), range(9)) == [2 * i for i in range(9)]
    assert model.batches == [[0, 2, 4], [1, 3, 5], [6, 8], [7]]


def test_an_item_without_a_group_runs_alone() -> None:
    model = Model()
    _all(_batcher(model, 4, lambda item: None if item == 1 else "same"), range(4))
    assert model.batches == [[0, 2, 3], [1]]
    alone = Model()
    _all(_batcher(alone, 4, lambda item: None), range(3))
    assert alone.batches == [[0], [1], [2]]


def test_nothing_waits_for_a_batch_to_fill() -> None:
    model = Model()
    assert _all(_batcher(model, 8), [5]) == [10]


def test_what_comes_while_the_model_is_busy_goes_into_the_next_batch() -> None:
    async def ask(model: Model, batcher: MicroBatcher[Any, Any]) -> list[Any]:
        model.go.clear()
        first = asyncio.create_task(batcher(0))
        await asyncio.to_thread(model.begun.wait, 10)
        others = [asyncio.create_task(batcher(item)) for item in (1, 2, 3)]
        await asyncio.sleep(0)
        model.go.set()
        return await asyncio.gather(first, *others)

    model = Model()
    assert asyncio.run(ask(model, _batcher(model))) == [0, 2, 4, 6]
    assert model.batches == [[0], [1, 2, 3]]


def test_one_bad_item_does_not_take_the_others_down() -> None:
    model = Model(bad=lambda item: item == 2)
    results = _all(_batcher(model), range(4))
    assert results[:2] + results[3:] == [0, 2, 6]
    assert isinstance(results[2], RuntimeError)
    assert str(results[2]) == "bad 2"
    assert model.batches == [[0, 1, 2, 3], [0], [1], [2], [3]]


def test_after_a_failure_it_goes_on() -> None:
    model = Model(bad=lambda item: item == 0)
    batcher = _batcher(model)
    assert isinstance(_all(batcher, [0])[0], RuntimeError)
    assert _all(batcher, [1]) == [2], "in another event loop, too"


def test_a_cancelled_callers_item_is_not_run() -> None:
    async def ask(model: Model, batcher: MicroBatcher[Any, Any]) -> list[Any]:
        model.go.clear()
        first = asyncio.create_task(batcher(0))
        await asyncio.to_thread(model.begun.wait, 10)
        leaves, stays = (asyncio.create_task(batcher(item)) for item in (1, 2))
        await asyncio.sleep(0)
        leaves.cancel()
        model.go.set()
        return list(await asyncio.gather(first, leaves, stays, return_exceptions=True))

    model = Model()
    first, left, stayed = asyncio.run(ask(model, _batcher(model)))
    assert (first, stayed) == (0, 4)
    assert isinstance(left, asyncio.CancelledError)
    assert model.batches == [[0], [2]]


@pytest.mark.parametrize("bad", [False, True])
def test_a_caller_may_leave_while_its_batch_runs(bad: bool) -> None:
    async def ask(model: Model, batcher: MicroBatcher[Any, Any]) -> list[Any]:
        model.go.clear()
        callers = [asyncio.create_task(batcher(item)) for item in (0, 1)]
        await asyncio.to_thread(model.begun.wait, 10)
        callers[0].cancel()
        model.go.set()
        return await asyncio.gather(*callers, return_exceptions=True)

    model = Model(bad=lambda item: bad and item == 0)
    left, stayed = asyncio.run(ask(model, _batcher(model)))
    assert isinstance(left, asyncio.CancelledError)
    assert stayed == 2


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_number_of_results_is_an_error_and_nobody_waits_for_ever(count: int) -> None:
    results = _all(_batcher(lambda items: list(range(count)) if len(items) > 1 else [9]), [1, 2])
    assert results == [9, 9], "they are run one by one"
    alone = _all(_batcher(lambda items: []), [1])
    assert "0 results for a batch of 1" in str(alone[0])


def test_an_item_that_cannot_be_grouped_is_its_callers_error() -> None:
    def group(item: int) -> str:
        if item == 1:
            raise ValueError("no group")
        return "same"

    results = _all(_batcher(Model(), 4, group), range(3))
    assert (results[0], results[2]) == (0, 4)
    assert str(results[1]) == "no group"
