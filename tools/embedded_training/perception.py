"""What towers are taught before the thinker: dense labels of scenes, and heads that predict them.

A word of a reply says little about a clip. A scene says for every eighth of a second which
instruments sound at which pitch, and for every part of the picture which shape in which colour is
there. Linear heads on the towers' outputs learn that; they are thrown away afterwards, and the
thinker reads outputs in which all of it lies ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aurelia_plugin.benchmark.synthetic.atlas import MELODIES
from aurelia_plugin.benchmark.synthetic.render import pose_of
from aurelia_plugin.benchmark.synthetic.scene import FPS, Figure, Scene, Sound
from aurelia_plugin.benchmark.synthetic.vocabulary import COLOURS, INSTRUMENTS, SHAPES

__all__ = ["heads", "picture_labels", "sound_labels"]

Labels = dict[str, NDArray[Any]]

STEPS: Final = 8
"""Steps in time of the picture, of four frames each."""
_CELLS: Final = 8
"""Rows and columns of the grid on which shapes and colours are told."""
_FRAMES: Final = 32
_LIT: Final = len(COLOURS) + len(SHAPES)
_SOUND_TOKENS: Final = 32
_PER_SECOND: Final = 8
"""Sound tokens a second."""
_LOWEST, _PITCHES = 36, 64
_RATES: Final = 40
"""Classes of a tenth of a beat a second; 0 is none."""
_MOMENTS: Final = 48
"""Classes of a tenth of a second; 0 is never."""
MOTIONS: Final = ("still", "bouncing", "sliding", "spinning", "flashing")
_TRENDS: Final = tuple(MELODIES)


def _tenths(value: float, limit: int) -> int:
    return min(1 + round(10 * value), limit - 1)


def _painted(scene: Scene, time: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return shape and colour (0: none) `[8, 8]` of the picture's cells at one moment."""
    shapes = np.zeros((_CELLS, _CELLS), dtype=np.int64)
    colours = np.zeros((_CELLS, _CELLS), dtype=np.int64)
    centre = (np.arange(_CELLS) + 0.5) / _CELLS
    if scene.flag is not None:
        inside = np.flatnonzero((centre > 0.12) & (centre < 0.88))
        stripe = np.clip(((centre - 0.12) / 0.76 * 3).astype(int), 0, 2)
        for row in inside:
            for column in inside:
                which = stripe[column] if scene.flag.upright else stripe[row]
                colours[row, column] = 1 + COLOURS.index(scene.flag.stripes[which])
    for figure in scene.figures:
        if not figure.shown[0] <= time < figure.shown[1]:
            continue
        pose = pose_of(figure, time)
        away = np.hypot(centre[None, :] - pose.x, centre[:, None] - pose.y)
        there = away < max(0.8 * figure.radius, 0.5 / _CELLS)
        shapes[there] = 1 + SHAPES.index(figure.shape)
        colours[there] = 1 + COLOURS.index(figure.colour)
    return shapes, colours


def _lit(figure: Figure, time: float) -> bool:
    return figure.shown[0] <= time < figure.shown[1] and pose_of(figure, time).light == 1.0


def picture_labels(scene: Scene) -> Labels:
    """Return what is to be seen.

    `shape`, `colour` `[8, 8, 8]`: step, row, column; `rows`, `columns` `[32, 8]`: of each frame,
    whether a figure's centre is there; `lit` `[32, 10]`: of each frame, which colours and shapes
    are fully lit; `slots` `[6]`: shapes from left to right, 0 for none; and of the whole clip
    `motion`, `rate`, `moves`, `flash`, `size`, `stripes` `[3]`.
    """
    painted = [_painted(scene, (4 * step + 1) / FPS) for step in range(STEPS)]
    rows = np.zeros((_FRAMES, _CELLS), dtype=np.float32)
    columns = np.zeros((_FRAMES, _CELLS), dtype=np.float32)
    lit = np.zeros((_FRAMES, _LIT), dtype=np.float32)
    for frame in range(_FRAMES):
        time = frame / FPS
        for figure in scene.figures:
            if figure.shown[0] <= time < figure.shown[1]:
                pose = pose_of(figure, time)
                rows[frame, int(np.clip(pose.y * _CELLS, 0, _CELLS - 1))] = 1
                columns[frame, int(np.clip(pose.x * _CELLS, 0, _CELLS - 1))] = 1
                if _lit(figure, time):
                    lit[frame, COLOURS.index(figure.colour)] = 1
                    lit[frame, len(COLOURS) + SHAPES.index(figure.shape)] = 1
    slots = np.zeros(6, dtype=np.int64)
    for place, figure in enumerate(sorted(scene.figures, key=lambda f: f.x)[:6]):
        slots[place] = 1 + SHAPES.index(figure.shape)
    one = scene.figures[0] if len(scene.figures) == 1 else None
    moves = one is not None and not one.flashes and one.motion != "still"
    return {
        "shape": np.stack([shapes for shapes, _ in painted]),
        "colour": np.stack([colours for _, colours in painted]),
        "rows": rows,
        "columns": columns,
        "lit": lit,
        "slots": slots,
        "motion": np.array(
            1 + MOTIONS.index(one.motion) if one is not None and not one.flashes else 0
        ),
        "rate": np.array(
            _tenths(1 / one.period, _RATES)
            if moves and one is not None and one.motion != "spinning"
            else 0
        ),
        "moves": np.array(
            _tenths(max(one.begins, 0.0), _MOMENTS) if moves and one is not None else 0
        ),
        "flash": np.array(
            _tenths(one.flashes[0], _MOMENTS) if one is not None and one.flashes else 0
        ),
        "size": np.array(0 if one is None else 1 + int(np.clip((one.radius - 0.08) / 0.06, 0, 6))),
        "stripes": np.array(
            [1 + COLOURS.index(c) for c in scene.flag.stripes] if scene.flag else [0, 0, 0]
        ),
    }


