"""Video: what a file holds, and frames sampled from it by presentation time.

Decoding streams through the file and holds only the frames that are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.containers.timeline import read_timeline
from aurelia_plugin.media.frames.conversion import FrameConverter
from aurelia_plugin.media.frames.orientation import UPRIGHT, orientation_of
from aurelia_plugin.media.frames.shown import FrameSource, Shown
from aurelia_plugin.media.frames.similarity import SampledPicture, is_below
from aurelia_plugin.media.frames.sources import source_of
from aurelia_plugin.media.isolation.isolated import isolated
from aurelia_plugin.media.isolation.wire import passes
from aurelia_plugin.media.medium import Frames, Media, Waveform
from aurelia_plugin.media.picture import picture

__all__ = ["VideoInfo", "keyframe_times", "keyframes", "picture", "probe", "uniform_frames"]


@passes
class VideoInfo(NamedTuple):
    """What a medium holds.

    `seconds` is the length of the picture (of the sound, where there is no picture), within the
    span. `width` and `height` are as displayed, after `rotation`: how far the stored picture is
    turned clockwise (0, 90, 180, 270), and then `mirrored` (left and right exchanged) or not.
    Pixels count as square. `frame_rate` is the average in Hz. Without a picture these are 0.
    """

    seconds: float
    width: int
    height: int
    frame_rate: float
    rotation: int
    has_picture: bool
    has_sound: bool
    mirrored: bool = False


@isolated
def probe(media: Media) -> VideoInfo:
    """Describe a video, or the sound of a file without a picture.

    Raises:
        MediaError: the file cannot be read, is truncated, or ends before the span.
        ValueError: the medium is an image.
    """
    if media.kind == "image":
        raise ValueError(f"{media.name} is an image, not a video")
    source = source_of(media)
    if source is None:
        start, end = _window(media, 0.0, _sound_seconds(media))
        return VideoInfo(end - start, 0, 0, 0.0, 0, False, end > start)
    start, end = _window(media, source.first, source.end)
    frame_rate = source.frames / (source.end - source.first)
    raw = next(iter(source.at([start]))).raw
    orientation = orientation_of(raw) if isinstance(raw, VideoFrame) else UPRIGHT
    rotation, mirrored = orientation
    sides = (raw.width, raw.height) if isinstance(raw, VideoFrame) else raw.shape[1::-1]
    width, height = sides[::-1] if rotation % 180 else sides
    has_sound = media.sound is not None if media.path is None else _sound_seconds(media) > 0
    return VideoInfo(end - start, width, height, frame_rate, rotation, True, has_sound, mirrored)


@isolated
def uniform_frames(media: Media, count: int, *, longest_side: int | None = None) -> Frames:
    """Return the frames on display at the centres of `count` equal segments of the video.

    Frames are chosen by presentation time, so a variable frame rate is sampled rightly. No frame
    comes twice: fewer than `count` come back when fewer are on display at the centres.

    Args:
        media: a medium of kind video.
        count: number of segments, 1 or more.
        longest_side: shrink to this many pixels on the longer side; never enlarges.

    Raises:
        MediaError: the file cannot be read, is truncated, has no picture, or ends before the span.
        ValueError: `count` or `longest_side` is below 1, or the medium is not a video.
    """
    if count < 1:
        raise ValueError(f"count is {count}; it must be 1 or more")
    source = _picture_source(media)
    start, end = _window(media, source.first, source.end)
    centres = start + (np.arange(count) + 0.5) * ((end - start) / count)
    return _collected(media, source.at(centres.tolist()), source.transfer, longest_side)


@isolated
def keyframes(
    media: Media, *, ssim_below: float = 0.6, limit: int = 5, longest_side: int | None = None
) -> Frames:
    """Return the frames that differ from the one before, as the official AURELIA pipeline does.

    A frame is kept when its SSIM to the previous frame, averaged over the colour channels, is below
    `ssim_below`; the first `limit` of them are returned in time order. When none is kept, the first
    frame is returned, so that a static video still has a picture. SSIM is that of the frames at
    full size, told from a sample of their windows (see `similarity`) in one pass over the file.

    Args:
        media: a medium of kind video.
        ssim_below: threshold, -1..1.
        limit: the most frames to return, 1 or more.
        longest_side: shrink to this many pixels on the longer side; never enlarges.

    Raises:
        MediaError: the file cannot be read, is truncated, has no picture, or ends before the span.
        ValueError: `limit` or `longest_side` is below 1, or the medium is not a video.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}; it must be 1 or more")
    source = _picture_source(media)
    start, end = _window(media, source.first, source.end)
    changed = _changed(source.between(start, end), ssim_below)
    return _collected(media, changed, source.transfer, longest_side, limit)


