from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aurelia_plugin.calling.backend import Backend
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers import catalogue, providers
from aurelia_plugin.model_wrappers.options import BackendOptions
from aurelia_plugin.model_wrappers.providers import PROVIDERS, BackendPool
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "replies.yaml"
    path.write_text("[a]")
    return f"scripted:{path}"


class Sized(BackendOptions):
    batch_size: int = 1
    frames: int = 8
    note: str = ""


@pytest.fixture
def sized(monkeypatch: pytest.MonkeyPatch) -> list[Sized]:
    """A provider whose backends only keep their options, and a catalogue row that uses it."""
    opened: list[Sized] = []

    def open_backend(model: str, options: Sized) -> Backend:
        opened.append(options)
        return ScriptedBackend([], identity=model)

    module = SimpleNamespace(OPTIONS=Sized, open_backend=open_backend)
    real = importlib.import_module
    monkeypatch.setattr(
        importlib, "import_module", lambda name: module if name == "sized" else real(name)
    )
    monkeypatch.setitem(PROVIDERS, "sized", "sized")
    row = catalogue.Row(
        id="big",
        system="Big",
        backend="sized:org/big?note=row",
        options={"frames": 32, "note": "default", "batch_size": 2},
        license="MIT",
        status="read",
        note="",
    )
    monkeypatch.setattr(
        providers, "row", lambda name: row if name == "big" else catalogue.row(name)
    )
    return opened


def test_equal_specs_share_one_backend(script: str) -> None:
    pool = BackendPool(script, {})
    assert pool.get("target") is pool.target
    assert pool.get(script) is pool.target
    other = "embedded:random?max_frames=2"
    assert pool.get(other) is pool.get(other)
    assert pool.get(other) is not pool.get("embedded:random?max_frames=3")


def test_a_python_object_is_taken_as_it_is(script: str) -> None:
    own, other = ScriptedBackend([]), ScriptedBackend([])
    pool = BackendPool(own, {})
    assert (pool.target, pool.get("target"), pool.get(other)) == (own, own, other)
    with pytest.raises(ConfigError, match="takes no options: frames"):
        BackendPool(own, {"frames": 3})


def test_options_of_the_target_beat_its_spec_which_beats_the_row(sized: list[Sized]) -> None:
    BackendPool("aurelia_big", {})
    BackendPool("big?frames=4&note=spec", {"note": "override"})
    assert sized == [
        Sized(batch_size=2, frames=32, note="row"),
        Sized(batch_size=2, frames=4, note="override"),
    ]


def test_the_harnesss_flags_go_between_row_and_spec_where_there_is_such_an_option(
    sized: list[Sized], script: str
) -> None:
    flags = {"batch_size": 5, "device": "cpu"}
    BackendPool("big", {}, flags)
    BackendPool("big?batch_size=7", {}, flags)
    BackendPool(script, {}, flags)
    assert [options.batch_size for options in sized] == [5, 7]


def test_overrides_are_the_targets_alone(sized: list[Sized]) -> None:
    pool = BackendPool("big", {"frames": 4})
    pool.get("big")
    assert [options.frames for options in sized] == [4, 32]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nobody:model", "no backend provider 'nobody'"),
        ("no_such_row", "'no_such_row' is not in the catalogue"),
        ("target", "'target' is not in the catalogue"),
        ("scripted:", "names no model"),
        ("scripted:a.yaml?frames=3", "frames='3'"),
    ],
)
def test_a_spec_that_leads_nowhere_says_why(spec: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        BackendPool(spec, {})


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_provider_has_a_schema_and_opens(provider: str) -> None:
    module: Any = importlib.import_module(PROVIDERS[provider])
    assert issubclass(module.OPTIONS, BackendOptions)
    assert callable(module.open_backend)


def test_closing_closes_what_was_opened_here(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    async def close(self: ScriptedBackend) -> None:
        closed.append(self)

    monkeypatch.setattr(ScriptedBackend, "close", close)
    own = ScriptedBackend([])
    pool = BackendPool(own, {})
    opened = pool.get(script)
    asyncio.run(pool.close())
    assert closed == [opened]