def _trend(sound: Sound) -> int:
    pitches = [note.pitch for note in sound.notes]
    if sound.melody is not None:
        return 1 + _TRENDS.index(sound.melody)
    steps = set(np.sign(np.diff(pitches)).tolist()) if len(pitches) > 2 else set()
    named = {1.0: "rising", -1.0: "falling", 0.0: "level"}
    if len(steps) == 1 and sound.timbre != "drum":
        return 1 + _TRENDS.index(named[steps.pop()])
    return 0


def sound_labels(scene: Scene) -> Labels:
    """Return what is to be heard.

    Of each eighth of a second: `sounding`, `onset` `[32, 5]` by instrument, `pitch` `[32]` (0 for
    none); of the whole: `timbres` `[5]`, `first`, `loudest`, `trend`, `beats`, `starts`.
    """
    sounding = np.zeros((_SOUND_TOKENS, len(INSTRUMENTS)), dtype=np.float32)
    onset = np.zeros_like(sounding)
    pitch = np.zeros(_SOUND_TOKENS, dtype=np.int64)
    edges = np.arange(_SOUND_TOKENS + 1) / _PER_SECOND
    for sound in scene.sounds:
        which = INSTRUMENTS.index(sound.timbre)
        for note in sound.notes:
            end = note.onset + note.duration
            overlap = np.minimum(edges[1:], end) - np.maximum(edges[:-1], note.onset)
            there = overlap > 0.4 / _PER_SECOND
            sounding[there, which] = 1
            if sound.timbre != "drum":
                pitch[there] = np.clip(round(note.pitch) - _LOWEST, 1, _PITCHES - 1)
            at = int(note.onset * _PER_SECOND)
            if at < _SOUND_TOKENS:
                onset[at, which] = 1
    heard = [sound for sound in scene.sounds if sound.notes]
    first = min(heard, key=lambda s: s.notes[0].onset, default=None)
    loudest = max(heard, key=lambda s: s.gain, default=None)
    gains = {round(sound.gain, 6) for sound in heard}
    alone = heard[0] if len(heard) == 1 else None
    return {
        "sounding": sounding,
        "onset": onset,
        "pitch": pitch,
        "timbres": np.array(
            [any(s.timbre == name for s in heard) for name in INSTRUMENTS], dtype=np.float32
        ),
        "first": np.array(0 if first is None else 1 + INSTRUMENTS.index(first.timbre)),
        "loudest": np.array(
            1 + INSTRUMENTS.index(loudest.timbre) if loudest is not None and len(gains) > 1 else 0
        ),
        "trend": np.array(_trend(alone) if alone is not None else 0),
        "beats": np.array(
            _tenths(1 / (alone.notes[1].onset - alone.notes[0].onset), _RATES)
            if alone is not None and alone.tempo is not None and len(alone.notes) > 1
            else 0
        ),
        "starts": np.array(
            0 if first is None else _tenths(min(s.notes[0].onset for s in heard), _MOMENTS)
        ),
    }


_SEEN: Final[Mapping[str, int]] = {
    "motion": 1 + len(MOTIONS),
    "rate": _RATES,
    "moves": _MOMENTS,
    "flash": _MOMENTS,
    "size": 8,
}
_TENTHS: Final = frozenset({"rate", "moves", "flash", "beats", "starts"})
_HEARD: Final[Mapping[str, int]] = {
    "first": 6,
    "loudest": 6,
    "trend": 6,
    "beats": _RATES,
    "starts": _MOMENTS,
}


