from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from aurelia_plugin.calling.pacing import Pacer


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _refused(pacer: Pacer, clock: Clock, retry_after: float | None = None) -> None:
    """A call that begins now and is refused a second later."""
    began = clock.now
    clock.now += 1
    pacer.throttled(began, retry_after)


def test_it_begins_at_the_most_and_never_goes_beyond() -> None:
    pacer = Pacer(4)
    for _ in range(50):
        pacer.passed()
    assert pacer.limit == 4.0


def test_a_refusal_halves_and_a_round_of_replies_adds_one() -> None:
    clock = Clock()
    pacer = Pacer(16, clock)
    _refused(pacer, clock)
    assert pacer.limit == 8.0
    for _ in range(8):
        pacer.passed()
    assert pacer.limit == pytest.approx(9.0, abs=0.1)


def test_one_storm_halves_once() -> None:
    clock = Clock()
    pacer = Pacer(16, clock)
    began = clock.now
    clock.now += 1
    for _ in range(16):  # all under way when the storm began
        pacer.throttled(began, None)
    assert pacer.limit == 8.0
    _refused(pacer, clock)
    assert pacer.limit == 4.0


def test_one_call_is_always_allowed() -> None:
    clock = Clock()
    pacer = Pacer(2, clock)
    for _ in range(9):
        _refused(pacer, clock)
    assert pacer.limit == 1.0
    assert Pacer(0).limit == 1.0


def test_how_long_a_service_has_refused() -> None:
    clock = Clock()
    pacer = Pacer(2, clock)
    assert pacer.refused_for == 0.0
    _refused(pacer, clock)
    clock.now += 9
    _refused(pacer, clock)
    assert pacer.refused_for == 10.0
    pacer.passed()
    assert pacer.refused_for == 0.0


def _most(pacer: Pacer, calls: int, during: Callable[[int], None] = lambda call: None) -> int:
    """Make calls at once; return how many were under way together at most."""
    most = 0

    async def call(number: int) -> None:
        nonlocal most
        async with pacer.turn():
            most = max(most, pacer.under_way)
            during(number)
            await asyncio.sleep(0.001)

    async def all_of_them() -> None:
        await asyncio.gather(*(call(number) for number in range(calls)))

    asyncio.run(all_of_them())
    return most


def test_no_more_are_under_way_than_the_limit_and_every_run_may_have_its_own_loop() -> None:
    pacer = Pacer(3)
    assert _most(pacer, 20) == 3
    assert _most(pacer, 20) == 3
    assert pacer.under_way == 0


def test_turns_are_taken_in_order() -> None:
    order: list[int] = []
    _most(Pacer(2), 9, order.append)
    assert order == list(range(9))


def test_nobody_begins_before_the_moment_that_the_service_named() -> None:
    async def wait() -> float:
        pacer = Pacer(4)
        loop = asyncio.get_running_loop()
        async with pacer.turn() as began:
            pacer.throttled(began, 0.08)
        until = loop.time() + 0.08

        async def call() -> float:
            async with pacer.turn():
                return loop.time()

        times = await asyncio.gather(*(call() for _ in range(6)))
        return min(times) - until

    assert asyncio.run(wait()) > -0.01


def test_who_leaves_the_queue_takes_no_place() -> None:
    async def leave() -> tuple[int, int]:
        pacer = Pacer(1)
        release = asyncio.Event()

        async def call() -> None:
            async with pacer.turn():
                await release.wait()

        first, leaves, stays = (asyncio.create_task(call()) for _ in range(3))
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.wait([leaves])
        release.set()
        await asyncio.gather(first, stays)
        return pacer.under_way, len(pacer._waiting)

    assert asyncio.run(leave()) == (0, 0)


def test_who_is_let_in_and_cancelled_at_one_moment_gives_the_place_back() -> None:
    async def leave() -> int:
        pacer = Pacer(1)
        inside = asyncio.Event()

        async def call() -> None:
            async with pacer.turn():
                inside.set()
                await asyncio.sleep(0)

        first = asyncio.create_task(call())
        await inside.wait()
        second = asyncio.create_task(call())
        await asyncio.sleep(0)
        await first  # lets the second in, which has not run since
        second.cancel()
        await asyncio.wait([second])
        async with pacer.turn():
            return pacer.under_way

    assert asyncio.run(asyncio.wait_for(leave(), 5)) == 1


def test_calls_of_earlier_questions_go_first() -> None:
    pacer = Pacer(1)
    order: list[str] = []

    async def call(number: int, name: str) -> None:
        async with pacer.turn(number):
            order.append(name)
            await asyncio.sleep(0)

    async def all_at_once() -> None:
        names = [(0, "first"), (2, "c"), (1, "b1"), (0, "a"), (1, "b2")]
        await asyncio.gather(*(call(*each) for each in names))

    asyncio.run(all_at_once())
    assert order == ["first", "a", "b1", "b2", "c"]
