from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurelia_plugin.model_wrappers.batching import GrowingSize, MicroBatcher, Places

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


def test_the_model_goes_on_while_the_event_loop_is_busy() -> None:
    async def ask(model: Model, batcher: MicroBatcher[Any, Any]) -> list[Any]:
        callers = [asyncio.create_task(batcher(item)) for item in range(5)]
        await asyncio.to_thread(model.begun.wait, 10)
        while len(model.batches) < 5:
            time.sleep(0.001)
        return await asyncio.gather(*callers)

    model = Model()
    assert asyncio.run(ask(model, _batcher(model, 1))) == [0, 2, 4, 6, 8]


def test_one_bad_item_does_not_take_the_others_down() -> None:
    model = Model(bad=lambda item: item == 2)
    results = _all(_batcher(model), range(4))
    assert results[:2] + results[3:] == [0, 2, 6]
    assert isinstance(results[2], RuntimeError)
    assert str(results[2]) == "bad 2"
    assert model.batches == [[0, 1, 2, 3], [0], [1], [2], [3]]


@pytest.mark.parametrize("error", [StopIteration(1), KeyError("x"), MemoryError(), OSError(5, "x")])
def test_whatever_a_model_raises_reaches_its_caller(error: Exception) -> None:
    def run(items: Sequence[Any]) -> list[Any]:
        raise error

    found = _all(_batcher(run, 2), range(3))
    assert all(isinstance(one, Exception) and type(error).__name__ in repr(one) for one in found)


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


class SmallMemory:
    """Takes batches of so many items at most; notes their sizes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sizes: list[int] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.sizes.append(len(items))
        if len(items) > self.most:
            raise MemoryError
        return [2 * item for item in items]


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError)


@settings(deadline=None, max_examples=60)
@given(most=st.integers(1, 40), limit=st.integers(1, 40), count=st.integers(0, 150))
def test_a_size_grows_until_the_memory_ends_and_every_item_is_run_once(
    most: int, limit: int, count: int
) -> None:
    model, size = SmallMemory(most), GrowingSize(limit)
    batcher = MicroBatcher(model, size, lambda item: "same", _out_of_memory)
    assert _all(batcher, range(count)) == [2 * item for item in range(count)]
    assert sum(n for n in model.sizes if n <= most) == count
    assert max(model.sizes, default=0) <= limit
    failed = [n for n in model.sizes if n > most]
    assert failed == sorted(set(failed), reverse=True), "a size that failed is not tried again"
    assert not failed or size.now <= failed[-1]
    grown = model.sizes[: model.sizes.index(failed[0])] if failed else model.sizes
    assert grown[:-1] == [min(2**n, limit) for n in range(len(grown))][:-1]


def test_a_batch_of_the_users_size_is_halved_and_the_next_one_is_as_large() -> None:
    model = SmallMemory(3)
    batcher = MicroBatcher(model, 4, lambda item: "same", _out_of_memory)
    assert _all(batcher, range(8)) == [2 * item for item in range(8)]
    assert model.sizes == [4, 2, 2, 4, 2, 2]


def test_one_item_that_memory_does_not_hold_is_its_callers_error() -> None:
    batcher = MicroBatcher(SmallMemory(0), GrowingSize(8), lambda item: "same", _out_of_memory)
    assert all(isinstance(found, MemoryError) for found in _all(batcher, range(3)))


def test_as_many_are_let_in_as_there_are_places_and_more_when_these_grow() -> None:
    async def crowd(count: int) -> tuple[list[int], int]:
        places, inside, order, most = Places(lambda: room[0]), 0, [], 0

        async def one(number: int) -> None:
            nonlocal inside, most
            async with places:
                inside, most = inside + 1, max(most, inside + 1)
                order.append(number)
                await asyncio.sleep(0)
                inside -= 1
                room[0] = min(room[0] + 1, 3)

        tasks = [asyncio.create_task(one(number)) for number in range(count)]
        await asyncio.sleep(0)
        tasks[4].cancel()  # while it waits: its place goes to the next
        await asyncio.gather(*tasks, return_exceptions=True)
        async with places:
            pass
        return order, most

    room = [1]
    order, most = asyncio.run(crowd(9))
    assert order == [0, 1, 2, 3, 5, 6, 7, 8]
    assert most == 3


def test_who_leaves_when_just_let_in_keeps_no_place() -> None:
    async def leave() -> None:
        places = Places(lambda: 1)

        async def enter() -> None:
            async with places:
                pass

        await places.__aenter__()
        waiting = asyncio.create_task(enter())
        await asyncio.sleep(0)
        await places.__aexit__()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(enter(), 5)

    asyncio.run(leave())
