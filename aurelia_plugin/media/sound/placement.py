"""Decoded sound on its timeline: every frame where its time stamp puts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.containers.timeline import START_TOLERANCE_S
from aurelia_plugin.media.sound.downmix import Downmix

__all__ = ["LONGEST_SOUND_S", "TimedSound", "placed"]

LONGEST_SOUND_S = 4 * 3600.0
"""An hour of silence compresses to next to nothing and takes 230 MB here."""

# A pause in the time stamps longer than this is damage, not silence: it is not filled with zeros.
_LONGEST_PAUSE_S = 3600.0

# Containers round their stamps to milliseconds, and codecs give out blocks of varying length.
_JITTER_S = 0.015
_ROUNDING_S = 0.002

# More than this of what is decoded, and a quarter of the sound, has no place: a decoder is wrong.
_LEAST_SURPLUS_S = 1.0


_MOST_PLANES = 8


class TimedSound(NamedTuple):
    """A decoded frame and the second at which it begins, on the clock of the whole file."""

    time: float | None
    frame: AudioFrame


class _Output:
    """Gathers frames as mono samples at one rate; a change of the input's form is no matter."""

    def __init__(self, rate: int, mix: Downmix) -> None:
        self._rate = rate
        self._mix = mix
        self._form: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None
        self._skipped = 0
        self.chunks: list[NDArray[np.float32]] = []
        self.length = 0

    def add(self, frame: AudioFrame) -> None:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or form != self._form:
            self.flush()
            # PyAV reads beyond the end of a frame with eight planes.
            layout = "fltp" if frame.layout.nb_channels < _MOST_PLANES else "flt"
            self._form, self._resampler = form, AudioResampler(format=layout, rate=self._rate)
        self._keep(self._resampler.resample(frame))

    def flush(self) -> None:
        if self._resampler is not None:
            self._keep(self._resampler.resample(None))
            self._resampler = None

    def go_on_at(self, length: int) -> None:
        """Fill up with zeros to `length` samples, or drop what comes next and is there already."""
        self.flush()
        missing = length - self.length
        if missing > 0:
            self.chunks.append(np.zeros(missing, dtype=np.float32))
            self.length += missing
        self._skipped = max(0, -missing)

    def _keep(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            names = [channel.name for channel in frame.layout.channels]
            # FFmpeg's own downmix adds up the channels of float sound and may exceed 1.
            pcm = np.asarray(frame.to_ndarray(), dtype=np.float32)
            if not frame.format.is_planar:
                pcm = pcm.reshape(-1, len(names)).T
            samples = self._mix(pcm, names)[self._skipped :]
            self._skipped = max(0, self._skipped - frame.samples)
            self.chunks.append(samples)
            self.length += len(samples)


def placed(
    sound: Callable[[], Iterator[TimedSound]], rate: int, origin: float, name: str
) -> NDArray[np.float32]:
    """Return the sound as mono samples from `origin` on, at `rate` Hz.

    What is lost becomes zeros, and what comes twice is dropped, so that sound stays where its time
    stamps put it also where packets are missing or the sender's clock runs fast or slow. Channels
    are mixed by `Downmix`; where they cancel each other, the loudest one is taken.

    Args:
        sound: gives the frames, in order; called again where channels cancel each other.
        rate: samples per second.
        origin: t = 0 on the clock of the whole file.
        name: of the medium, for messages.

    Raises:
        MediaError: the sound is longer than four hours, or its time stamps leap or leave no place
            for a good part of what is decoded.
    """
    mix = Downmix()
    samples = _joined(sound(), rate, origin, name, mix)
    if mix.loudest is not None:
        samples = _joined(sound(), rate, origin, name, Downmix(mix.loudest))
    return samples


def _joined(
    sound: Iterator[TimedSound], rate: int, origin: float, name: str, mix: Downmix
) -> NDArray[np.float32]:
    output = _Output(rate, mix)
    begin = clock = origin
    longest = surplus = 0.0
    for number, (stamp, frame) in enumerate(sound):
        time = clock if stamp is None else stamp
        seconds = frame.samples / frame.sample_rate
        longest = max(longest, seconds)
        if time - clock > _LONGEST_PAUSE_S:
            raise MediaError(name, f"its time stamps jump from {clock:.1f} s to {time:.1f} s")
        if number == 0 and abs(time - origin) < START_TOLERANCE_S:
            begin = clock = time  # encoder priming
        elif abs(time - clock) >= _allowed(longest):
            step = _whole_frames(time - clock, longest)
            surplus -= min(0.0, step)
            if surplus > max(_LEAST_SURPLUS_S, (clock - begin) / 4):
                raise MediaError(name, "its decoder gives more sound than its time stamps hold")
            clock += step
            output.go_on_at(max(0, round((clock - begin) * rate)))
        output.add(frame)
        if output.length > LONGEST_SOUND_S * rate:
            raise MediaError(
                name,
                f"its sound lasts longer than {LONGEST_SOUND_S / 3600:g} hours",
                "Cut the file, or give a span (start, end).",
            )
        clock += seconds
    output.flush()
    joined = np.concatenate(output.chunks) if output.chunks else np.zeros(0, dtype=np.float32)
    return np.clip(joined, -1.0, 1.0)


def _whole_frames(seconds: float, frame: float) -> float:
    """Return how much is missing: whole frames where rounded time stamps leave that open."""
    whole = round(seconds / frame) * frame
    return whole if abs(seconds - whole) < _ROUNDING_S else seconds


def _allowed(longest: float) -> float:
    """Return by how many seconds a frame may be off: less than a lost frame of usual length."""
    return max(_JITTER_S, min(START_TOLERANCE_S, 0.9 * longest))
