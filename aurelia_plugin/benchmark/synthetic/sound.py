"""Scene -> waveform: five timbres, from a pure tone to a burst of noise."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.benchmark.synthetic.scene import SAMPLE_RATE, Note, Scene, Sound

__all__ = ["render_sound"]

Wave = NDArray[np.float64]

_RELEASE: Final = 0.03
"""Seconds over which every note fades out, so that none ends with a click."""


def _flute(t: Wave, frequency: float, _rng: np.random.Generator) -> Wave:
    vibrato = 0.15 * np.sin(2 * np.pi * 5.5 * t)
    phase = 2 * np.pi * frequency * t + vibrato
    attack = np.minimum(t / 0.05, 1.0)
    wave: Wave = attack * (np.sin(phase) + 0.06 * np.sin(2 * phase))
    return wave


def _organ(t: Wave, frequency: float, _rng: np.random.Generator) -> Wave:
    wave = np.zeros_like(t)
    for k in range(1, 14, 2):
        if k * frequency < 0.45 * SAMPLE_RATE:
            wave += np.sin(2 * np.pi * k * frequency * t) / k
    attacked: Wave = np.minimum(t / 0.01, 1.0) * wave
    return attacked


def _guitar(t: Wave, frequency: float, _rng: np.random.Generator) -> Wave:
    # Higher partials die away first, as those of a plucked string do.
    wave = np.zeros_like(t)
    for k in range(1, 11):
        if k * frequency < 0.45 * SAMPLE_RATE:
            wave += np.exp(-t * (4.0 + 2.5 * k)) * np.sin(2 * np.pi * k * frequency * t) / k**0.7
    return wave


def _drum(t: Wave, _frequency: float, rng: np.random.Generator) -> Wave:
    rattle = rng.standard_normal(t.size) * np.exp(-t / 0.05)
    thump = 1.5 * np.sin(2 * np.pi * 90.0 * t * (1 + 0.5 * np.exp(-t / 0.03))) * np.exp(-t / 0.08)
    wave: Wave = rattle + thump
    return wave


def _bell(t: Wave, frequency: float, _rng: np.random.Generator) -> Wave:
    # Ratios of the partials of a struck free bar: no common fundamental.
    wave = np.zeros_like(t)
    for k, (ratio, level) in enumerate(((1.0, 0.7), (2.76, 1.0), (5.40, 0.7), (8.93, 0.35))):
        if 2 * ratio * frequency < 0.45 * SAMPLE_RATE:
            decay = np.exp(-t * (2.5 + 2.0 * k))
            wave += level * decay * np.sin(2 * np.pi * 2 * ratio * frequency * t)
    return wave


_TIMBRES: Final[dict[str, Callable[[Wave, float, np.random.Generator], Wave]]] = {
    "flute": _flute,
    "organ": _organ,
    "guitar": _guitar,
    "drum": _drum,
    "bell": _bell,
}


def _note(sound: Sound, note: Note, rng: np.random.Generator) -> Wave:
    t = np.arange(round(note.duration * SAMPLE_RATE)) / SAMPLE_RATE
    frequency = 440.0 * 2.0 ** ((note.pitch - 69.0) / 12.0)
    wave = _TIMBRES[sound.timbre](t, frequency, rng)
    # Level by the first fifth of a second, so that decaying timbres are not quieter than others.
    head = wave[: round(0.2 * SAMPLE_RATE)]
    level = float(np.sqrt(np.mean(head**2))) if head.size else 0.0
    if level > 0.0:
        wave = wave * (sound.gain / level)
    release = np.minimum((note.duration - t) / _RELEASE, 1.0)
    faded: Wave = wave * release
    return faded


def render_sound(scene: Scene) -> NDArray[np.float32]:
    """Render the mono waveform, shape `[round(duration * 16000)]`, within -0.95..0.95.

    Notes that reach beyond the end are cut. The same scene always gives the same samples.
    """
    total = round(scene.duration * SAMPLE_RATE)
    rng = np.random.default_rng([scene.noise_seed, zlib.crc32(b"sound")])
    mix = scene.sound_noise * rng.standard_normal(total)
    for sound in scene.sounds:
        for note in sound.notes:
            start = round(note.onset * SAMPLE_RATE)
            wave = _note(sound, note, rng)[: max(total - start, 0)]
            mix[start : start + wave.size] += wave
    peak = float(np.max(np.abs(mix), initial=0.0))
    if peak > 0.95:
        mix *= 0.95 / peak
    return mix.astype(np.float32)
