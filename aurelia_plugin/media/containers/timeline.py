"""The timeline of a media file: where its streams begin and end, read without decoding.

All times are in seconds on the container's own clock.
"""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import FileMemory
from aurelia_plugin.media.containers.container import (
    opened,
    picture_stream,
    plain_cause,
    sound_stream,
)

__all__ = ["LONE_FRAME_S", "START_TOLERANCE_S", "Survey", "Track", "survey"]

# Below this, a difference between the starts of sound and picture is encoder priming.
START_TOLERANCE_S = 0.05

# How long a frame is on display when nothing tells: one frame at FFmpeg's default of 25 Hz.
LONE_FRAME_S = 0.04

# Containers whose header states one length for all streams together.
_STATED_LENGTH = frozenset({"matroska", "flac"})

# Writers to a pipe cannot know the length of a WAV file and leave a huge placeholder.
_WAV_PLACEHOLDER_BYTES = 0x7FFF0000


class Track(NamedTuple):
    """The extent of a stream: `first` and `end` in seconds, and where decoding can begin.

    `keys` are the time stamps of its key frames, ascending, in units of `time_base` seconds.
    """

    first: float
    end: float
    packets: int
    keys: tuple[int, ...]
    time_base: Fraction


class Survey(NamedTuple):
    """The timeline of a file: `origin` is its t = 0, shared by picture and sound."""

    origin: float
    picture: Track | None
    sound: Track | None


class _Extent:
    """The running extent of one stream while its packets are read."""

    def __init__(self) -> None:
        self.first = self.last = self.end = 0.0
        self.packets = 0
        self.corrupt = False
        self.keys: list[int] = []
        self.time_base = Fraction(1)

    def add(self, packet: Packet) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.is_discard:
            return
        self.time_base = packet.time_base
        time = float(stamp * packet.time_base)
        self.first = min(self.first, time) if self.packets else time
        self.last = max(self.last, time) if self.packets else time
        self.end = max(self.end, time + float((packet.duration or 0) * packet.time_base))
        self.packets += 1
        self.corrupt |= packet.is_corrupt
        if packet.is_keyframe and packet.stream.type == "video":
            self.keys.append(stamp)

    def track(self) -> Track | None:
        if not self.packets:
            return None
        # The last packet's duration may be missing: then it lasts as long as the others do.
        spacing = (self.last - self.first) / max(1, self.packets - 1) or LONE_FRAME_S
        end = self.end if self.end > self.last else self.last + spacing
        return Track(self.first, end, self.packets, tuple(sorted(self.keys)), self.time_base)


def survey(path: Path) -> Survey:
    """Read the timeline of a file without decoding it; remembered while the file is unchanged.

    t = 0 is the start of the picture or of the sound, whichever is earlier; differences below
    50 ms are encoder priming and count as none.

    Raises:
        MediaError: the file cannot be read, or ends before the length that its header states.
    """
    return _surveys.get(path, _survey)


_surveys: FileMemory[Survey] = FileMemory(limit=256)


def _survey(path: Path) -> Survey:
    with opened(path) as container:
        extents = {stream.index: _Extent() for stream in container.streams}
        try:
            for packet in container.demux():
                extents[packet.stream_index].add(packet)
        except (av.FFmpegError, OSError) as error:
            reached = max((extent.end for extent in extents.values()), default=0.0)
            raise MediaError(
                path, f"is damaged after {reached:.1f} s: {plain_cause(error)}"
            ) from error
        _require_complete(path, container, extents)
        picture, sound = (
            extents[stream.index].track() if stream is not None else None
            for stream in (picture_stream(container), sound_stream(container))
        )
    return Survey(_origin(picture, sound), picture, sound)


def _origin(picture: Track | None, sound: Track | None) -> float:
    if picture is None or sound is None:
        either = picture or sound
        return either.first if either is not None else 0.0
    if abs(sound.first - picture.first) < START_TOLERANCE_S:
        return picture.first
    return min(picture.first, sound.first)


def _require_complete(path: Path, container: InputContainer, extents: dict[int, _Extent]) -> None:
    """Compare what is there with what the header states, where the header states it.

    MPEG-TS, Ogg, MP3 and ADTS state no length of their own, so a cut there is not noticed.
    """
    reached = max((extent.end for extent in extents.values() if extent.packets), default=0.0)
    for stream in container.streams:
        extent, stated = extents[stream.index], _stated_seconds(container, stream)
        if stated is not None and not stream.disposition & Disposition.attached_pic:
            _compare(path, extent.end, stated, extent.corrupt)
    if container.format.name.split(",")[0] in _STATED_LENGTH and container.duration is not None:
        corrupt = any(extent.corrupt for extent in extents.values())
        begin = (container.start_time or 0) / av.time_base
        _compare(path, reached - begin, container.duration / av.time_base, corrupt)
    if container.format.name == "wav":
        stated = _stated_wav_seconds(path)
        if stated is not None:
            _compare(path, reached, stated, corrupt=True)


def _stated_seconds(container: InputContainer, stream: Stream) -> float | None:
    """Return the length that the header states for this stream alone, if it states one."""
    family = container.format.name.split(",")[0]
    if stream.type not in ("video", "audio"):
        return None
    if family == "mov" and stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    if family == "avi" and stream.type == "video" and stream.frames and stream.average_rate:
        return float(stream.frames / stream.average_rate)
    return None


def _stated_wav_seconds(path: Path) -> float | None:
    try:
        with wave.open(str(path), "rb") as file:
            size = file.getnframes() * file.getnchannels() * file.getsampwidth()
            return (
                None if size >= _WAV_PLACEHOLDER_BYTES else file.getnframes() / file.getframerate()
            )
    except (wave.Error, EOFError, ZeroDivisionError):
        return None  # not plain PCM: no statement


def _compare(path: Path, reached: float, stated: float, corrupt: bool) -> None:
    # Headers round, and a held last frame may lack a duration; a half packet is proof of a cut.
    allowed = 0.1 if corrupt else max(0.5, 0.05 * stated)
    if stated - reached > allowed:
        raise MediaError(
            path,
            f"the file is truncated: it ends at {reached:.1f} s of {stated:.1f} s",
            "Fetch the file again.",
        )
