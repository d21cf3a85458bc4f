"""lmms-eval's own wrappers on tiny random instances of the models themselves.

These are the rows whose modelling code is in the transformers library. CUDA is the CPU here,
and the libraries that read files stand in; wrapper, processor and model are the real ones.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tiny_models
import torch
import transformers
from lmms_libraries import wrappers
from making import beep

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Reply, Text
from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.catalogue import rows
from aurelia_plugin.model_wrappers.lmms.backend import LmmsBackend, LmmsOptions
from aurelia_plugin.model_wrappers.lmms.forms import form_of
from aurelia_plugin.model_wrappers.options import read_options

__all__ = ["wrappers"]


class Upstream(NamedTuple):
    """The transformers class, the constructor's arguments, and the input that holds the medium."""

    loads: str
    arguments: Callable[[Path], dict[str, Any]]
    medium: str


def _plain(place: Path) -> dict[str, Any]:
    return {"pretrained": str(place)}


def _adapter(place: Path) -> dict[str, Any]:
    small = {"min_pixels": 28 * 28, "max_pixels": 56 * 56}
    return {"pretrained": f"{place}/adapter", "base_model": f"{place}/base", **small}


UPSTREAM = {
    "qwen2_audio": Upstream("Qwen2AudioForConditionalGeneration", _plain, "input_features"),
    "audio_flamingo_3": Upstream(
        "AudioFlamingo3ForConditionalGeneration", _plain, "input_features"
    ),
    "qwen2_5_vl": Upstream(
        "Qwen2_5_VLForConditionalGeneration",
        lambda place: {**_plain(place), "min_pixels": 28 * 28, "max_pixels": 56 * 56},
        "pixel_values_videos",
    ),
    "video_salmonn_2": Upstream(
        "Qwen2_5_VLForConditionalGeneration", _adapter, "pixel_values_videos"
    ),
}


@pytest.fixture(scope="module", params=UPSTREAM)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    with torch.random.fork_rng():
        made = getattr(tiny_models, request.param)(tmp_path_factory.mktemp(request.param))
    return request.param, made


class Model(NamedTuple):
    """A composed wrapper, and the arguments of each `generate` of the model in it."""

    name: str
    backend: LmmsBackend
    calls: list[dict[str, Any]]

    def ask(self, *parts: Part) -> Any:
        prompt = Prompt((Message("user", parts),), Generation(max_new_tokens=3))
        (answer,) = asyncio.run(self._gather(prompt))
        return answer

    async def _gather(self, prompt: Prompt) -> list[Any]:
        return list(await asyncio.gather(self.backend(prompt), return_exceptions=True))

    def logits(self) -> np.ndarray[Any, Any]:
        """What the model would write first, given the inputs of its last call."""
        names: tuple[str, ...] = ("input_ids", "attention_mask")
        names += ("mm_token_type_ids", "input_features")
        names += ("input_features_mask", "feature_attention_mask", "pixel_values_videos")
        names += ("video_grid_thw", "second_per_grid_ts")
        given = {name: value for name, value in self.calls[-1].items() if name in names}
        with torch.inference_mode():
            inner = self.backend.load().model
            return inner(**given).logits[0, -1].float().numpy()  # type: ignore[no-any-return]


@pytest.fixture
def model(place: tuple[str, Path], wrappers: pytest.MonkeyPatch) -> Model:
    name, folder = place
    facts = UPSTREAM[name]
    kind = getattr(transformers, facts.loads)
    load = kind.from_pretrained

    def on_cpu(path: str, **_: Any) -> Any:
        return load(path, dtype=torch.float32)

    wrappers.setattr(kind, "from_pretrained", on_cpu)
    row = rows()[name]
    options = {
        **row.options,
        "model_args": json.dumps(facts.arguments(folder)),
    }
    backend = LmmsBackend(name, read_options(LmmsOptions, options, name))
    calls: list[dict[str, Any]] = []
    inner = backend.load().model
    generate = inner.generate

    def noted(**how: Any) -> Any:
        calls.append(how)
        return generate(**how)

    wrappers.setattr(inner, "generate", noted)
    return Model(name, backend, calls)


def test_the_medium_that_it_takes_reaches_the_model_and_the_other_is_declared(
    model: Model, clip_file: Path
) -> None:
    row = rows()[model.name]
    video = Media.file("video", clip_file)
    reply = model.ask(video, Text("What is it?"))
    assert isinstance(reply, Reply), reply
    assert model.calls[-1][UPSTREAM[model.name].medium] is not None
    declared = {entry.partition(":")[0] for entry in reply.evidence.dropped}
    assert declared == ({"soundtrack"} if row.sees else {"video"})
    full = model.logits()
    changed = {}
    for arm, changed_video in {
        "muted": replace(video, silenced=True),
        "blanked": replace(video, blanked=True),
    }.items():
        model.ask(changed_video, Text("What is it?"))
        changed[arm] = float(np.abs(model.logits() - full).max()) > 1e-5
    assert changed == {"muted": not row.sees, "blanked": bool(row.sees)}


def test_text_alone_is_answered(model: Model) -> None:
    """Of sounds the first wrapper cannot do without one: it gets a second of silence."""
    reply = model.ask(Text("Only words."))
    assert isinstance(reply, Reply), reply
    assert (reply.evidence.clips, reply.evidence.dropped) == (0, ())
    given = model.calls[-1].get(UPSTREAM[model.name].medium)
    assert (given is not None) is (form_of(model.name).stand_in is not None)


def test_as_many_sounds_as_are_counted_reach_the_model(model: Model) -> None:
    reply = model.ask(Text("A:"), beep(300), Text("B:"), beep(500), Text("Which?"))
    assert isinstance(reply, Reply), reply
    features = model.calls[-1].get("input_features")
    assert (0 if features is None else len(features)) == reply.evidence.clips
    assert reply.evidence.clips + len(reply.evidence.dropped) == 2


def test_a_failure_inside_the_wrapper_is_one(
    model: Model, clip_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model.backend.load().model, "generate", broken)
    answer = model.ask(Media.file("video", clip_file), Text("?"))
    assert isinstance(answer, BackendError), answer
