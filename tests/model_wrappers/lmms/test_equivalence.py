"""The bundled Qwen2.5-Omni chat wrapper, composed, against the transformers backend.

The wrapper is lmms-eval's own code. Replaced are what it imports and does not use here (librosa,
moviepy), its reader of media (so that both get the same frames), and the processor that it would
fetch from the hub.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
import transformers
from making import beep
from media.conftest import MakeVideo, grey_frames, tone

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Text
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.video import uniform_frames
from aurelia_plugin.model_wrappers.delivery.arrays import prepare
from aurelia_plugin.model_wrappers.lmms.backend import LmmsBackend, LmmsOptions
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)

FRAMES = 4


def process_mm_info(messages: list[dict[str, Any]], use_audio_in_video: bool) -> tuple[Any, ...]:
    """Read media as this package does; takes and returns what the real one does."""
    assert use_audio_in_video is False
    blocks = [block for message in messages for block in message["content"]]
    sounds = [
        waveform(Media.file("audio", block["audio"])).samples  # type: ignore[union-attr]
        for block in blocks
        if block["type"] == "audio"
    ]
    videos = [
        uniform_frames(Media.file("video", block["video"]), FRAMES).pixels
        for block in blocks
        if block["type"] == "video"
    ]
    return sounds or None, None, videos or None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.random.fork_rng():
        place = tiny_models.qwen2_5_omni(tmp_path_factory.mktemp("qwen"))
    torch.save({}, place / "spk_dict.pt")  # the whole model wants its voices, even if it has none
    return place


@pytest.fixture
def wrapped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LmmsBackend]:
    named: dict[str, dict[str, Any]] = {
        "librosa": {"resample": None},
        "moviepy": {"VideoFileClip": object},
        "qwen_omni_utils": {"process_mm_info": process_mm_info},
    }
    for name, attributes in named.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    own = transformers.Qwen2_5OmniProcessor.from_pretrained(folder)
    monkeypatch.setattr(transformers.Qwen2_5OmniProcessor, "from_pretrained", lambda *_, **__: own)
    monkeypatch.setattr(  # there is none to take out of the tiny model
        transformers.Qwen2_5OmniForConditionalGeneration, "disable_talker", lambda self: None
    )
    options = {"pretrained": str(folder), "device": "cpu"}
    backend = LmmsBackend("qwen2_5_omni", LmmsOptions.model_construct(model_args=options))
    backend.load().device_map = "cpu"  # the wrapper knows `auto`, which means CUDA, or CUDA
    yield backend
    for name in ("chat.qwen2_5_omni", "simple.qwen2_5_omni", "model_utils.audio_processing"):
        sys.modules.pop(f"lmms_eval.models.{name}", None)


def questions(make_video: MakeVideo) -> list[Prompt]:
    clips = [
        Media.file(
            "video",
            make_video(f"{n}.mp4", grey_frames(range(20 + n, 220, 10)), sound=tone(1.0 + n)),
        )
        for n in range(2)
    ]
    asked = []
    for number in range(20):
        parts: list[Part] = [clips[number % 2], Text(f"Question {number}: what is it?")]
        for candidate in range(number % 3):
            parts += [Text(f"Audio {candidate}:"), beep(200.0 + 50 * number + candidate)]
        if number % 4 == 3:
            parts.reverse()
        generation = Generation(max_new_tokens=2)
        asked.append(Prompt((Message("user", tuple(parts)),), generation))
    return asked


def test_both_ways_give_the_model_the_same(
    wrapped: LmmsBackend, folder: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    model = wrapped.load().model

    def generate(**inputs: Any) -> torch.Tensor:
        given.append(inputs)
        return inputs["input_ids"]  # type: ignore[no-any-return]

    monkeypatch.setattr(model, "generate", generate)
    own = TransformersBackend(
        str(folder), TransformersOptions(dtype="float32", max_frames=FRAMES, soundtrack="after")
    )
    asked = questions(make_video)

    async def ask() -> list[Any]:
        return await asyncio.gather(*(wrapped(p) for p in asked), return_exceptions=True)

    asyncio.run(ask())
    assert len(given) == len(asked) == 20
    by_prompt = {tuple(inputs["input_ids"][0].tolist()): inputs for inputs in given}
    assert len(by_prompt) == 20
    for prompt in asked:
        loaded = own.load()
        ours = own.inputs([prepare(prompt, loaded.takes, system=loaded.family.system)])
        theirs = by_prompt[tuple(ours["input_ids"][0].tolist())]  # text and order of blocks
        assert torch.equal(ours["pixel_values_videos"], theirs["pixel_values_videos"])
        # The wrapper reads its sound from a 16-bit file.
        assert np.allclose(ours["input_features"], theirs["input_features"], atol=2e-2)
        assert torch.equal(ours["feature_attention_mask"], theirs["feature_attention_mask"])
