"""Several servers of one model."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from fake_servers import Answer, Request, completion, serving
from making import question

from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.errors import BackendError, TransientError
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions
from aurelia_plugin.model_wrappers.openai.endpoints import Endpoints

QUICK = RetryPolicy(attempts=2, first_wait=0.0, longest_wait=0.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def dead(**fields: Any) -> TransientError:
    return TransientError("m", "no connection", "Start it.", **fields)


def test_calls_are_spread_evenly_whether_they_overlap_or_not() -> None:
    used: Counter[str] = Counter()

    async def ask(name: str) -> str:
        used[name] += 1
        await asyncio.sleep(0.001)
        return name

    async def run() -> None:
        endpoints = Endpoints({name: name for name in "abc"})
        for _ in range(9):
            await endpoints(ask)
        await asyncio.gather(*(endpoints(ask) for _ in range(30)))

    asyncio.run(run())
    assert used == {"a": 13, "b": 13, "c": 13}


def test_a_slow_server_gets_fewer_calls() -> None:
    used: Counter[str] = Counter()

    async def ask(name: str) -> None:
        used[name] += 1
        await asyncio.sleep(0.05 if name == "slow" else 0.005)

    async def run() -> None:
        endpoints = Endpoints({"slow": "slow", "fast": "fast"})
        turns = asyncio.Semaphore(4)

        async def one() -> None:
            async with turns:
                await endpoints(ask)

        await asyncio.gather(*(one() for _ in range(60)))

    asyncio.run(run())
    assert used["fast"] > 2 * used["slow"] > 0


def test_a_dead_server_is_left_out_and_tried_again() -> None:
    clock, asked, down = Clock(), [], {"b"}

    async def ask(name: str) -> str:
        asked.append(name)
        if name in down:
            raise dead()
        return name

    async def run() -> None:
        endpoints = Endpoints({"a": "a", "b": "b"}, clock)
        for _ in range(6):
            assert await endpoints(ask) == "a"
        assert asked.count("b") == 1  # the call that found it dead went to the other at once
        clock.now = 5.1
        await endpoints(ask)
        assert asked.count("b") == 2
        clock.now = 10.0  # now it rests for ten seconds
        await endpoints(ask)
        assert asked.count("b") == 2
        down.clear()
        clock.now = 15.2
        asked.clear()
        for _ in range(10):
            await endpoints(ask)
        assert 4 <= asked.count("b") <= 6  # back, and not made to catch up

    asyncio.run(run())


def test_when_all_are_dead_the_call_fails_and_the_next_one_still_asks() -> None:
    asked = []

    async def ask(name: str) -> str:
        asked.append(name)
        raise dead()

    async def run() -> None:
        endpoints = Endpoints({"a": "a", "b": "b"}, Clock())
        for _ in range(2):
            with pytest.raises(TransientError, match="no connection"):
                await endpoints(ask)

    asyncio.run(run())
    assert len(asked) == 4


@pytest.mark.parametrize("fields", [{"throttled": True}, {"charged": True}])
def test_what_may_have_cost_something_or_is_only_busy_is_not_asked_elsewhere_at_once(
    fields: dict[str, bool],
) -> None:
    asked = []

    async def ask(name: str) -> str:
        asked.append(name)
        raise dead(**fields)

    async def run() -> None:
        endpoints = Endpoints({"a": "a", "b": "b"}, Clock())
        for _ in range(2):
            with pytest.raises(TransientError):
                await endpoints(ask)

    asyncio.run(run())
    assert asked == ["a", "b"]


def backend(*urls: str, **options: Any) -> OpenAIBackend:
    addresses = "|".join(f"{url}/v1" for url in urls)
    return OpenAIBackend("m-1", OpenAIOptions(server="vllm", base_url=addresses, **options))


def ask_all(asked: OpenAIBackend, count: int) -> list[str]:
    async def run() -> list[str]:
        caller = Caller(QUICK)
        prompts = [question(f"Number {n}?").prompt() for n in range(count)]
        replies = await asyncio.gather(*(caller.answer(asked, prompt) for prompt in prompts))
        return [reply.text for reply in replies]

    return asyncio.run(run())


def test_real_servers_share_the_calls_and_one_that_is_not_there_costs_none() -> None:
    def fine(_: Request) -> Answer:
        return completion("fine")

    with contextlib.ExitStack() as stack:
        one, two = (stack.enter_context(serving(fine)) for _ in range(2))
        gone = "http://127.0.0.1:9"
        assert ask_all(backend(one.url, gone, two.url), 40) == ["fine"] * 40
        counts = [len(server.requests) for server in (one, two)]
    assert sum(counts) == 40
    assert min(counts) >= 15


def test_a_server_that_answers_500_is_followed_by_another() -> None:
    with (
        serving(lambda _: Answer({"error": "broken"}, 500)) as bad,
        serving(lambda _: completion("fine")) as good,
    ):
        assert ask_all(backend(bad.url, good.url), 10) == ["fine"] * 10
        assert len(good.requests) == 10


def test_no_server_at_all_is_a_failure_with_its_reason() -> None:
    with pytest.raises(BackendError, match="Connect") as caught:
        ask_all(backend("http://127.0.0.1:9", "http://127.0.0.1:10"), 1)
    assert not caught.value.charged  # nobody was reached who could have worked


def test_addresses_are_part_of_the_identity_unless_a_deployment_is_named() -> None:
    plain = {backend(url).identity for url in ("http://a", "http://b")}
    named = {backend(url, deployment="ours").identity for url in ("http://a", "http://b")}
    assert len(plain) == 2
    assert len(named) == 1
    assert not plain & named


def test_concurrency_counts_for_each_address() -> None:
    assert backend("http://a", "http://b", "http://a", concurrency=5).concurrency == 10
