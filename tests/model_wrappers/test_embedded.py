"""The embedded models: the trained one really sees and hears, and learnt nothing held out."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aurelia_plugin.backend import Generation, Message, Part, Prompt, Text
from aurelia_plugin.benchmark.metrics import score_item
from aurelia_plugin.benchmark.schema import COLUMNS
from aurelia_plugin.benchmark.synthetic.build import samples
from aurelia_plugin.benchmark.synthetic.columns import Sample
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.benchmark.synthetic.render import render
from aurelia_plugin.benchmark.synthetic.scene import held_out
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.clip import Clip, Frames, Media, Waveform
from aurelia_plugin.model_wrappers.catalogue import row
from aurelia_plugin.model_wrappers.embedded import OPTIONS, TRAINED, open_backend
from aurelia_plugin.model_wrappers.evidence import prepare
from aurelia_plugin.model_wrappers.transformers_av import TransformersBackend
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.task_yamls.avreasonbench_mini.utils import doc_to_text

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import train_embedded
from embedded_training.clips import Clip as TrainingClip
from embedded_training.clips import clips, rng_of, sample_of
from embedded_training.packing import Packer
from embedded_training.texts import ROLES, caption, corrupted, notes_of

SEED = 990_001
"""Of the clips in these tests; neither training nor tuning has used it."""


SHIPPED = pytest.mark.skipif(
    not (TRAINED / "model.safetensors").is_file(), reason="no trained weights are shipped"
)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    """The architecture that is trained, before the first step."""
    folder = tmp_path_factory.mktemp("untrained")
    model, processor = train_embedded.build(1, folder)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    options = {"max_frames": 32, "longest_side": 56, "min_pixels": 3136, "max_pixels": 3136}
    return TransformersBackend(str(folder), OPTIONS(dtype="float32", **options))


@pytest.fixture(scope="module")
def trained() -> TransformersBackend:
    return open_backend("trained", OPTIONS(**row("embedded").options))


@pytest.fixture(scope="module")
def heard_only(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Sample, Media]]:
    """Twelve real files with the question how many instruments are heard."""
    folder = tmp_path_factory.mktemp("clips")
    found = [s for s in samples("music_avqa", SEED, 108) if s.family == "count_heard"]
    clips = []
    for number, sample in enumerate(found):
        path = folder / f"{number}.mp4"
        write_mp4(path, *render(sample.scene))
        clips.append((sample, Media("video", path=path)))
    return clips


def ask(backend: TransformersBackend, asked: Sequence[tuple[str, Media]]) -> list[str]:
    async def together() -> list[str]:
        prompts = [
            Prompt((Message("user", (medium, Text(text))),), Generation(max_new_tokens=64))
            for text, medium in asked
        ]
        return [reply.text for reply in await asyncio.gather(*map(backend, prompts))]

    return asyncio.run(together())


def accuracy(backend: TransformersBackend, clips: Sequence[tuple[Sample, Media]]) -> float:
    texts = [doc_to_text(sample.item.model_dump(mode="json")) for sample, _ in clips]
    media = [medium for _, medium in clips]
    replies = ask(backend, list(zip(texts, media, strict=True)))
    return float(
        np.mean(
            [
                score_item(sample.item, reply)["accuracy"]
                for (sample, _), reply in zip(clips, replies, strict=True)
            ]
        )
    )


@SHIPPED
def test_it_hears(trained: TransformersBackend, heard_only: list[tuple[Sample, Media]]) -> None:
    muted = [(sample, Clip((medium,)).muted().media[0]) for sample, medium in heard_only]
    assert accuracy(trained, heard_only) >= 0.7  # a guess is right one time in three
    assert accuracy(trained, muted) <= 0.5


@SHIPPED
def test_the_model_is_small() -> None:
    assert (TRAINED / "model.safetensors").stat().st_size <= 20_000_000
    model = open_backend("trained", OPTIONS()).load().model
    assert sum(weight.numel() for weight in model.parameters()) <= 10_000_000


@SHIPPED
def test_the_card_says_what_it_is_not() -> None:
    card = " ".join((TRAINED / "README.md").read_text(encoding="utf-8").split())
    assert "not evidence for the paper's claim" in card


def test_other_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="there is no such embedded model") as caught:
        open_backend("large", OPTIONS())
    assert "embedded:trained" in caught.value.fix


def test_training_draws_nothing_that_is_held_out() -> None:
    for place in range(150):
        sample = sample_of(rng_of(1, 5, place))
        assert not any(held_out(scene) for scene in (sample.scene, *sample.candidates))
    assert any(held_out(sample.scene) for sample in samples("captioning", 0, 30))


@pytest.mark.parametrize("seed", [0, 1, 1000, 2**40])
def test_no_benchmark_seed_draws_what_training_draws(seed: int) -> None:
    ours = {rng_of(1, step, place).integers(2**60) for step in range(20) for place in range(16)}
    theirs = {
        np.random.default_rng([seed, column, index]).integers(2**60)
        for column in range(len(COLUMNS))
        for index in range(100)
    }
    assert not ours & theirs


def _media(clip: TrainingClip, agent: bool) -> list[Part]:
    sounds = [Media("audio", data=Waveform(samples, 16_000)) for samples in clip.sounds]
    moments = np.arange(len(clip.frames)) / 8
    parts: list[Part] = [Text("Video 1:")] if agent and len(sounds) > 1 else []
    parts.append(Media("video", data=Frames(clip.frames, moments), sound=sounds[0]))
    for number, sound in enumerate(sounds[1:], start=1):
        parts += [Text(f"Audio {number}:"), sound]
    return parts


@pytest.mark.parametrize("several", [False, True])
def test_training_computes_what_the_real_path_computes(
    untrained: TransformersBackend, several: bool
) -> None:
    """Exchanges packed into one tree get the logits that each gets alone, as a user asks."""
    loaded = untrained.load()
    model, processor, intake = loaded.model, loaded.processor, loaded.intake
    packer = Packer(
        processor,
        lambda tokens: train_embedded.prompt_positions(model, tokens),
        train_embedded.VIDEO_TOKENS,
        train_embedded.SOUND_TOKENS,
        ROLES,
    )
    drawn = clips(1, 7, 0, 24, PromptSet("default", "embedded"))
    clip = next(clip for clip in drawn if (len(clip.sounds) > 1) == several)
    batch = train_embedded.collate([clip], [packer(clip)], processor.feature_extractor)
    with torch.inference_mode():
        packed = train_embedded.logits_of(model, batch)
    place = 0
    for exchange in clip.exchanges:
        parts = _media(clip, exchange.agent) if exchange.sees_clip else []
        prompt = Prompt((Message("user", (*parts, Text(exchange.prompt))),))
        with torch.inference_mode():
            alone = model(**untrained.inputs([prepare(prompt, intake)])).logits[0, -1]
        torch.testing.assert_close(packed[place], alone, atol=1e-4, rtol=1e-4)
        place += len(processor.tokenizer(f"{exchange.reply}<|im_end|>")["input_ids"])
    assert place == len(packed)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_corrupted_note_changes_the_caption(column: str) -> None:
    for seed, sample in enumerate(samples(column, SEED, 20)):
        notes = notes_of(sample.item)
        rng = np.random.default_rng(seed)
        spoilt = [note._replace(finding=corrupted(note.finding, rng)) for note in notes]
        assert caption(spoilt) != caption(notes)


def test_training_resumes_where_it_was_killed(tmp_path: Path) -> None:
    """A batch depends on seed and step alone, and the log says which steps were made."""
    first: Any = clips(3, 11, 0, 2, PromptSet("default", "embedded"))
    again: Any = clips(3, 11, 0, 2, PromptSet("default", "embedded"))
    other: Any = clips(3, 12, 0, 2, PromptSet("default", "embedded"))
    told = [json.dumps([e.prompt for e in clip.exchanges]) for clip in first]
    assert told == [json.dumps([e.prompt for e in clip.exchanges]) for clip in again]
    assert told != [json.dumps([e.prompt for e in clip.exchanges]) for clip in other]
    assert np.array_equal(first[0].frames, again[0].frames)
