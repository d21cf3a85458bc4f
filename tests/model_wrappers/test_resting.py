"""Backends that stay loaded between the runs of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from aurelia_plugin.model_wrappers import providers
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.resting import RestingBackends
from aurelia_plugin.model_wrappers.transformers.backend import TransformersBackend


@pytest.fixture
def resting(monkeypatch: pytest.MonkeyPatch) -> Iterator[RestingBackends]:
    own = RestingBackends()
    monkeypatch.setattr(providers, "RESTING", own)
    yield own
    asyncio.run(own.close())


def opened(target: str = "embedded:random", **options: object) -> TransformersBackend:
    """Return the backend of one run, loaded, whose pool is closed: the run has ended."""
    pool = BackendPool(target, options)
    backend = pool.target
    assert isinstance(backend, TransformersBackend)

    async def run() -> None:
        await pool.begin()
        backend.load()
        await pool.close()

    asyncio.run(run())
    return backend


def is_loaded(backend: TransformersBackend) -> bool:
    return asyncio.run(backend.rest())


def test_the_next_run_gets_the_model_that_is_loaded(resting: RestingBackends) -> None:
    resting.welcome()
    first = opened()
    model = first.load().model
    second = opened()
    assert second is first
    assert second.load().model is model


def test_a_run_of_another_model_has_its_memory_for_itself(resting: RestingBackends) -> None:
    resting.welcome()
    first = opened()
    other = opened(max_frames=3)
    assert other is not first
    assert (is_loaded(first), is_loaded(other)) == (False, True)


def test_a_process_that_evaluates_once_releases_everything(resting: RestingBackends) -> None:
    assert not is_loaded(opened())
    assert resting.take("anything") is None


def test_what_cannot_rest_is_closed(resting: RestingBackends, tmp_path: Path) -> None:
    resting.welcome()
    (tmp_path / "replies.yaml").write_text("[a]")
    target = f"scripted:{tmp_path / 'replies.yaml'}"
    pool = BackendPool(target, {})
    asyncio.run(pool.close())
    assert pool.target is not BackendPool(target, {}).target, "its replies are counted"
    never_loaded = BackendPool("embedded:random", {})
    asyncio.run(never_loaded.close())
    assert BackendPool("embedded:random", {}).target is not never_loaded.target
