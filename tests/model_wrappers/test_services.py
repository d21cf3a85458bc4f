from __future__ import annotations

import asyncio
import email.utils
import time

import pytest

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.openai.servers import server, servers
from aurelia_plugin.model_wrappers.services import Shared, key_from, retry_seconds


def test_the_wait_may_be_seconds_or_a_date() -> None:
    assert retry_seconds({"retry-after": "2.5"}) == 2.5
    later = email.utils.formatdate(time.time() + 60, usegmt=True)
    assert retry_seconds({"retry-after": later}) == pytest.approx(60, abs=5)
    past = email.utils.formatdate(time.time() - 60, usegmt=True)
    assert retry_seconds({"retry-after": past}) == 0.0
    assert retry_seconds({"retry-after": "soon"}) is None
    assert retry_seconds({}) is None


def test_the_first_key_that_is_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_KEY", " x ")
    assert key_from(["FIRST_KEY", "SECOND_KEY"], "b") == "x"
    assert key_from(["FIRST_KEY"], "b", needed=False) == ""
    with pytest.raises(ConfigError, match=r"FIRST_KEY, THIRD_KEY\.\nSet FIRST_KEY"):
        key_from(["FIRST_KEY", "THIRD_KEY"], "b")


def test_a_client_lives_as_long_as_somebody_uses_it() -> None:
    opened: list[int] = []
    closed: list[int] = []

    def make() -> int:
        opened.append(len(opened))
        return opened[-1]

    async def end(client: int) -> None:
        closed.append(client)

    shared = Shared(make, end)

    async def use(seconds: float) -> int:
        async with shared() as client:
            await asyncio.sleep(seconds)
            assert client not in closed
            return client

    async def two() -> list[int]:
        return list(await asyncio.gather(use(0.0), use(0.02)))

    assert asyncio.run(two()) == [0, 0]
    assert asyncio.run(two()) == [1, 1]
    assert closed == [0, 1]


def test_every_kind_of_server_is_described() -> None:
    assert set(servers()) == {"openai", "vllm", "sglang", "transformers", "reka"}
    assert server("transformers").schema_form is None  # it refuses `response_format`
    assert all(kind.sound or kind.takes.soundtrack == "none" for kind in servers().values())
    with pytest.raises(ConfigError, match="openai, reka, sglang, transformers, vllm"):
        server("other")
