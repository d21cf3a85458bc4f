"""Batches: a pure function of (seed, step), so that a run resumes where it was killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.benchmark.data.items import COLUMNS, FREE_TEXT_COLUMNS
from aurelia_plugin.benchmark.synthetic.columns import FAMILIES, Sample, make
from aurelia_plugin.benchmark.synthetic.render import render_picture, render_sound
from aurelia_plugin.benchmark.synthetic.scene import Scene, held_out
from aurelia_plugin.reasoning.prompting import PromptSet
from embedded_training.architecture import FRAME_SIDE
from embedded_training.exchange import Exchange
from embedded_training.exercises import EXERCISES
from embedded_training.findings import Finding, findings_of
from embedded_training.text_only import conclusions, judgements, shuffled_atlas, widened_atlas
from embedded_training.texts import direct, exchanges, looks

__all__ = [
    "DIRECT_MIX",
    "LAST_MIX",
    "LOOK_MIX",
    "MIX",
    "TOWER_MIX",
    "Clip",
    "Parts",
    "clips",
    "pictures",
    "rng_of",
    "sample_of",
    "text_only",
    "texts",
]

MIX: dict[str, float] = {
    "music_avqa": 0.20,
    "avsd": 0.10,
    "captioning": 0.11,
    "compositional": 0.23,
    "geoiq": 0.16,
    "meme": 0.10,
    "dm_match": 0.10,
}
"""Share of clips by column."""

TOWER_MIX: dict[str, float] = {
    "music_avqa": 0.30,
    "avsd": 0.13,
    "captioning": 0.12,
    "compositional": 0.20,
    "geoiq": 0.07,
    "meme": 0.10,
    "dm_match": 0.08,
}
"""The same for the towers' training."""

LOOK_MIX: dict[str, float] = {
    "music_avqa": 0.22,
    "avsd": 0.08,
    "captioning": 0.08,
    "compositional": 0.45,
    "geoiq": 0.05,
    "meme": 0.06,
    "dm_match": 0.06,
}
"""The same for single steps: more of what is told apart by its moment."""

DIRECT_MIX: dict[str, float] = {
    "music_avqa": 0.16,
    "avsd": 0.02,
    "captioning": 0.02,
    "compositional": 0.15,
    "geoiq": 0.27,
    "meme": 0.03,
    "dm_match": 0.35,
}
"""The same for clips that are only answered directly: more of what takes two steps at once."""

LAST_MIX: dict[str, float] = {
    "music_avqa": 0.20,
    "avsd": 0.0,
    "captioning": 0.0,
    "compositional": 0.10,
    "geoiq": 0.60,
    "meme": 0.0,
    "dm_match": 0.10,
}
"""The same in the end: most of what is learnt last."""

TEXT_ONLY_MIX: dict[str, float] = {
    "music_avqa": 0.12,
    "avsd": 0.04,
    "captioning": 0.04,
    "compositional": 0.16,
    "geoiq": 0.40,
    "meme": 0.12,
    "dm_match": 0.12,
}
"""The same for questions without a clip."""


Parts = Literal["all", "look", "direct", "last"]
_MIXES: Mapping[Parts, Mapping[str, float]] = MappingProxyType(
    {"all": MIX, "look": LOOK_MIX, "direct": DIRECT_MIX, "last": LAST_MIX}
)
_SIBLINGS = 20


class Clip(NamedTuple):
    """One clip with its texts. `frames`: uint8 [32, 56, 56, 3]; `sounds`: float32 [samples].

    A question without media has no frames and no sounds.
    """

    frames: NDArray[np.uint8] | None
    sounds: tuple[NDArray[np.float32], ...]
    exchanges: tuple[Exchange, ...]
    column: str


def rng_of(seed: int, step: int, place: int) -> np.random.Generator:
    """Return a stream that the benchmark cannot draw from.

    The benchmark seeds with [seed, column 0..6, index]; here the number in the column's place is
    1000, four words are given, and the last is never 0 (missing words count as 0).
    """
    return np.random.default_rng([seed, step, 1000, place + 1])


def _allowed(scene: Scene) -> bool:
    return not held_out(scene)


def sample_of(rng: np.random.Generator, mix: Mapping[str, float] = MIX) -> Sample:
    """Draw a question of some column, without combinations that are held out."""
    column = COLUMNS[int(rng.choice(len(COLUMNS), p=[mix[name] for name in COLUMNS]))]
    sample = make(column, rng, allow=_allowed)
    if column == "geoiq":
        sample = replace(sample, item=shuffled_atlas(sample.item, rng))
    return sample


