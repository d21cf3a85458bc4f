"""Sound: mono waveforms from files, soundtracks and arrays, and WAV for those who want files."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import write_media
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.media.containers.clocks import PieceClock
from aurelia_plugin.media.containers.container import audio_frames, opened, sound_stream
from aurelia_plugin.media.containers.timeline import Timeline, read_timeline
from aurelia_plugin.media.isolation.isolated import isolated
from aurelia_plugin.media.medium import Frames, Media, Waveform
from aurelia_plugin.media.sound.placement import TimedSound, placed

__all__ = ["has_sound", "wav_bytes", "wav_file", "waveform"]

# No codec in use has longer blocks (AAC: 2048 samples at 22 kHz).
_LONGEST_BLOCK_S = 0.1


@isolated
def waveform(media: Media, rate: int = 16000) -> Waveform | None:
    """Return the sound of a medium as mono float32 in -1..1 at `rate` Hz.

    Two channels are averaged, more are mixed by the coefficients of ITU-R BS.775 (see `placed`).
    t = 0 is the medium's own (of the span, where there is one): sound that begins 50 ms or more
    after the picture is preceded by zeros, and what is missing by the time stamps is zeros. No
    sound is a value, not an error: an image, a video without a soundtrack and a span of a video in
    which the soundtrack is over give None. The arrays are the caller's own.

    Raises:
        MediaError: a medium of kind audio has no sound (in its span), or a file cannot be read.
        ValueError: `rate` is not positive.
    """
    if rate <= 0:
        raise ValueError(f"rate is {rate} Hz; it must be positive")
    samples = _samples(media, rate)
    if samples is None and media.kind == "audio":
        raise MediaError(media.name, "has no sound (in its span)", "Name a file that has sound.")
    return None if samples is None else Waveform(samples, rate)


def has_sound(media: Media) -> bool:
    """Return whether `waveform` would give sound; opens the file of a video.

    Raises:
        MediaError: the file cannot be read or is truncated.
    """
    if media.kind == "image":
        return False
    if media.path is not None:
        return read_timeline(media.path).sound is not None
    return isinstance(media.data, Waveform) or media.sound is not None


def _samples(media: Media, rate: int) -> NDArray[np.float32] | None:
    """Return the sound with span and effects applied, or None."""
    if media.kind == "image":
        return None
    if isinstance(media.data, Frames):
        samples = None if media.sound is None else _samples(media.sound, rate)
        samples = None if samples is None else _cut(samples, media, rate)
    else:
        samples = _own(media, rate)
        samples = None if samples is None else _cut(samples, media, rate)
        if samples is not None and media.sound is not None and not media.silenced:
            samples = _fitted(media, media.sound, len(samples), rate)
    if samples is None or samples.size == 0:
        return None
    return np.zeros_like(samples) if media.silenced else samples


def _fitted(media: Media, sound: Media, length: int, rate: int) -> NDArray[np.float32]:
    donated = _samples(sound, rate)
    if donated is None:
        raise MediaError(
            sound.name, f"has no sound to give to {media.name}", "Take the sound of another file."
        )
    return np.resize(donated, length)  # repeats what is too short, cuts what is too long


def _cut(samples: NDArray[np.float32], media: Media, rate: int) -> NDArray[np.float32]:
    first = round((media.start or 0.0) * rate)
    last = None if media.end is None else round(media.end * rate)
    return np.array(samples[first:last], dtype=np.float32)


def _own(media: Media, rate: int) -> NDArray[np.float32] | None:
    """Return the sound of the file or array itself, from t = 0 to the end of the span."""
    if isinstance(media.data, Waveform):
        if media.data.rate == rate:
            return media.data.samples
        data = media.data
        samples = placed(lambda: _array_frames(data), rate, 0.0, media.name)
        # The resampler may be a sample off, and gives nothing for a handful of samples.
        length = max(1, round(media.data.seconds * rate))
        return np.pad(samples[:length], (0, max(0, length - len(samples))))
    if media.path is None:
        return None
    timeline = read_timeline(media.path)
    if timeline.sound is None:
        return None
    path = media.path
    samples = placed(
        lambda: _file_frames(path, timeline, media.end), rate, timeline.origin, media.name
    )
    # The last packet of a codec is a full block of which the container says how much is sound.
    length = round((timeline.sound.end - timeline.origin) * rate)
    return samples[:length] if 0 < len(samples) - length < _LONGEST_BLOCK_S * rate else samples


def _file_frames(path: Path, timeline: Timeline, end: float | None) -> Iterator[TimedSound]:
    """Decode the sound of a file up to the end of the span."""
    clock = PieceClock(timeline.sound.pieces if timeline.sound else ())
    with opened(path) as container:
        stream = sound_stream(container)
        if stream is None:
            return
        for frame in audio_frames(path, container, stream):
            time = frame.time if frame.time_base else None
            time = None if time is None else clock(time)
            # The resampler looks ahead: a little more than the span keeps its last samples exact.
            if end is not None and time is not None and time - timeline.origin > end + 0.1:
                return
            yield TimedSound(time, frame)


def _array_frames(data: Waveform) -> Iterator[TimedSound]:
    for first in range(0, len(data.samples), data.rate):
        chunk = np.ascontiguousarray(data.samples[None, first : first + data.rate])
        frame = AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = data.rate, first, Fraction(1, data.rate)
        yield TimedSound(frame.time, frame)


def wav_bytes(waveform: Waveform) -> bytes:
    """Return the sound as a mono 16-bit PCM WAV file."""
    samples = np.clip(waveform.samples, -1.0, 1.0) * 32767
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(waveform.rate)
        file.writeframes(np.rint(samples).astype("<i2").tobytes())
    return buffer.getvalue()


def wav_file(media: Media, rate: int = 16000, folder: Path | None = None) -> Path | None:
    """Return a WAV file with the medium's sound, made once and kept; None without sound.

    The name holds the medium's digest and the rate, so processes may share the folder.

    Args:
        media: any medium.
        rate: samples per second.
        folder: where to keep the file; the `wav` folder of the user's cache by default.

    Raises:
        MediaError: see `waveform`; or the folder cannot be written.
    """
    path = (folder or cache_dir() / "wav") / f"{media.digest}-{rate}.wav"
    if path.is_file():
        return path
    sound = waveform(media, rate)
    if sound is None:
        return None
    write_media(path, wav_bytes(sound))
    return path
