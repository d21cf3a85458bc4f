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


class Clients:
    """Opens numbered clients and keeps which were closed, and in which loop."""

    def __init__(self) -> None:
        self.opened: dict[int, asyncio.AbstractEventLoop] = {}
        self.closed: dict[int, asyncio.AbstractEventLoop] = {}
        self.shared = Shared(self._make, self._end)

    def _make(self) -> int:
        self.opened[len(self.opened)] = asyncio.get_running_loop()
        return len(self.opened) - 1

    async def _end(self, client: int) -> None:
        await asyncio.sleep(0)  # as a connection's own closing
        assert client not in self.closed
        self.closed[client] = asyncio.get_running_loop()

    async def used(self, pauses: int) -> list[int]:
        """Use the client in several tasks with pauses in which nobody uses it."""
        found = []
        for _ in range(pauses):
            found += await asyncio.gather(self.shared(), self.shared())
            await asyncio.sleep(0.001)
        assert not any(loop is asyncio.get_running_loop() for loop in self.closed.values())
        return found


def test_a_client_lives_as_long_as_its_loop_and_ends_inside_it() -> None:
    clients = Clients()
    assert asyncio.run(clients.used(3)) == [0] * 6
    assert asyncio.run(clients.used(2)) == [1] * 4
    assert clients.closed == clients.opened


def test_a_client_ends_with_a_loop_that_fails_or_is_cancelled() -> None:
    clients = Clients()

    async def failing() -> None:
        await clients.used(1)
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)  # type: ignore[union-attr]
        await asyncio.sleep(10)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(failing())
    assert clients.closed == clients.opened


def test_a_client_that_was_closed_is_opened_anew() -> None:
    clients = Clients()

    async def twice() -> tuple[int, int]:
        first = await clients.shared()
        await clients.shared.close()
        await clients.shared.close()  # once is enough
        return first, await clients.shared()

    assert asyncio.run(twice()) == (0, 1)
    assert clients.closed == clients.opened


def test_what_a_lost_loop_held_is_not_held_for_ever() -> None:
    clients = Clients()
    lost = asyncio.new_event_loop()
    lost.run_until_complete(clients.shared())
    lost.close()  # without `shutdown_asyncgens`
    asyncio.run(clients.used(1))
    assert clients.shared._held == {}


def test_every_kind_of_server_is_described() -> None:
    assert set(servers()) == {"openai", "vllm", "sglang", "transformers", "reka"}
    assert server("transformers").schema_form is None  # it refuses `response_format`
    assert all(kind.sound or kind.takes.soundtrack == "none" for kind in servers().values())
    with pytest.raises(ConfigError, match="openai, reka, sglang, transformers, vllm"):
        server("other")
