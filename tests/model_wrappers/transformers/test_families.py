"""Tiny random instances of transformers families, through the backend and the probe."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import tiny_models
import torch
from media.conftest import tone

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Text
from aurelia_plugin.calling.retries import RetryPolicy
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
    "dots3_note",
    "inkling",
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

    def frames(**change: Any) -> int:
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


@pytest.fixture(scope="module")
def omni(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.random.fork_rng():
        return tiny_models.qwen2_5_omni(tmp_path_factory.mktemp("omni"))


def _longer() -> Media:
    """Five seconds, which are more than one of the blocks of two that are interleaved."""
    pixels = np.random.default_rng(7).integers(0, 255, (8, 48, 64, 3), dtype=np.uint8)
    track = Media("audio", data=Waveform(tone(5.0, 16_000, 440.0), 16_000))
    return Media("video", data=Frames(pixels, np.arange(8, dtype=np.float64) * 0.625), sound=track)


def _omni(place: Path, **options: object) -> TransformersBackend:
    values = {"dtype": "float32", "max_frames": 8, "longest_side": 56, "batch_size": 4, **options}
    return TransformersBackend(str(place), TransformersOptions.model_validate(values))


def _media_tokens(backend: TransformersBackend, asked: Prompt) -> str:
    """The prompt's media tokens as letters: V for pictures, A for sound."""
    processor = backend.load().processor
    letters = {processor.video_token_id: "V", processor.audio_token_id: "A"}
    ids = backend.inputs([backend._prepare(asked)])["input_ids"][0].tolist()
    return "".join(letters.get(token, "") for token in ids)


def test_a_real_familys_soundtrack_goes_in_with_its_frames(omni: Path) -> None:
    asked = prompt(_longer(), Text("What?"))
    own = _omni(omni)
    after, before, none = (_omni(omni, soundtrack=form) for form in ("after", "before", "none"))
    mixed = _media_tokens(own, asked)
    # Chunks in order of time: frames, their sound, the next frames, their sound.
    assert re.fullmatch("(V+A+){2,}", mixed)
    assert re.fullmatch("V+A+", _media_tokens(after, asked))
    assert re.fullmatch("A+V+", _media_tokens(before, asked))
    assert re.fullmatch("V+", _media_tokens(none, asked))
    assert sorted(mixed) == sorted(_media_tokens(after, asked))
    reply = asyncio.run(own(asked))
    assert reply.evidence.soundtrack == ("interleaved",)
    assert (reply.evidence.clips, reply.evidence.sound_seconds) == (1, 5.0)
    assert asyncio.run(none(asked)).evidence.dropped == ("soundtrack: left out by soundtrack=none",)
    logits = [backend.next_token_logits(asked) for backend in (own, after)]
    assert np.abs(logits[0] - logits[1]).max() > 1e-4
    assert len({backend.identity for backend in (own, after, before, none)}) == 4


def test_a_question_with_more_sounds_than_videos_has_them_after(omni: Path) -> None:
    own = _omni(omni)
    sound = Media("audio", data=Waveform(tone(0.5, 16_000, 300), 16_000))
    for parts in ((video(), sound), (video(), video(300.0, sound=False))):
        reply = asyncio.run(own(prompt(*parts, Text("Which?"))))
        assert reply.evidence.soundtrack == ("after",)
    silent = asyncio.run(own(prompt(video(sound=False), Text("What?"))))
    assert silent.evidence.soundtrack == ()


def test_interleaved_clips_of_other_frame_rates_do_not_mix(omni: Path) -> None:
    """Each is answered as alone, by tokens and by positions in time."""
    own = _omni(omni)
    fast = _longer()
    assert isinstance(fast.data, Frames)
    slow = replace(fast, data=Frames(fast.data.pixels, fast.data.times * 2))
    prompts = [prompt(clip, Text("What?")) for clip in (fast, slow)]

    async def together() -> list[Reply]:
        return await asyncio.gather(*(own(asked) for asked in [*prompts, *prompts]))

    alone = [asyncio.run(own(asked)) for asked in prompts]
    assert asyncio.run(together()) == [*alone, *alone]
    assert _media_tokens(own, prompts[0]) != _media_tokens(own, prompts[1])


def test_sound_costs_its_own_length_and_not_the_extractors_longest(omni: Path) -> None:
    """The published extractor takes 300 s; what it makes of 1.5 s is the same."""
    own = _omni(omni, soundtrack="after")
    loaded = own.load()
    features = loaded.processor.feature_extractor
    rows = {"feature_size": features.feature_size, "hop_length": features.hop_length}
    published = type(features)(**rows, n_fft=features.n_fft, chunk_length=300)
    inputs = {}
    for name, family in (
        ("own", loaded.family),
        ("padded", loaded.family.model_copy(update={"pads_sound": False})),
    ):
        loaded.processor.feature_extractor = published
        own._state = loaded._replace(family=family)
        inputs[name] = own.inputs([own._prepare(prompt(video(), Text("What?")))])
    loaded.processor.feature_extractor = features
    heard = int(inputs["padded"]["feature_attention_mask"].sum())
    assert int(inputs["own"]["feature_attention_mask"].sum()) == heard
    assert inputs["padded"]["input_features"].shape[-1] == 300 * 16_000 // features.hop_length
    assert inputs["own"]["input_features"].shape[-1] <= heard + 10
    assert torch.equal(inputs["own"]["input_ids"], inputs["padded"]["input_ids"])
    assert torch.allclose(
        inputs["own"]["input_features"][..., :heard],
        inputs["padded"]["input_features"][..., :heard],
        atol=1e-6,
    )
