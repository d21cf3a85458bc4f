"""The timeline of a media file: where its streams begin and end, read without decoding.

All times are in seconds on the clock of the whole file (see `clocks`).
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import FileMemory
from aurelia_plugin.media.containers.clocks import BACK_S, FORTH_S, Piece, aligned
from aurelia_plugin.media.containers.container import (
    opened,
    packets,
    picture_stream,
    plain_cause,
    sound_stream,
)
from aurelia_plugin.media.containers.truncation import require_complete
from aurelia_plugin.media.containers.webp import animated_webp_timing
from aurelia_plugin.media.isolation.isolated import isolated
from aurelia_plugin.media.isolation.wire import passes

__all__ = ["LONE_FRAME_S", "START_TOLERANCE_S", "Timeline", "Track", "read_timeline"]

# Below this, a difference between the starts of sound and picture is encoder priming.
START_TOLERANCE_S = 0.05

# How long a frame is on display when nothing tells: one frame at FFmpeg's default of 25 Hz.
LONE_FRAME_S = 0.04

# Streams that are sent, in which time may leap forth where the sender begins anew.
_MAY_BEGIN_ANEW = frozenset({"mpegts", "mpeg", "ogg"})


@passes
class Track(NamedTuple):
    """The extent of a stream: `first` and `end` in seconds, and where decoding can begin.

    `keys` are the time stamps of its key frames, ascending, in units of `time_base` seconds; there
    are none where the time stamps begin anew on the way. `pieces` are its stretches on one clock;
    `transfer` is FFmpeg's number of the picture's transfer characteristics.
    """

    first: float
    end: float
    packets: int
    keys: tuple[int, ...]
    time_base: Fraction
    pieces: tuple[Piece, ...]
    transfer: int | None = None


@passes
class Timeline(NamedTuple):
    """The timeline of a file: `origin` is its t = 0, shared by picture and sound."""

    origin: float
    picture: Track | None
    sound: Track | None


class _Stretch:
    """The running extent of what was read of one stream on one clock."""

    def __init__(self, time: float, position: int) -> None:
        self.first = self.last = time
        self.end = 0.0
        self.packets = 0
        self.position = position

    def add(self, time: float, seconds: float) -> None:
        self.first = min(self.first, time)
        self.last = max(self.last, time)
        self.end = max(self.end, time + seconds)
        self.packets += 1

    def piece(self) -> Piece:
        # The last packet's duration may be missing: then it lasts as long as the others do.
        spacing = (self.last - self.first) / max(1, self.packets - 1) or LONE_FRAME_S
        end = self.end if self.end > self.last else self.last + spacing
        return Piece(self.first, end, self.position)


class _Extent:
    """The running extent of one stream while its packets are read."""

    def __init__(self, stream: Stream, may_begin_anew: bool) -> None:
        self._stream = stream
        self._may_begin_anew = may_begin_anew
        self._decoded_at: float | None = None
        self._unstamped = 0
        self.stretches: list[_Stretch] = []
        self.corrupt = False
        self.keys: list[int] = []
        self.time_base = Fraction(1)

    @property
    def packets(self) -> int:
        return sum(stretch.packets for stretch in self.stretches)

    @property
    def end(self) -> float:
        return max((stretch.end for stretch in self.stretches), default=0.0)

    def add(self, packet: Packet) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if packet.is_discard:
            return
        if stamp is None:
            self._unstamped += packet.size > 0
            return
        self.time_base = packet.time_base
        # The same numbers as with fractions, which took a tenth of all that decoding a clip takes.
        ticks, tick = packet.time_base.denominator, packet.time_base.numerator
        time = stamp * tick / ticks
        seconds = (packet.duration or 0) * tick / ticks
        decoded_at = time if packet.dts is None else packet.dts * tick / ticks
        if self._begins_anew(decoded_at):
            self.stretches.append(_Stretch(time, packet.pos or 0))
        self._decoded_at = decoded_at + seconds
        self.stretches[-1].add(time, seconds)
        self.corrupt |= packet.is_corrupt
        if packet.is_keyframe and self._stream.type == "video":
            self.keys.append(stamp)

    def _begins_anew(self, decoded_at: float) -> bool:
        if self._decoded_at is None:
            return True
        step = decoded_at - self._decoded_at
        return step < -BACK_S or (self._may_begin_anew and step > FORTH_S)

    def pieces(self) -> list[Piece]:
        if not self.stretches and self._unstamped:
            return [Piece(0.0, self._unstamped * _spacing(self._stream), 0)]
        return [stretch.piece() for stretch in self.stretches]

    def track(self, pieces: tuple[Piece, ...]) -> Track | None:
        if not pieces:
            return None
        keys = tuple(sorted(self.keys)) if len(pieces) == 1 else ()
        first = min(piece.first + piece.offset for piece in pieces)
        end = max(piece.end + piece.offset for piece in pieces)
        count = self.packets or self._unstamped
        transfer = None
        if isinstance(self._stream, VideoStream):
            transfer = self._stream.codec_context.color_trc
        return Track(first, end, count, keys, self.time_base, pieces, transfer)


def _spacing(stream: Stream) -> float:
    """Return how long a frame lasts in a stream without time stamps, in seconds."""
    rate = None
    if isinstance(stream, VideoStream):
        rate = stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate else LONE_FRAME_S


def read_timeline(path: Path) -> Timeline:
    """Read the timeline of a file without decoding it; remembered while the file is unchanged.

    t = 0 is the start of the picture or of the sound, whichever is earlier; differences below
    50 ms are encoder priming and count as none.

    Raises:
        MediaError: the file cannot be read, or ends before the length that its header states.
    """
    return _timelines.get(path, _read)


_timelines: FileMemory[Timeline] = FileMemory(limit=256)


@isolated
def _read(path: Path) -> Timeline:
    timing = animated_webp_timing(path)
    if timing is not None:
        piece = Piece(0.0, sum(timing), 0)
        track = Track(0.0, piece.end, len(timing), (), Fraction(1, 1000), (piece,))
        return Timeline(0.0, track, None)
    with opened(path) as container:
        extents = _extents(path, container)
        require_complete(path, container, extents)
        chosen = [
            extents[stream.index]
            for stream in (picture_stream(container), sound_stream(container))
            if stream is not None
        ]
        pieces = aligned(*(extent.pieces() for extent in chosen))
        tracks = {id(e): e.track(p) for e, p in zip(chosen, pieces, strict=True)}
        picture, sound = (
            None if stream is None else tracks[id(extents[stream.index])]
            for stream in (picture_stream(container), sound_stream(container))
        )
    return Timeline(_origin(picture, sound), picture, sound)


def _extents(path: Path, container: InputContainer) -> dict[int, _Extent]:
    may_begin_anew = container.format.name in _MAY_BEGIN_ANEW
    extents = {stream.index: _Extent(stream, may_begin_anew) for stream in container.streams}
    try:
        for packet in packets(container):
            extents[packet.stream_index].add(packet)
    except (av.FFmpegError, OSError) as error:
        reached = max((extent.end for extent in extents.values()), default=0.0)
        raise MediaError(path, f"is damaged after {reached:.1f} s: {plain_cause(error)}") from error
    return extents


def _origin(picture: Track | None, sound: Track | None) -> float:
    if picture is None or sound is None:
        either = picture or sound
        return either.first if either is not None else 0.0
    if abs(sound.first - picture.first) < START_TOLERANCE_S:
        return picture.first
    return min(picture.first, sound.first)
