"""GeoIQ: the flag that is seen and the anthem that is heard name a region; then a fact about it.

The question carries a little atlas of two flags times two melodies, so that the picture alone
and the sound alone leave two regions each.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from aurelia_plugin.benchmark.synthetic.atlas import (
    ATLAS,
    ATTRIBUTES,
    FLAGS,
    MELODIES,
    Region,
    region_of,
)
from aurelia_plugin.benchmark.synthetic.families.draw import (
    Draft,
    Family,
    Turn,
    nuisance,
    one_of,
    several_of,
)
from aurelia_plugin.benchmark.synthetic.scene import Flag, Note, Scene, Sound
from aurelia_plugin.benchmark.synthetic.vocabulary import INSTRUMENTS

__all__ = ["FAMILIES"]

_CATEGORY = {
    "region": "Country recognition",
    "currency": "Currency",
    "food": "Popular dish/food",
    "continent": "Continent",
    "language": "Language",
    "dance": "Popular dance form",
    "landmark": "Famous landmark",
}
_ASKED = {
    "region": "What is the name of the region?",
    "currency": "What is the currency of the region?",
    "food": "What is the most popular food of the region?",
    "continent": "On which continent does the region lie?",
    "language": "Which language is spoken in the region?",
    "dance": "What is the popular dance of the region?",
    "landmark": "What is the famous landmark of the region?",
}


class _Atlas(NamedTuple):
    regions: tuple[Region, ...]
    gold: Region


def _little_atlas(rng: np.random.Generator, gold: Region) -> _Atlas:
    """Return the gold region with three others, of one more flag and one more melody."""
    flag = one_of(rng, [flag for flag in FLAGS if flag != gold.flag])
    melody = one_of(rng, [name for name in MELODIES if name != gold.melody])
    regions = [
        gold,
        region_of(gold.flag, melody),
        region_of(flag, gold.melody),
        region_of(flag, melody),
    ]
    return _Atlas(tuple(several_of(rng, regions, 4)), gold)


def _fact(region: Region, attribute: str) -> str:
    return region.name if attribute == "region" else str(getattr(region, attribute))


def _line(region: Region, attribute: str, neighbour: Region | None) -> str:
    line = f"- {region.name}: flag {', '.join(region.flag)}; anthem {region.melody}"
    if attribute != "region":
        line += f"; {attribute} {_fact(region, attribute)}"
    return line + (f"; northern neighbour {neighbour.name}" if neighbour else "")


def _anthem(rng: np.random.Generator, melody: str) -> Sound:
    timbre = one_of(rng, [name for name in INSTRUMENTS if name != "drum"])
    start = float(rng.integers(57, 65))
    begins = float(rng.uniform(0.1, 0.35))
    notes = tuple(
        Note(begins + 0.58 * k, 0.52, start + interval)
        for k, interval in enumerate(MELODIES[melody])
    )
    return Sound(timbre, notes, melody=melody)


def _intro(lines: list[str]) -> str:
    return (
        "The picture shows the flag of a region (its stripes from left to right or from top to "
        "bottom) and the sound is its anthem. An anthem's melody is rising, falling, level, a "
        "hill (up, then down) or a valley (down, then up). Atlas:\n" + "\n".join(lines)
    )


def _ask(attribute: str, hops: int, rng: np.random.Generator, turn: Turn) -> Draft:
    # The gold region cycles through the whole atlas; 7 is prime to its 25 regions.
    gold = ATLAS[(7 * turn.number) % len(ATLAS)]
    atlas = _little_atlas(rng, gold)
    shift = int(rng.integers(1, 4))
    neighbours = {
        region.name: atlas.regions[(place + shift) % 4]
        for place, region in enumerate(atlas.regions)
    }
    target = neighbours[gold.name] if hops == 3 else gold
    lines = [
        _line(region, attribute, neighbours[region.name] if hops == 3 else None)
        for region in atlas.regions
    ]
    asked = _ASKED[attribute]
    steps = [
        ("Which stripe colours does the flag have, in order?", ", ".join(gold.flag)),
        ("How does the melody of the anthem move?", gold.melody),
        ("Which region of the atlas has this flag and this anthem?", gold.name),
    ]
    if hops == 3:
        asked = asked.replace("the region", "the northern neighbour of the region")
        steps.append(("Which region is its northern neighbour?", target.name))
    answer = _fact(target, attribute)
    if attribute != "region":
        steps.append((f"Look up the {attribute} of that region in the atlas.", answer))
    scene = Scene(
        flag=Flag(gold.flag, upright=bool(rng.integers(2))), sounds=(_anthem(rng, gold.melody),)
    )
    return Draft(
        scene=nuisance(rng, scene),
        question=f"{_intro(lines)}\n{asked}",
        answer=answer,
        category="Geographical" if hops == 3 else _CATEGORY[attribute],
        steps=tuple(step for step, _ in steps),
        answers=tuple(reply for _, reply in steps),
        facts={attribute: answer},
    )


FAMILIES: dict[str, Family] = {
    **{attribute: partial(_ask, attribute, 2) for attribute in ("region", *ATTRIBUTES)},
    "neighbour_currency": partial(_ask, "currency", 3),
    "neighbour_food": partial(_ask, "food", 3),
}
