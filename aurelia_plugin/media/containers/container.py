"""Opening media containers, choosing their streams and decoding these, with plain errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from loguru import logger

from aurelia_plugin.errors import MediaError

__all__ = [
    "MAX_FRAME_PIXELS",
    "audio_frames",
    "opened",
    "picture_stream",
    "plain_cause",
    "sound_stream",
    "video_frames",
]


MAX_FRAME_PIXELS = 40_000_000
"""Of a video; 8K has 33 million. A few kilobytes can claim to be far larger."""

# Demuxers that take any bytes or text for a picture.
_NOT_MEDIA = frozenset({"tty", "bin", "xbin", "adf", "idf"})


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading.

    Raises:
        MediaError: the file is missing or is not a media container.
    """
    try:
        # Playlists must not make the decoder open other places; bad tags must not stop it.
        container = av.open(
            str(path),
            mode="r",
            metadata_errors="replace",
            options={"protocol_whitelist": "file"},
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(path, f"cannot be opened as media: {plain_cause(error)}") from error
    try:
        if container.format.name in _NOT_MEDIA:
            raise MediaError(path, "cannot be opened as media: text or unknown binary data")
        yield container
    finally:
        container.close()


def plain_cause(error: Exception) -> str:
    """Return the system's or FFmpeg's own words, without numbers and arguments."""
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the video stream to use; cover art is none."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    return _preferred(streams)


def sound_stream(container: InputContainer) -> AudioStream | None:
    """Return the audio stream to use: the one marked as default, else the first."""
    return _preferred(list(container.streams.audio))


_StreamT = TypeVar("_StreamT", bound=Stream)


def _preferred(streams: list[_StreamT]) -> _StreamT | None:
    marked = (stream for stream in streams if stream.disposition & Disposition.default)
    return next(marked, streams[0] if streams else None)


def video_frames(
    path: Path, container: InputContainer, stream: VideoStream
) -> Iterator[VideoFrame]:
    """Decode the pictures from the current position on, in order of presentation.

    Raises:
        MediaError: see `audio_frames`.
    """
    stream.thread_type = "AUTO"
    _require_size(path, stream.codec_context.width, stream.codec_context.height)
    for frame in _decoded(path, container, stream):
        if isinstance(frame, VideoFrame):
            _require_size(path, frame.width, frame.height)  # it may change on the way
            yield frame


def _require_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_FRAME_PIXELS:
        raise MediaError(
            path,
            f"its frames of {width}x{height} are too large",
            f"Scale the video down to {MAX_FRAME_PIXELS // 10**6} megapixels or fewer.",
        )


def audio_frames(
    path: Path, container: InputContainer, stream: AudioStream
) -> Iterator[AudioFrame]:
    """Decode the sound from the current position on.

    A few undecodable packets are skipped with a warning, as players do.

    Raises:
        MediaError: the file breaks off, more than a tenth of the packets cannot be decoded, or
            none can.
    """
    for frame in _decoded(path, container, stream):
        if isinstance(frame, AudioFrame):
            yield frame


def _decoded(
    path: Path, container: InputContainer, stream: VideoStream | AudioStream
) -> Iterator[VideoFrame | AudioFrame]:
    packets = bad = frames = 0
    cause = "it holds no data"
    try:
        for packet in container.demux(stream):
            packets += 1
            try:
                decoded = stream.decode(packet)
            except av.FFmpegError as error:
                if isinstance(error, av.EOFError):
                    break
                bad, cause = bad + 1, plain_cause(error)
                continue
            frames += len(decoded)
            yield from decoded
    except (av.FFmpegError, OSError) as error:
        raise MediaError(path, f"its {stream.type} breaks off: {plain_cause(error)}") from error
    finally:  # a reader may stop early, and is told all the same
        if bad:
            counts = (bad, stream.type, packets)
            logger.warning("{}: skipped {} undecodable {} packets of {}", path, *counts)
    if frames == 0 or bad > max(5, packets // 10):
        raise MediaError(path, f"its {stream.type} cannot be decoded: {cause}")