def pictures(scene: Scene, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return frames uint8 `[32, 56, 56, 3]`, much as they are after encoding and reducing."""
    # Noise as it is after halving the side, and often less: the encoder removes some of it.
    noise = scene.picture_noise * 0.5 * float(rng.uniform(0.0, 1.0))
    if scene.flag is not None:
        # A flag's edges stand on whole pixels: at the full side, on halves of these.
        whole = render_picture(replace(scene, picture_noise=2 * noise))
        halves = whole.reshape(len(whole), FRAME_SIDE, 2, FRAME_SIDE, 2, 3)
        frames = np.rint(halves.mean(axis=(2, 4))).astype(np.uint8)
    else:
        frames = render_picture(replace(scene, picture_noise=noise), FRAME_SIDE)
    return _sharpened(frames, float(rng.uniform(-0.2, 0.8)))


def _sharpened(frames: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    # Reducing a decoded picture leaves edges that overshoot a little, more or less by resampler.
    exact = frames.astype(np.float32)
    around = np.zeros_like(exact)
    around[:, 1:-1, 1:-1] = (
        exact[:, 1:-1, 1:-1]
        - (exact[:, :-2, 1:-1] + exact[:, 2:, 1:-1] + exact[:, 1:-1, :-2] + exact[:, 1:-1, 2:]) / 4
    )
    return np.clip(np.rint(exact + amount * around), 0, 255).astype(np.uint8)


def clips(
    seed: int, step: int, first: int, count: int, prompts: PromptSet, parts: Parts = "all"
) -> list[Clip]:
    """Return `count` clips of one step, from place `first` on.

    Args:
        parts: every part that the model plays; or single steps to follow, without questions; or
            direct answers alone, in one mix or the other.
    """
    only_direct = parts in ("direct", "last")
    first += 2**19 if only_direct else 0
    rngs = [rng_of(seed, step, first + place) for place in range(count)]
    samples = [sample_of(rng, _MIXES[parts]) for rng in rngs]
    made = []
    for place, (rng, sample) in enumerate(zip(rngs, samples, strict=True)):
        other: Sequence[Finding] = findings_of(samples[place - 1].item)
        made.append(
            Clip(
                pictures(sample.scene, rng),
                tuple(render_sound(scene) for scene in (sample.scene, *sample.candidates)),
                tuple(
                    looks(sample, prompts, rng)
                    if parts == "look"
                    else [direct(sample)]
                    if only_direct
                    else exchanges(sample, other, prompts, rng)
                ),
                sample.item.column,
            )
        )
    return made


def text_only(
    seed: int, step: int, stage: str, first: int, mix: Mapping[str, int], prompts: PromptSet
) -> list[Clip]:
    """Return what can be learnt from text alone, without media.

    Args:
        stage: of training; each has questions of its own.
        mix: how many of each kind: an exercise of `exercises.EXERCISES`, a `"question"`, or a
            `"caption"` with its scores.
    """
    away = 2**20 if stage == "thinking" else 2**21
    kinds = [kind for kind, count in mix.items() for _ in range(count)]
    made = []
    for place, kind in enumerate(kinds):
        rng = rng_of(seed, step, away + first + place)
        if kind == "caption":
            sample = sample_of(rng)
            made.append(Clip(None, (), tuple(judgements(sample, prompts, rng)), kind))
        elif kind == "question":
            samples = _siblings(rng)
            told = conclusions(samples, prompts, rng)
            made.append(Clip(None, (), tuple(told), samples[0].item.column))
        else:
            made.append(Clip(None, (), tuple(EXERCISES[kind](rng)), kind))
    return made


def _siblings(rng: np.random.Generator) -> list[Sample]:
    """Return a question and more of its family, some of which ask the very same."""
    first = sample_of(rng, TEXT_ONLY_MIX)
    column = first.item.column
    if column == "geoiq":
        return [replace(first, item=widened_atlas(first.item, rng))]
    if column in FREE_TEXT_COLUMNS:
        return [first]  # its answer says what is perceived, and nothing follows from it
    place, count = tuple(FAMILIES[column]).index(first.family), len(FAMILIES[column])
    draws = [int(rng.integers(2**16)) * count + place for _ in range(_SIBLINGS)]
    return [first, *(make(column, rng, index=index, allow=_allowed) for index in draws)]


def texts(seed: int, count: int, prompts: PromptSet) -> list[str]:
    """Return prompts and replies for training the tokenizer."""
    found: list[str] = []
    for place in range(count):
        rng = rng_of(seed, 2**31, place)
        sample = sample_of(rng)
        for exchange in (
            *exchanges(sample, (), prompts, rng),
            *conclusions([sample], prompts, rng)[:2],
        ):
            found += [exchange.prompt, exchange.reply]
    return found
