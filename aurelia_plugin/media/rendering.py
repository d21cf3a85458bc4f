"""A video as bytes for those who take files: the file itself, or one encoded anew.

A file can be handed over as it is only when the medium is the whole file and nothing but it. A
span or an effect is not in the file, so such a medium is decoded, with its effects, and encoded.
"""

from __future__ import annotations

import io
import math
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.containers.container import opened, picture_stream, plain_cause
from aurelia_plugin.media.isolation.isolated import isolated
from aurelia_plugin.media.isolation.wire import passes
from aurelia_plugin.media.medium import Media, Waveform
from aurelia_plugin.media.video import probe, uniform_frames

__all__ = ["VideoFile", "render", "video_file"]

_FRAME_RATE = 4.0
"""Frames a second of a rendered video: more than services and models sample."""

_MOST_FRAMES = 1200
_SMALLER = 640
"""Pixels on the longer side of a video whose file is too large."""

_SOUND_RATE = 16_000

# Containers that services take, and the picture codecs that make a Matroska file a WebM file.
_MIME = {"mov": "video/mp4", "avi": "video/x-msvideo", "mpeg": "video/mpeg"}
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1"})


@passes
class VideoFile(NamedTuple):
    """A video that can be sent.

    Attributes:
        content: the file, or the bytes of one encoded anew.
        mime: its media type.
        seconds: length of the picture.
        frames: pictures in it; the average rate times the length for a file sent as it is.
        sound_seconds: length of its sound; None without a soundtrack.
    """

    content: Path | bytes
    mime: str
    seconds: float
    frames: int
    sound_seconds: float | None

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def read(self) -> bytes:
        """Return the bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@isolated
def video_file(
    media: Media,
    *,
    longest_side: int | None = None,
    largest: int | None = None,
    frames: int = 1,
) -> VideoFile:
    """Return a video as a file that services take.

    The file itself where the medium has no span and no effect, its container is a common one, and
    it has at most `largest` bytes; else `render`, reduced to `longest_side` pixels, with as many
    frames as a reader will take (`frames`).

    Raises:
        MediaError: the file cannot be read, or has no picture.
    """
    mime = _mime(media.path) if media.path is not None and _is_whole(media) else None
    if media.path is None or mime is None:
        return render(media, longest_side=longest_side, frames=frames)
    if largest is not None and media.path.stat().st_size > largest:
        side = min(longest_side or _SMALLER, _SMALLER)
        return render(media, longest_side=side, frames=frames)
    info = probe(media)
    sound = waveform(media, _SOUND_RATE) if info.has_sound else None
    count = max(1, round(info.seconds * info.frame_rate))
    return VideoFile(media.path, mime, info.seconds, count, sound.seconds if sound else None)


def _is_whole(media: Media) -> bool:
    effects = (media.start, media.end, media.silenced or None, media.blanked or None, media.sound)
    return all(effect is None for effect in effects)


def _mime(path: Path) -> str | None:
    with opened(path) as container:
        name = container.format.name
        if "webm" in name:
            stream = picture_stream(container)
            codec = stream.codec_context.name if stream is not None else ""
            known = any(codec.endswith(end) for end in _WEBM_CODECS) or "vpx" in codec
            return "video/webm" if known else None
        return _MIME.get(name.split(",")[0])


@isolated
def render(media: Media, *, longest_side: int | None = None, frames: int = 1) -> VideoFile:
    """Encode a video anew with its span and effects: H.264 and AAC in MP4.

    Four frames a second, fewer where the video is longer than five minutes, more where these are
    not as many as `frames` and the video has them; sound at 16 kHz.

    Raises:
        MediaError: the medium cannot be decoded, has no picture, or cannot be encoded.
    """
    info = probe(media)
    count = min(_MOST_FRAMES, max(1, frames, math.ceil(info.seconds * _FRAME_RATE)))
    shown = uniform_frames(media, count, longest_side=longest_side)
    sound = waveform(media, _SOUND_RATE)
    try:
        content = _encoded(shown.pixels, shown.times, info.seconds, sound)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(media.name, f"cannot be encoded anew: {plain_cause(error)}") from error
    seconds = sound.seconds if sound else None
    return VideoFile(content, "video/mp4", info.seconds, len(shown.times), seconds)


def _encoded(
    pixels: NDArray[np.uint8],
    times: NDArray[np.float64],
    seconds: float,
    sound: Waveform | None,
) -> bytes:
    buffer = io.BytesIO()
    even = _even(pixels)
    rate = max(_FRAME_RATE, len(times) / max(seconds, 1e-3))
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=round(rate))
        video.height, video.width = even.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.options = {"crf": "18"}
        video.codec_context.time_base = Fraction(1, 1000)
        # The encoder wants its streams before the first packet.
        track = None
        if sound is not None:
            track = container.add_stream("aac", rate=sound.rate, layout="mono")
        for picture, moment in zip(*_until_the_end(even, times, seconds - 1 / rate), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = moment, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None and track is not None:
            _add_sound(container, track, sound)
    return buffer.getvalue()


def _until_the_end(
    pixels: NDArray[np.uint8], times: NDArray[np.float64], latest: float
) -> tuple[list[NDArray[np.uint8]], list[int]]:
    """Return pictures and their times in ms; the first is at 0, one at `latest` (seconds)."""
    moments = [round(1000 * float(time - times[0])) for time in times]
    last = round(1000 * latest)
    if last > moments[-1]:
        return [*pixels, pixels[-1]], [*moments, last]
    return list(pixels), moments


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column where needed: H.264 wants even sides."""
    _, height, width, _ = pixels.shape
    return np.pad(pixels, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _add_sound(container: OutputContainer, track: AudioStream, sound: Waveform) -> None:
    for first in range(0, len(sound.samples), 1024):
        chunk = np.ascontiguousarray(sound.samples[None, first : first + 1024])
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = sound.rate, first, Fraction(1, sound.rate)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))
