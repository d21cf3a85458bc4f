"""DM-Match: a shape moves to a beat; which of four separate sounds has that beat?

The video's own soundtrack says nothing. Timbre and pitch of the candidates are drawn without
regard to which one is right, so only the tempo tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from aurelia_plugin.benchmark.synthetic.families.draw import (
    Draft,
    Family,
    Turn,
    beats,
    figure,
    nuisance,
    one_of,
    turn_of,
)
from aurelia_plugin.benchmark.synthetic.scene import TEMPI, Motion, Scene
from aurelia_plugin.benchmark.synthetic.vocabulary import INSTRUMENTS

__all__ = ["FAMILIES"]

_OPTIONS = ("Audio 1", "Audio 2", "Audio 3", "Audio 4")


def _match(motion: str, verb: str, rng: np.random.Generator, turn: Turn) -> Draft:
    tempo = turn_of(tuple(TEMPI), turn.number)
    position = turn.letter(rng, len(_OPTIONS))
    order = [str(name) for name in rng.permutation([name for name in TEMPI if name != tempo])]
    order.insert(position, tempo)
    # One factor for all: the clip's beat and the right sound's beat agree exactly.
    factor, begins = float(rng.uniform(0.95, 1.05)), float(rng.uniform(0.1, 0.4))
    period = 60.0 / (TEMPI[tempo] * factor)
    shape = figure(
        rng,
        y=0.7 if motion == "bouncing" else 0.5,
        radius=0.22,
        motion=cast(Motion, motion),
        begins=begins,
        period=period,
    )
    if motion == "bouncing":
        # In the middle of a bounce at first, so that the first landing is at `begins`.
        shape = replace(shape, begins=begins - period)
    candidates = tuple(
        nuisance(rng, Scene(sounds=(beats(rng, one_of(rng, INSTRUMENTS), name, begins, factor),)))
        for name in order
    )
    return Draft(
        scene=nuisance(rng, Scene((shape,))),
        question=f"In the video a shape can be seen to {verb} to a beat; there is no music. "
        "Which of Audio 1, Audio 2, Audio 3 and Audio 4 has the same beat?",
        answer=chr(ord("A") + position),
        category="Dance performances",
        steps=(
            f"How often does the shape {verb} in one second?",
            "How many beats per second does each of the four sounds have?",
            "Which of the four counts is the closest to that of the shape?",
        ),
        answers=(
            f"about {1.0 / period:.1f} times",
            ", ".join(
                f"{sound}: {TEMPI[name] * factor / 60.0:.1f}"
                for sound, name in zip(_OPTIONS, order, strict=True)
            ),
            _OPTIONS[position],
        ),
        options=_OPTIONS,
        candidates=candidates,
    )


def bounce(rng: np.random.Generator, turn: Turn) -> Draft:
    """A shape that lands on every beat."""
    return _match("bouncing", "bounce", rng, turn)


def flash(rng: np.random.Generator, turn: Turn) -> Draft:
    """A shape that lights up on every beat."""
    return _match("flashing", "flash", rng, turn)


FAMILIES: dict[str, Family] = {"bounce": bounce, "flash": flash}
