"""Findings about a scene: steps with their answers, the caption that says them, and wrong ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.synthetic.families.avsd import MOTION_PHRASES
from aurelia_plugin.benchmark.synthetic.families.draw import INSTRUMENT_OF
from aurelia_plugin.benchmark.synthetic.scene import Figure, Scene, Sound
from aurelia_plugin.benchmark.synthetic.vocabulary import COLOURS, INSTRUMENTS, PLACES, SHAPES

__all__ = [
    "Finding",
    "caption",
    "corrupted",
    "degraded",
    "findings_of",
    "label_of",
    "lines_of",
    "perceived",
    "scored",
    "verdict",
]


class Finding(NamedTuple):
    """A reasoning step with its answer."""

    step: str
    answer: str


_GROUPS: tuple[tuple[str, ...], ...] = (
    COLOURS,
    SHAPES,
    INSTRUMENTS,
    tuple(MOTION_PHRASES.values()),
    ("rising", "falling", "level", "hill", "valley"),
    PLACES,
    ("yes", "no"),
    ("the first", "the second"),
    ("before", "between", "after"),
    ("huge", "tiny"),
    ("deep", "squeaky"),
    ("fast", "slow"),
    ("it bounces", "it keeps still"),
    ("They fit.", "They do not fit."),
    ("Audio 1", "Audio 2", "Audio 3", "Audio 4"),
    (
        "The flash comes first, then the sound.",
        "The sound comes first, then the flash.",
        "The flash and the sound come at the same moment.",
    ),
)
_NUMBER = re.compile(r"\d\.\d")

_LABELS: tuple[tuple[str, str | None], ...] = (
    (r"Which instruments are in the picture, from left to right\?", "seen from left to right"),
    (r"Which instruments can be heard\?", "heard"),
    (r"Which instrument is heard\?", "heard"),
    (r"Which instruments are both seen and heard\?", "seen and heard"),
    (r"Which instrument is (.+)\?", r"\1"),
    (r"Which heard instruments are missing .*", "heard but not seen"),
    (r"Which of the heard instruments is louder\?", "louder"),
    (r"What colour is the shape\?", "colour"),
    (r"How does the shape move\?", "movement"),
    (r"What is the shape doing\?", "movement"),
    (r"Compare the pitch .*", "melody"),
    (r"How does the melody .*", "melody"),
    (r"When does the sound start\?", "sound starts"),
    (r"When does the shape start .*", "movement starts"),
    (r"When does the sound start, and .*", "starts"),
    (r"Which shape is in the picture, and .*", "shape"),
    (r"Which shape is in the picture\?", "shape"),
    (r"When does the shape light up\?", "flash"),
    (r"When does the (.+) light up\?", r"flash of the \1"),
    (r"Which shape lights up (after .+|first|second|third)\?", r"lights up \1"),
    (r"When is the sound heard\?", "sound"),
    (r"Compare the two moments\.", "order"),
    (r"Which shape lights up at that moment\?", "lights up with the sound"),
    (r"Is the (.+) shown in .*", r"half of the \1"),
    (r"Which shape is shown in the (.+)\?", r"seen in the \1"),
    (r"Which instrument plays in that half\?", "heard in that half"),
    (r"Which instrument plays in the (.+)\?", r"heard in the \1"),
    (r"Which instrument is heard first, and .*", "instruments in order"),
    (r"Is the flash before, .*", "flash"),
    (r"How often does the shape .*", "movement in one second"),
    (r"How many beats per second .*", "beats in one second"),
    (r"Which of the four counts .*", "same beat"),
    (r"Which stripe colours .*", "stripes"),
    (r"How large is the shape\?", "size"),
    (r"How high or low is the sound\?", "voice"),
    (r"Does the shape bounce .*", "movement"),
    (r"Are thuds heard\?", "thuds"),
    (r"How quickly does the shape .*", "speed of the shape"),
    (r"How quickly does the music .*", "speed of the music"),
    (r"Do picture and sound fit .*", "picture and sound"),
    (r"Which region .*", None),
    (r"Look up .*", None),
)


def label_of(step: str) -> str | None:
    """Return how a caption names what a step asks for; None if a clip alone does not tell it."""
    for pattern, label in _LABELS:
        match = re.fullmatch(pattern, step)
        if match:
            return match.expand(label) if label else None
    return step.rstrip("?.").lower()


def caption(findings: Sequence[Finding]) -> str:
    """Return the caption that states the findings that can be seen or heard in the clip."""
    said = [f"{label}: {n.answer.rstrip('.')}" for n in findings if (label := label_of(n.step))]
    return "; ".join(said) + "."


def _swapped(text: str, rng: np.random.Generator) -> str:
    """Return the text with one value replaced by another one of its kind."""
    spots = [
        (match.start(), match.end(), group)
        for group in _GROUPS
        for value in group
        for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text)
    ]
    numbers = list(_NUMBER.finditer(text))
    if not spots and not numbers:
        return "drum" if text != "drum" else "bell"
    chosen = int(rng.integers(len(spots) + len(numbers)))
    if chosen < len(spots):
        start, stop, group = spots[chosen]
        others = [value for value in group if value not in text] or [
            value for value in group if value != text[start:stop]
        ]
        return text[:start] + others[int(rng.integers(len(others)))] + text[stop:]
    match = numbers[chosen - len(spots)]
    value = float(match.group())
    away = float(rng.uniform(0.6, 1.6)) * (1 if value < 1.0 or rng.random() < 0.5 else -1)
    return f"{text[: match.start()]}{max(value + away, 0.1):.1f}{text[match.end() :]}"


def corrupted(answer: str, rng: np.random.Generator) -> str:
    """Return a wrong answer of the same kind; never the answer itself."""
    parts = answer.split(", ")
    if set(parts) <= set(INSTRUMENTS) and rng.random() < 0.4:
        absent = [name for name in INSTRUMENTS if name not in parts]
        if absent and (len(parts) == 1 or rng.random() < 0.5):
            parts.insert(int(rng.integers(len(parts) + 1)), absent[int(rng.integers(len(absent)))])
        elif len(parts) > 1:
            parts.pop(int(rng.integers(len(parts))))
        return ", ".join(parts)
    return _swapped(answer, rng)


def _first_onset(scene: Scene) -> float:
    return min(_begins(sound) for sound in scene.sounds if sound.notes)


def _about(seconds: float) -> str:
    return f"after about {seconds:.1f} seconds"


_HALVES = ("the first", "the second")


def _begins(sound: Sound) -> float:
    return min(note.onset for note in sound.notes)


def _in_turn(shown: Sequence[Figure], whole: bool) -> list[Finding]:
    """Return findings about several figures, of which each is shown or lit up at another time."""
    findings = []
    if not whole:
        for half, one in zip(_HALVES, sorted(shown, key=lambda f: f.shown), strict=True):
            name = f"{one.colour} {one.shape}"
            findings.append(
                Finding(f"Is the {name} shown in the first or in the second half?", half)
            )
            findings.append(Finding(f"Which shape is shown in {half} half?", name))
    elif len(shown) > 1:
        lit = sorted((one for one in shown if one.flashes), key=lambda f: f.flashes)
        for one, turn in zip(lit, ("first", "second", "third"), strict=False):
            name, when = f"{one.colour} {one.shape}", _about(one.flashes[0])
            findings.append(Finding(f"When does the {name} light up?", when))
            findings.append(Finding(f"Which shape lights up {when}?", f"The {name}"))
            findings.append(Finding(f"Which shape lights up {turn}?", f"The {name}"))
    return findings


def perceived(scene: Scene) -> list[Finding]:
    """Return findings about what any scene shows, whatever is asked."""
    findings = []
    shown = sorted(scene.figures, key=lambda f: f.x)
    whole = all(figure.shown == (0.0, scene.duration) for figure in shown)
    if len(shown) == 1:
        one = shown[0]
        findings += [
            Finding("What colour is the shape?", one.colour),
            Finding("Which shape is in the picture?", one.shape),
            Finding(
                "Which shape is in the picture, and in which colour?", f"{one.colour} {one.shape}"
            ),
        ]
        if not one.flashes:
            findings.append(Finding("How does the shape move?", MOTION_PHRASES[one.motion]))
            findings.append(Finding("What is the shape doing?", MOTION_PHRASES[one.motion]))
        elif len(one.flashes) == 1:
            findings.append(Finding("When does the shape light up?", _about(one.flashes[0])))
    if shown and whole:
        seen = ", ".join(INSTRUMENT_OF[figure.shape] for figure in shown)
        findings.append(Finding("Which instruments are in the picture, from left to right?", seen))
    findings += _in_turn(shown, whole)
    if shown and not whole:
        findings += [
            Finding(f"Which instrument plays in {half} half?", sound.timbre)
            for half, sound in zip(_HALVES, sorted(scene.sounds, key=_begins), strict=True)
        ]
    if scene.flag is not None:
        stripes = ", ".join(scene.flag.stripes)
        findings.append(Finding("Which stripe colours does the flag have, in order?", stripes))
    timbres = sorted({sound.timbre for sound in scene.sounds if sound.notes})
    heard = ", ".join(timbres) or "none"
    findings.append(Finding("Which instruments can be heard?", heard))
    if timbres:
        findings.append(Finding("When does the sound start?", _about(_first_onset(scene))))
    if len(timbres) == 1:
        findings.append(Finding("Which instrument is heard?", heard))
    if len(timbres) > 1:
        first = min(scene.sounds, key=_begins)
        findings.append(Finding("Which instrument is heard first?", first.timbre))
    return findings


def lines_of(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, as the reasoner replies."""
    return "\n".join(f"{finding.step} -> {finding.answer}" for finding in findings)