@isolated
def keyframe_times(media: Media, *, ssim_below: float = 0.6) -> NDArray[np.float64]:
    """Return the times of all the frames that `keyframes` would return without a limit.

    No picture is made or kept: the cost is little more than that of decoding, however many frames
    there are.

    Returns:
        float64 [n], in seconds from the start of the medium (of its span).

    Raises:
        MediaError: the file cannot be read, is truncated, has no picture, or ends before the span.
        ValueError: the medium is not a video.
    """
    source = _picture_source(media)
    start, end = _window(media, source.first, source.end)
    changed = _changed(source.between(start, end), ssim_below)
    return np.array([_time(frame, media) for frame in changed], dtype=np.float64)


def _time(frame: Shown, media: Media) -> float:
    """Return the frame's time within the span; one on display when it begins has begun before."""
    return max(0.0, frame.time - (media.start or 0.0))


def _changed(frames: Iterable[Shown], ssim_below: float) -> Iterator[Shown]:
    """Yield the frames unlike the one before; the first frame when there is none."""
    first, previous, found = None, None, False
    for frame in frames:
        sampled = SampledPicture(frame.raw, previous.windows if previous else None)
        if previous is None:
            first = frame
        elif is_below(previous, sampled, ssim_below):
            found = True
            yield frame
        previous = sampled
    if first is not None and not found:
        yield first


def _collected(
    media: Media,
    frames: Iterator[Shown],
    transfer: int | None,
    longest_side: int | None,
    limit: int | None = None,
) -> Frames:
    """Convert the frames, at most `limit`, to arrays; apply the blanking and the span's zero."""
    convert = FrameConverter(longest_side, transfer)
    pixels: list[NDArray[np.uint8]] = []
    times: list[float] = []
    for frame in frames:
        pixels.append(convert(frame.raw))
        times.append(_time(frame, media))
        if len(pixels) == limit:
            break
    stacked = np.stack(pixels)
    return Frames(
        np.zeros_like(stacked) if media.blanked else stacked, np.array(times, dtype=np.float64)
    )


def _picture_source(media: Media) -> FrameSource:
    if media.kind != "video":
        raise ValueError(f"{media.name} is of kind {media.kind}, not a video")
    source = source_of(media)
    if source is None:
        raise MediaError(
            media.name, "has no picture, only sound", "Give it as audio, or name the video file."
        )
    return source


def _window(media: Media, first: float, end: float) -> tuple[float, float]:
    """Return the stretch of first..end that lies in the medium's span."""
    low = max(first, media.start or 0.0)
    high = end if media.end is None else min(end, media.end)
    if low >= high and (media.start is not None or media.end is not None):
        raise MediaError(
            media.name,
            f"nothing lies in the span {media.start} s to {media.end} s: "
            f"it lasts from {first:.1f} s to {end:.1f} s",
            "Give a span that lies within the medium.",
        )
    return low, high


def _sound_seconds(media: Media) -> float:
    if isinstance(media.data, Waveform):
        return media.data.seconds
    if media.path is None:
        return 0.0
    timeline = read_timeline(media.path)
    return 0.0 if timeline.sound is None else timeline.sound.end - timeline.origin
