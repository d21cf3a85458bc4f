"""Draw one sample of a column: the item, its scene and, for DM-Match, the four candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from aurelia_plugin.benchmark.data.items import COLUMNS, Item, Source
from aurelia_plugin.benchmark.synthetic.families import (
    avsd,
    captioning,
    compositional,
    dm_match,
    geoiq,
    meme,
    music_avqa,
)
from aurelia_plugin.benchmark.synthetic.families.draw import Draft, Family, Turn
from aurelia_plugin.benchmark.synthetic.scene import Scene
from aurelia_plugin.errors import ConfigError

__all__ = ["DATASET", "FAMILIES", "Sample", "make"]

DATASET = "avreasonbench_mini"

FAMILIES: Mapping[str, Mapping[str, Family]] = MappingProxyType(
    {
        "music_avqa": music_avqa.FAMILIES,
        "avsd": avsd.FAMILIES,
        "captioning": captioning.FAMILIES,
        "compositional": compositional.FAMILIES,
        "geoiq": geoiq.FAMILIES,
        "meme": meme.FAMILIES,
        "dm_match": dm_match.FAMILIES,
    }
)
"""Column -> name of a kind of question -> how to draw one."""

_TRIES = 5_000
# Few enough that a forbidden gold answer costs little, many enough that a rare one is not lost.
_TRIES_PER_TURN = 200


@dataclass(frozen=True)
class Sample:
    """One question with the scene that it is about.

    `candidates` are the four sounds of a DM-Match question, as scenes without a picture.
    """

    item: Item
    scene: Scene
    family: str
    candidates: tuple[Scene, ...] = ()


def make(
    column: str,
    rng: np.random.Generator,
    *,
    index: int | None = None,
    allow: Callable[[Scene], bool] | None = None,
    name: str | None = None,
    letters: int | None = None,
) -> Sample:
    """Draw one sample without rendering or writing anything.

    Args:
        column: one of `schema.COLUMNS`.
        rng: the only source of randomness.
        index: chooses the kind of question and the gold answer, both in turn, so that
            consecutive indices are balanced over them; drawn from `rng` if not given.
        allow: draws again until it holds for the scene and for every candidate; for training
            data `lambda scene: not held_out(scene)`. With an `index`, the gold answer stays the
            same; without, it is given up after 200 draws.
        name: the item's id and the stem of its media paths.
        letters: with an `index`, the seed of the right options' letters, which then balance over
            consecutive indices; without, each letter is drawn from `rng`.

    Raises:
        ConfigError: no such column, or nothing was allowed in 5000 draws.
    """
    if column not in FAMILIES:
        raise ConfigError(f"column {column!r} does not exist", f"Use one of {', '.join(COLUMNS)}.")
    families = FAMILIES[column]
    drawn = index is None
    index = int(rng.integers(2**20)) if index is None else index
    turn, place = divmod(index, len(families))
    family = tuple(families)[place]
    seed = None if drawn or letters is None else (letters, COLUMNS.index(column), place)
    for attempt in range(1, _TRIES + 1):
        # Families start at different points of their cycles; 7 is prime to all cycles' lengths.
        draft = families[family](rng, Turn(turn + 7 * place, turn, seed))
        if allow is None or all(allow(scene) for scene in (draft.scene, *draft.candidates)):
            item = _item(draft, column, family, name or f"{column}-{index:05d}")
            return Sample(item, draft.scene, family, draft.candidates)
        if drawn and attempt % _TRIES_PER_TURN == 0:
            turn = int(rng.integers(2**20))
    raise ConfigError(
        f"{column}/{family}: no scene was allowed in {_TRIES} draws",
        "Allow more combinations of attributes.",
    )


def _item(draft: Draft, column: str, family: str, name: str) -> Item:
    return Item(
        id=name,
        column=column,
        category=draft.category,
        question=draft.question,
        options=draft.options,
        answer=draft.answer,
        references=draft.references,
        video=f"media/{name}.mp4",
        audios=tuple(
            f"media/{name}-{number}.wav" for number in range(1, len(draft.candidates) + 1)
        ),
        source=Source(dataset=DATASET, id=f"{family}/{name}"),
        reasoning_steps=draft.steps,
        step_answers=draft.answers,
        needs=draft.needs,
        facts=draft.facts,
    )
