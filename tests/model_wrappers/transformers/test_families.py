"""Tiny random instances of transformers families, through the backend and the probe."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import tiny_models
import torch
from media.conftest import tone

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Text
from aurelia_plugin.calling.caller import RetryPolicy
from aurelia_plugin.media.clip import Clip, Frames, Media, Waveform
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.delivery.arrays import prepare
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)
from aurelia_plugin.model_wrappers.transformers.families import (
    Family,
    families,
    family_named,
    family_of,
)
from aurelia_plugin.running.probing import GivesLogits, Probe, probe

FAMILIES = (
    "qwen2_5_omni",
    "qwen3_omni",
    "gemma3n",
    "gemma4",
    "gemma4_unified",
    "phi4_multimodal",
    "nemotron_omni",
)


def video(hertz: float = 440.0, *, sound: bool = True) -> Media:
    pixels = np.random.default_rng(round(hertz)).integers(0, 255, (6, 48, 64, 3), dtype=np.uint8)
    track = Media("audio", data=Waveform(tone(1.5, 16_000, hertz), 16_000)) if sound else None
    return Media("video", data=Frames(pixels, np.arange(6) / 4), sound=track)


def prompt(*parts: Media | Text) -> Prompt:
    return Prompt((Message("user", parts),), Generation(max_new_tokens=4))


def probed(backend: TransformersBackend) -> Probe:
    clips = Clip((video(440.0),)), Clip((video(700.0),))
    return asyncio.run(probe(backend, *clips, retry=RetryPolicy(attempts=1)))


@pytest.fixture(scope="module", params=FAMILIES)
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> TransformersBackend:
    with torch.random.fork_rng():
        place = getattr(tiny_models, request.param)(tmp_path_factory.mktemp(request.param))
    options = TransformersOptions(dtype="float32", max_frames=2, longest_side=56, batch_size=3)
    return TransformersBackend(str(place), options)


def test_the_probe_finds_that_sound_and_picture_reach_the_model(
    backend: TransformersBackend,
) -> None:
    assert isinstance(backend, GivesLogits)
    found = probed(backend)
    assert found.passed
    assert found.picture.changed == ("blanked",)
    assert found.sound.changed == ("muted", "swapped")
    assert found.picture.tokens is not None
    assert found.sound.tokens is not None
    assert min(found.picture.tokens, found.sound.tokens) > 0
    assert (found.evidence.frames, found.evidence.clips, found.evidence.dropped) == (2, 1, ())


def test_prompts_asked_together_are_answered_as_alone(backend: TransformersBackend) -> None:
    prompts = [
        prompt(video(), Text("What?")),
        prompt(Text("Only text.")),
        prompt(video(300.0), Text("And what is this?")),
    ]

    async def together() -> list[Reply]:
        return await asyncio.gather(*(backend(asked) for asked in prompts))

    alone = [asyncio.run(backend(asked)) for asked in prompts]
    assert asyncio.run(together()) == alone


def test_a_deaf_model_fails_because_nothing_it_hears_matters(
    backend: TransformersBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sound is handed over, and every sample of it is the same: silence."""
    inputs = backend.inputs

    def deaf(prepared):  # type: ignore[no-untyped-def]
        for item in prepared:
            item.sounds = [np.zeros_like(sound) for sound in item.sounds]
        return inputs(prepared)

    monkeypatch.setattr(backend, "inputs", deaf)
    found = probed(backend)
    assert found.picture.reached
    assert not found.sound.reached
    assert "handed over, but the outcome is the same" in found.sound.reason


def test_a_blind_model_fails_because_nothing_it_sees_matters(
    backend: TransformersBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = backend.inputs

    def blind(prepared):  # type: ignore[no-untyped-def]
        for item in prepared:
            item.videos = [np.zeros_like(pixels) for pixels in item.videos]
            item.images = [np.zeros_like(pixels) for pixels in item.images]
        return inputs(prepared)

    monkeypatch.setattr(backend, "inputs", blind)
    found = probed(backend)
    assert found.sound.reached
    assert not found.picture.reached
    assert "the same when it is black" in found.picture.reason


def test_a_model_without_ears_is_told_apart_from_one_that_does_not_listen(
    backend: TransformersBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = backend.load()
    takes = loaded.takes.model_copy(update={"soundtrack": "none", "sounds": 0})
    deaf = loaded._replace(takes=takes)
    monkeypatch.setattr(backend, "_state", deaf)
    found = probed(backend)
    assert not found.passed
    assert "declared as not delivered (soundtrack: the model takes no sound)" in found.sound.reason


def test_only_the_writing_part_of_a_speaking_model_is_loaded_with_its_own_weights(
    tmp_path: Path,
) -> None:
    place = tiny_models.qwen2_5_omni(tmp_path)
    stored = safetensors.torch.load_file(place / "model.safetensors")
    assert all(name.startswith("thinker.") for name in stored)
    model = (
        TransformersBackend(str(place), TransformersOptions(dtype="float32"))
        .load()
        .model.state_dict()
    )
    assert len(model) == len(stored)
    head = stored["thinker.lm_head.weight"]
    assert torch.equal(model["lm_head.weight"], head)
    tower = next(name for name in model if name.endswith("audio_tower.conv1.weight"))
    assert torch.equal(model[tower], stored["thinker.audio_tower.conv1.weight"])


TAKES = Capabilities(max_frames=16)


def test_frames_a_second_are_a_limit_beside_the_number_of_frames() -> None:
    clip = video()  # 1.5 s, six frames

    def frames(**change: object) -> int:
        return prepare(prompt(clip), TAKES.model_copy(update=change)).evidence.frames

    assert (frames(), frames(fps=2.0), frames(fps=2.0, max_frames=2), frames(fps=0.1)) == (
        6,
        3,
        2,
        1,
    )


def test_a_familys_system_prompt_and_order_of_media_are_followed() -> None:
    own = TAKES.model_copy(update={"soundtrack": "before"})
    first, second = prepare(prompt(video(), Text("?")), own, system="Be brief.").conversation
    assert first == {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert [block["type"] for block in second["content"]] == ["audio", "video", "text"]
    asked = Prompt((Message("system", (Text("Mine."),)), Message("user", (Text("?"),))))
    roles = [turn["role"] for turn in prepare(asked, own, system="Be brief.").conversation]
    assert roles == ["system", "user"]
    plain = prepare(prompt(video(), Text("?")), TAKES).conversation
    assert [block["type"] for block in plain[0]["content"]] == ["video", "audio", "text"]


def test_families_are_known_to_the_library_and_unknown_ones_have_defaults() -> None:
    import transformers

    for model_type, family in families().items():
        assert model_type in transformers.CONFIG_MAPPING, model_type
        assert family.loads is None or hasattr(transformers, family.loads)
        assert (family.loads is None) == (family.config is None)
    assert family_of("no_such_family") == Family()
    assert family_of("qwen2_5_omni_thinker").soundtrack == "after"  # the packaged model's own


@pytest.mark.parametrize(
    ("model", "soundtrack"),
    [
        ("Qwen/Qwen2.5-Omni-7B", "interleaved"),
        ("qwen3-omni-30b-a3b-thinking", "interleaved"),
        ("Qwen/Qwen2.5-VL-7B", "after"),
        ("embedded", "after"),
    ],
)
def test_a_server_s_model_is_known_by_its_name(model: str, soundtrack: str) -> None:
    assert family_named(model).soundtrack == soundtrack
