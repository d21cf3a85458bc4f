from __future__ import annotations

import asyncio

import pytest

from aurelia_plugin.calling.single_flight import SingleFlight


def test_equal_work_is_done_once_and_forgotten() -> None:
    async def scenario() -> tuple[list[int], list[int]]:
        flight: SingleFlight[int] = SingleFlight()
        made: list[int] = []

        async def make() -> int:
            made.append(len(made))
            await asyncio.sleep(0)
            return made[-1]

        first = await asyncio.gather(*(flight("a", make) for _ in range(3)))
        assert not flight.under_way("a")
        second = await asyncio.gather(flight("a", make), flight("b", make))
        return list(first), list(second)

    first, second = asyncio.run(scenario())
    assert first == [0, 0, 0]
    assert sorted(second) == [2, 2] or sorted(second) == [1, 2]


def test_every_caller_learns_of_the_failure() -> None:
    async def scenario() -> list[object]:
        flight: SingleFlight[int] = SingleFlight()

        async def fail() -> int:
            await asyncio.sleep(0)
            raise ValueError("no")

        calls = (flight("a", fail), flight("a", fail))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    assert [str(error) for error in asyncio.run(scenario())] == ["no", "no"]


def test_work_ends_with_its_last_caller_and_not_before() -> None:
    async def scenario() -> list[str]:
        flight: SingleFlight[None] = SingleFlight()
        log: list[str] = []
        begun = asyncio.Event()

        async def hang() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                log.append("ended")

        callers = [asyncio.create_task(flight("a", hang)) for _ in range(2)]
        await begun.wait()
        for number, caller in enumerate(callers):
            caller.cancel()
            with pytest.raises(asyncio.CancelledError):
                await caller
            log.append(f"caller {number} gone")
        return log

    assert asyncio.run(scenario()) == ["caller 0 gone", "ended", "caller 1 gone"]