def degraded(
    findings: Sequence[Finding], other: Sequence[Finding], rng: np.random.Generator
) -> list[Finding]:
    """Return findings with wrong answers, without some, or of another question; or as they are."""
    if rng.random() < 0.25:
        return list(findings)
    bad = [Finding(n.step, corrupted(n.answer, rng)) if rng.random() < 0.5 else n for n in findings]
    if len(bad) > 1 and rng.random() < 0.25:
        bad.pop(int(rng.integers(len(bad))))
    if rng.random() < 0.15:
        bad = list(other)
    return bad


def findings_of(item: Item) -> list[Finding]:
    """Return the item's own steps with their answers."""
    return [
        Finding(step, answer)
        for step, answer in zip(item.reasoning_steps or (), item.step_answers or (), strict=True)
    ]


def scored(findings: Sequence[Finding], rng: np.random.Generator) -> tuple[str, int]:
    """Return a caption of what a clip tells, right or partly wrong, and its score from 1 to 10."""
    clear = [n for n in findings if label_of(n.step)]
    if rng.random() < 0.5:
        return caption(clear), 10
    count = 1 + int(rng.integers(len(clear)))
    wrong = {int(k) for k in rng.permutation(len(clear))[:count]}
    said = [
        Finding(n.step, corrupted(n.answer, rng)) if k in wrong else n for k, n in enumerate(clear)
    ]
    right = sum(a == b for a, b in zip(said, clear, strict=True))
    return caption(said), 10 if right == len(clear) else 1 + (7 * right) // len(clear)


def verdict(truth: str, score: int) -> str:
    """Return an evaluator's reply: what the caption should say, as its thought, and the score."""
    return f"<think>{truth}</think>{score}"