class _Seeing(nn.Module):
    """Linear heads on picture tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        cells = (_CELLS // 2) ** 2  # of each of the four parts of the picture
        self.cells = nn.Linear(width, 2 * 6 * cells)
        self.frames = nn.Linear(4 * width, 4 * 2 * _CELLS)
        self.lit = nn.Linear(width, 4 * _LIT)
        self.whole = nn.Linear(width, sum(_SEEN.values()) + 6 * 6 + 3 * 6)

    def forward(
        self, tokens: torch.Tensor, labels: Sequence[Labels]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the loss of picture tokens `[b, 32, width]`, and the shares that are right."""
        count, half = len(tokens), _CELLS // 2
        told = _stacked(labels)
        meter = _Meter()
        cells = self.cells(tokens).view(count, STEPS, 2, 2, 2, 6, half, half).float()
        for place, name in enumerate(("shape", "colour")):
            target = told[name].view(count, STEPS, 2, half, 2, half).permute(0, 1, 2, 4, 3, 5)
            logits = cells[:, :, :, :, place].permute(0, 1, 2, 3, 5, 6, 4)
            weight = torch.ones(6)
            weight[0] = 0.2  # most of the picture is empty
            meter.choose(name, logits, target, weight)
        steps = self.frames(tokens.reshape(count, STEPS, -1)).view(count, _FRAMES, -1).float()
        meter.mark("frames", steps, torch.cat([told["rows"], told["columns"]], -1))
        # Each token of a step tells what is lit in any part of the picture, so any may be read.
        lit = self.lit(tokens).view(count, STEPS, 4, 4, _LIT).float()
        meter.mark("lit", lit, told["lit"].view(count, STEPS, 1, 4, _LIT).expand_as(lit))
        pooled = self.whole(tokens.mean(dim=1)).float()
        *singles, slots, stripes = pooled.split([*_SEEN.values(), 36, 18], dim=-1)
        for name, logits in zip(_SEEN, singles, strict=True):
            meter.choose(name, logits, told[name], near=name in _TENTHS)
        meter.choose("slots", slots.view(count, 6, 6), told["slots"])
        meter.choose("stripes", stripes.view(count, 3, 6), told["stripes"])
        return meter.loss, meter.right


class _Hearing(nn.Module):
    """Linear heads on sound tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.tokens = nn.Linear(width, 2 * len(INSTRUMENTS) + _PITCHES)
        self.whole = nn.Linear(width, sum(_HEARD.values()) + len(INSTRUMENTS))

    def forward(
        self, tokens: torch.Tensor, labels: Sequence[Labels]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Return the loss of sound tokens `[b, 32, width]`, and the shares that are right."""
        told = _stacked(labels)
        meter = _Meter()
        kinds = len(INSTRUMENTS)
        sounding, onset, pitch = self.tokens(tokens).float().split([kinds, kinds, _PITCHES], dim=-1)
        meter.mark("sounding", sounding, told["sounding"])
        meter.mark("onset", onset, told["onset"])
        meter.choose("pitch", pitch, told["pitch"], near=True)
        pooled = self.whole(tokens.mean(dim=1)).float()
        *singles, timbres = pooled.split([*_HEARD.values(), kinds], dim=-1)
        for name, logits in zip(_HEARD, singles, strict=True):
            meter.choose(name, logits, told[name], near=name in _TENTHS)
        meter.mark("timbres", timbres, told["timbres"], weight=2.0)
        return meter.loss, meter.right


def heads(sense: str, width: int) -> nn.Module:
    """Return heads for `seeing` or `hearing` on tower outputs of that width.

    Called with tokens `[b, 32, width]` and labels, they return the loss and the shares right.
    """
    return _Seeing(width) if sense == "seeing" else _Hearing(width)


class _Meter:
    """Adds losses and notes how much is right."""

    def __init__(self) -> None:
        self.loss = torch.zeros(())
        self.right: dict[str, float] = {}

    def choose(
        self,
        name: str,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None = None,
        near: bool = False,
    ) -> None:
        """One class of several; 0 is none, and not counted. `near`: one off is right too."""
        classes = logits.shape[-1]
        flat, wanted = logits.reshape(-1, classes), target.reshape(-1)
        self.loss = self.loss + nn.functional.cross_entropy(flat, wanted, weight)
        with torch.no_grad():
            off = (flat.argmax(-1) - wanted).abs()
            hits = (off <= int(near)).float()
            kept = hits[wanted > 0]
            if kept.numel():
                self.right[name] = float(kept.mean())

    def mark(
        self, name: str, logits: torch.Tensor, target: torch.Tensor, weight: float = 4.0
    ) -> None:
        """Several yes or no. `right` is F1, as most are no."""
        self.loss = self.loss + weight * nn.functional.binary_cross_entropy_with_logits(
            logits, target
        )
        with torch.no_grad():
            said, so = logits > 0, target > 0
            self.right[name] = float(
                2 * (said & so).sum() / torch.clamp(said.sum() + so.sum(), min=1)
            )


def _stacked(labels: Sequence[Labels]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.stack([one[name] for one in labels])) for name in labels[0]}
