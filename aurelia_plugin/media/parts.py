"""Parts of a medium: a stretch of time, the sound or the picture alone, more frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from aurelia_plugin.media.audio import has_sound, waveform
from aurelia_plugin.media.containers.lengths import seconds_of
from aurelia_plugin.media.medium import Frames, Media, Waveform

__all__ = ["Sense", "part_of", "seconds_of"]

Sense = Literal["sound", "picture"]

_SOUND_RATE = 16_000


def part_of(
    media: Media,
    start: float,
    end: float,
    *,
    only: Sense | None = None,
    frames: int | None = None,
) -> Media | None:
    """Return a stretch of a video or sound, with the effects that the whole has.

    Args:
        media: the whole.
        start, end: in seconds from its beginning (that of its span), 0 <= start < end.
        only: the sound as a sound of its own, or the picture with a silent soundtrack.
        frames: how many frames of a video are shown.

    Returns:
        The part; None where there is nothing: no sound, no picture, or the medium is over before.

    Raises:
        MediaError: a file cannot be read.
        ValueError: an image has no stretch of time.
    """
    if media.kind == "image":
        raise ValueError(f"{media.name} is an image")
    length = seconds_of(media)
    if start >= length or (only == "sound" and not has_sound(media)):
        return None
    if only == "picture" and media.kind == "audio":
        return None
    end = min(end, length)
    if only == "sound" or media.kind == "audio":
        return _sound(media, start, end)
    shown = _at(media, start, end)
    if only == "picture":
        shown = replace(shown, silenced=True)
    return shown if frames is None else replace(shown, frames=frames)


def _at(media: Media, start: float, end: float) -> Media:
    """Return a stretch of a medium; another clip's sound is cut to what is heard in it."""
    offset = media.start or 0.0
    cut = replace(media, start=offset + start, end=offset + end)
    if media.sound is None or isinstance(media.data, Frames):
        return cut
    heard = waveform(media, _SOUND_RATE)
    samples = None if heard is None else _cut(heard, start, end)
    return replace(cut, sound=None if samples is None else Media("audio", data=samples))


def _sound(media: Media, start: float, end: float) -> Media | None:
    if media.sound is None and not isinstance(media.data, Frames):
        return _at(replace(media, kind="audio", frames=None, blanked=False), start, end)
    heard = waveform(media, _SOUND_RATE)
    samples = None if heard is None else _cut(heard, start, end)
    return None if samples is None else Media("audio", data=samples)


def _cut(sound: Waveform, start: float, end: float) -> Waveform | None:
    samples = sound.samples[round(start * sound.rate) : round(end * sound.rate)]
    return Waveform(samples, sound.rate) if len(samples) else None
