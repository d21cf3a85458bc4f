"""The transformers backend on a tiny Qwen2.5-Omni thinker with random weights."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from media.conftest import MakeVideo, grey_frames, tone

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Reply, Sampling, Text
from aurelia_plugin.errors import BackendError, ConfigError, MediaError
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.delivery.arrays import prepare
from aurelia_plugin.model_wrappers.embedded.backend import build, folder
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)

OPTIONS = {
    "dtype": "float32",
    "max_frames": 8,
    "longest_side": 56,
    "min_pixels": 3136,
    "max_pixels": 3136,
    "batch_size": 4,
}


@pytest.fixture(scope="module")
def backend() -> TransformersBackend:
    return TransformersBackend(str(folder()), TransformersOptions(**OPTIONS))


def prompt(*parts: Part, tokens: int = 8, **fields: Any) -> Prompt:
    return Prompt((Message("user", parts),), Generation(max_new_tokens=tokens), **fields)


def logits(backend: TransformersBackend, asked: Prompt) -> torch.Tensor:
    loaded = backend.load()
    inputs = backend.inputs([prepare(asked, loaded.takes)])
    with torch.inference_mode():
        found: torch.Tensor = loaded.model(**inputs).logits[0, -1]
    return found


def ask(backend: TransformersBackend, *prompts: Prompt) -> Sequence[Reply]:
    async def together() -> Sequence[Reply]:
        return await asyncio.gather(*(backend(asked) for asked in prompts))

    return asyncio.run(together())


def sound(hertz: float, seconds: float = 1.0) -> Media:
    return Media("audio", data=Waveform(tone(seconds, 16_000, hertz), 16_000))


@pytest.fixture
def video(make_video: MakeVideo) -> Media:
    return Media.file(
        "video", make_video("seen.mp4", grey_frames(range(20, 220, 10)), sound=tone(2.0))
    )


def test_sound_and_picture_both_change_the_next_token(
    backend: TransformersBackend, video: Media
) -> None:
    from dataclasses import replace

    question = Text("What is it?")
    full = logits(backend, prompt(video, question))
    again = logits(backend, prompt(video, question))
    muted = logits(backend, prompt(replace(video, silenced=True), question))
    blanked = logits(backend, prompt(replace(video, blanked=True), question))
    assert torch.equal(full, again)
    assert (full - muted).abs().max() > 1e-3
    assert (full - blanked).abs().max() > 1e-3


def test_four_sounds_and_a_video_are_all_delivered(
    backend: TransformersBackend, video: Media
) -> None:
    parts: list[Part] = [video]
    for number in range(4):
        parts += [Text(f"Audio {number + 1}:"), sound(200.0 * (number + 1))]
    reply = ask(backend, prompt(*parts, Text("Which one fits?")))[0]
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (8, 5, ())
    assert evidence.sound_seconds == pytest.approx(2.0 + 4.0, abs=0.1)
    assert reply.usage.output_tokens == 8
    assert reply.text
    loaded = backend.load()
    inputs = backend.inputs([prepare(prompt(*parts), loaded.takes)])
    tokens = inputs["input_ids"][0] == loaded.processor.audio_token_id
    blocks = (tokens[1:] & ~tokens[:-1]).sum() + tokens[0]
    assert int(blocks) == 5
    assert len(inputs["input_features"]) == 5
    # Each of the four is heard: exchanging the last for another changes the outcome.
    other = [*parts[:-1], sound(3000.0)]
    changed = logits(backend, prompt(*other, Text("Which one fits?")))
    assert (changed - logits(backend, prompt(*parts, Text("Which one fits?")))).abs().max() > 1e-4


def test_a_batch_of_four_equals_four_single_runs(
    backend: TransformersBackend, video: Media
) -> None:
    prompts = [
        prompt(video, Text("What is it?"), tokens=12),
        prompt(sound(440.0), sound(880.0, 0.3), Text("Which is higher? " * 5), tokens=12),
        prompt(Text("Nothing to see."), tokens=12),
        prompt(video, Text("Compare:"), sound(600.0), Text("Same?"), tokens=12),
    ]
    loaded = backend.load()
    prepared = [prepare(asked, loaded.takes) for asked in prompts]
    with torch.inference_mode():
        together = loaded.model(**backend.inputs(prepared)).logits[:, -1]
        for row, item in zip(together, prepared, strict=True):
            alone = loaded.model(**backend.inputs([item])).logits[0, -1]
            assert (row - alone).abs().max() < 1e-4
    sizes: list[int] = []
    original = backend._answer_batch

    def counting(jobs: Any) -> Any:
        sizes.append(len(jobs))
        return original(jobs)

    backend._batcher._run = counting
    try:
        gathered = [reply.text for reply in ask(backend, *prompts)]
        single = [ask(backend, asked)[0].text for asked in prompts]
    finally:
        backend._batcher._run = original
    assert gathered == single
    assert max(sizes) > 1  # they really ran together


def test_frame_rates_of_a_batch_do_not_mix(
    backend: TransformersBackend, make_video: MakeVideo
) -> None:
    slow = make_video("slow.mp4", grey_frames(range(20, 180, 20)), [i * 0.5 for i in range(8)])
    fast = make_video("fast.mp4", grey_frames(range(20, 180, 20)), [i * 0.1 for i in range(8)])
    takes = backend.load().takes
    prepared = [
        prepare(prompt(Media.file("video", path), Text("?")), takes) for path in (slow, fast)
    ]
    seconds = backend.inputs(prepared)["video_second_per_grid"].tolist()
    assert seconds == pytest.approx([1.0, 0.2], rel=0.1)  # two frames to a step


def test_images_and_in_memory_media_are_taken(backend: TransformersBackend) -> None:
    pixels = np.full((1, 48, 64, 3), 200, np.uint8)
    image = Media("image", data=Frames(pixels, np.zeros(1)))
    reply = ask(backend, prompt(image, sound(440.0), Text("?")))[0]
    assert (reply.evidence.images, reply.evidence.frames, reply.evidence.clips) == (1, 0, 1)


def test_keyframes_are_taken_when_the_prompt_asks(
    backend: TransformersBackend, video: Media
) -> None:
    asked = prompt(video, Text("?"), sampling=Sampling("keyframes", 5))
    assert 1 <= ask(backend, asked)[0].evidence.frames <= 5


def test_a_video_without_sound_is_not_given_any(
    backend: TransformersBackend, make_video: MakeVideo
) -> None:
    silent = Media.file("video", make_video("silent.mp4"))
    evidence = ask(backend, prompt(silent, Text("?")))[0].evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (8, 0, ())


def test_sound_beyond_what_the_model_takes_is_declared(backend: TransformersBackend) -> None:
    limit = backend.load().takes.sound_seconds
    assert limit is not None
    evidence = ask(backend, prompt(sound(440.0, limit + 1), Text("?")))[0].evidence
    assert evidence.sound_seconds == pytest.approx(limit)
    assert len(evidence.dropped) == 1
    assert "beyond" in evidence.dropped[0]


def test_very_short_sound_still_leaves_tokens(backend: TransformersBackend) -> None:
    evidence = ask(backend, prompt(sound(440.0, 0.004), Text("?")))[0].evidence
    assert evidence.clips == 1
    assert evidence.sound_seconds == pytest.approx(0.004)


def test_a_template_without_sound_is_noticed(backend: TransformersBackend) -> None:
    loaded = backend.load()
    template = loaded.processor.chat_template
    loaded.processor.chat_template = template.replace("<|AUDIO|>", "")
    try:
        with pytest.raises((BackendError, ValueError, IndexError)):
            backend.inputs([prepare(prompt(sound(440.0), Text("?")), loaded.takes)])
    finally:
        loaded.processor.chat_template = template


def test_a_broken_file_fails_alone(
    backend: TransformersBackend, video: Media, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video at all")

    async def both() -> list[object]:
        good = backend(prompt(video, Text("?")))
        bad = backend(prompt(Media.file("video", broken), Text("?")))
        return list(await asyncio.gather(good, bad, return_exceptions=True))

    good, bad = asyncio.run(both())
    assert isinstance(good, Reply)
    assert isinstance(bad, MediaError)


def test_stop_strings_end_the_reply(backend: TransformersBackend, video: Media) -> None:
    whole = ask(backend, prompt(video, Text("?"), tokens=12))[0].text
    stop = whole[3:5]
    cut = Prompt(
        (Message("user", (video, Text("?"))),), Generation(max_new_tokens=12, until=(stop,))
    )
    assert ask(backend, cut)[0].text == whole.split(stop, 1)[0].strip()


def test_sampling_is_seeded(backend: TransformersBackend, video: Media) -> None:
    def sampled(seed: int) -> str:
        generation = Generation(max_new_tokens=12, temperature=5.0, seed=seed)
        return ask(backend, Prompt((Message("user", (video, Text("?"))),), generation))[0].text

    before = torch.random.get_rng_state()
    assert sampled(1) == sampled(1)
    assert sampled(1) != sampled(2)
    assert torch.equal(before, torch.random.get_rng_state())  # nobody else's randomness moved


def test_identity_tells_what_changes_replies_and_nothing_else() -> None:
    def identity(**options: object) -> str:
        settings = TransformersOptions(**{**OPTIONS, **options})
        return TransformersBackend(str(folder()), settings).identity

    same = identity()
    assert identity(batch_size=1) == identity(device="cpu") == same
    assert identity(max_frames=4) != same
    assert identity(dtype="bfloat16") != same


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    for place in (first, second):
        place.mkdir()
        state = torch.random.get_rng_state()
        build(place)
        assert torch.equal(state, torch.random.get_rng_state())
    names = sorted(path.name for path in first.iterdir())
    assert "model.safetensors" in names
    assert names == sorted(path.name for path in second.iterdir())
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_a_missing_model_is_an_error_with_a_fix(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no/such-model") as caught:
        TransformersBackend("no/such-model")
    assert "hf download" in caught.value.fix
