"""Where frames come from: a file, decoded as a stream, or arrays in memory, behind one interface.

All times are in seconds from the medium's t = 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from heapq import heappop, heappush
from pathlib import Path

from av.container import InputContainer

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.containers.clocks import PieceClock
from aurelia_plugin.media.containers.container import opened, picture_stream, video_frames
from aurelia_plugin.media.containers.timeline import LONE_FRAME_S, Timeline, Track, read_timeline
from aurelia_plugin.media.containers.webp import animated_webp_timing
from aurelia_plugin.media.frames.animation import AnimationSource
from aurelia_plugin.media.frames.shown import FrameSource, Shown
from aurelia_plugin.media.medium import Frames, Media

__all__ = ["FileSource", "MemorySource", "source_of"]

# Opening a file again costs about as much as decoding a second of video: nearer keys do not pay.
_SEEK_AHEAD_S = 2.0

_REORDERED = 16
"""Frames that may wait for an earlier one: H.264 allows no more."""


def source_of(media: Media) -> FrameSource | None:
    """Return where the frames of a video come from, or None when it has no picture.

    Raises:
        MediaError: the file cannot be read or is truncated.
    """
    if isinstance(media.data, Frames):
        return MemorySource(media.data)
    if media.path is None:
        return None
    timeline = read_timeline(media.path)
    if timeline.picture is None:
        return None
    timing = animated_webp_timing(media.path)
    if timing is not None:
        return AnimationSource(media.path, timing)
    return FileSource(media.path, timeline, timeline.picture)


class MemorySource:
    """Frames in memory. The last one lasts as long as the others do; a lone one, 40 ms."""

    def __init__(self, data: Frames) -> None:
        self._pixels, times = data
        self._times: list[float] = times.tolist()
        self.frames = len(self._times)
        self.first = self._times[0]
        self.transfer = None
        extent = self._times[-1] - self.first
        self.end = self._times[-1] + (extent / (self.frames - 1) if extent else LONE_FRAME_S)

    def at(self, moments: Sequence[float]) -> Iterator[Shown]:
        """See FrameSource."""
        for index in dict.fromkeys(self._index(moment) for moment in moments):
            yield Shown(self._times[index], self._pixels[index])

    def between(self, start: float, end: float) -> Iterator[Shown]:
        """See FrameSource."""
        for index in range(self._index(start), self.frames):
            if self._times[index] >= end:
                return
            yield Shown(self._times[index], self._pixels[index])

    def _index(self, moment: float) -> int:
        return max(0, bisect_right(self._times, moment) - 1)


class FileSource:
    """The picture stream of a file. Decodes from the key frame before what is asked for."""

    def __init__(self, path: Path, timeline: Timeline, track: Track) -> None:
        self._path = path
        self._origin = timeline.origin
        self._pieces = track.pieces
        self._keys = track.keys
        self._key_times = [float(key * track.time_base) - timeline.origin for key in track.keys]
        self.frames = track.packets
        self.transfer = track.transfer
        self.first = track.first - timeline.origin
        self.end = track.end - timeline.origin

    def at(self, moments: Sequence[float]) -> Iterator[Shown]:
        """See FrameSource.

        Raises:
            MediaError: the picture cannot be decoded.
        """
        waiting = list(moments)[::-1]
        last = None
        while waiting:
            shown = None
            with closing(self._decoded(waiting[-1])) as frames:
                for frame in frames:
                    # Before the first decodable frame, that frame is the nearest there is.
                    display = shown or frame
                    if waiting[-1] < frame.time and display is not last:
                        yield display
                        last = display
                    while waiting and waiting[-1] < frame.time:
                        waiting.pop()
                    shown = frame
                    if not waiting or self._worth_a_seek(waiting[-1], frame.time):
                        break
                else:
                    if shown is not None and shown is not last:
                        yield shown
                    return

    def between(self, start: float, end: float) -> Iterator[Shown]:
        """See FrameSource.

        Raises:
            MediaError: the picture cannot be decoded.
        """
        shown = None
        with closing(self._decoded(start)) as frames:
            for frame in frames:
                if shown is not None and frame.time > start:
                    yield shown
                if frame.time >= end:
                    return
                shown = frame
        if shown is not None:
            yield shown

    def _worth_a_seek(self, moment: float, position: float) -> bool:
        key = bisect_right(self._key_times, moment) - 1
        return key >= 0 and self._key_times[key] > position + _SEEK_AHEAD_S

    def _decoded(self, moment: float) -> Generator[Shown, None, None]:
        """Decode from the last key frame up to `moment` on, or from the start when that is near."""
        if self._worth_a_seek(moment, self.first):
            key = self._keys[bisect_right(self._key_times, moment) - 1]
            with opened(self._path) as container:
                frames = self._shown(container, seek_to=key)
                first = next(frames, None)
                if first is not None and first.time <= moment:
                    yield first
                    yield from frames
                    return
            # The container's index is wrong: the seek went too far. Do without seeks from now on.
            self._keys, self._key_times = (), []
        with opened(self._path) as container:
            yield from self._shown(container, seek_to=None)

    def _shown(self, container: InputContainer, seek_to: int | None) -> Iterator[Shown]:
        frames = self._frames(container, seek_to)
        return _in_order(frames) if container.format.name == "avi" else frames

    def _frames(self, container: InputContainer, seek_to: int | None) -> Iterator[Shown]:
        stream = picture_stream(container)
        if stream is None:
            raise MediaError(self._path, "its picture disappeared while it was read")
        if seek_to is not None:
            container.seek(seek_to, stream=stream)
        spacing = (self.end - self.first) / self.frames
        time = self.first - spacing
        clock = PieceClock(self._pieces)
        for frame in video_frames(self._path, container, stream):
            stamp = frame.pts if frame.pts is not None else frame.dts
            if stamp is None or not frame.time_base:
                time += spacing
            else:
                time = clock(float(stamp * frame.time_base)) - self._origin
            yield Shown(time, frame)


def _in_order(frames: Iterator[Shown]) -> Iterator[Shown]:
    """Give the frames, which come in order of presentation, their times in that order, too.

    AVI has no presentation stamps: its frames carry those of other frames where frames depend on
    later ones.
    """
    waiting: deque[Shown] = deque()
    times: list[float] = []
    for frame in frames:
        waiting.append(frame)
        heappush(times, frame.time)
        if len(waiting) > _REORDERED:
            yield Shown(heappop(times), waiting.popleft().raw)
    while waiting:
        yield Shown(heappop(times), waiting.popleft().raw)
