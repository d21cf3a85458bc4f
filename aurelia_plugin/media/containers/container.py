"""Opening media containers, choosing their streams and decoding these, with plain errors."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from loguru import logger

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.containers.formats import format_whitelist, require_self_contained
from aurelia_plugin.media.isolation.progress import tick

__all__ = [
    "MAX_FRAME_PIXELS",
    "audio_frames",
    "opened",
    "packets",
    "picture_stream",
    "plain_cause",
    "sound_stream",
    "video_frames",
]


MAX_FRAME_PIXELS = 40_000_000
"""Of a video; 8K has 33 million. A few kilobytes can claim to be far larger."""

# FFmpeg takes these in a file's name for a pattern of numbered pictures.
_PATTERN = re.compile(r"[%*?\[{]")


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a media file for reading.

    Nothing but the file is read: what names other files is refused by its content, and FFmpeg may
    use neither other protocols nor the demuxers that open other files.

    Raises:
        MediaError: the file is missing, is not a media container, or names other files.
    """
    try:
        require_self_contained(path)
        container = _open(path)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(path, f"cannot be opened as media: {plain_cause(error)}") from error
    try:
        yield container
    finally:
        container.close()


class _Nameless:
    """A file without its name, which would mean something to FFmpeg."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


def _open(path: Path) -> InputContainer:
    # As options of the container alone: PyAV below 17.1 crashes on options of streams where the
    # streams turn up while the file is looked at. Bad tags must not stop the decoder.
    whitelists = {"protocol_whitelist": "file", "format_whitelist": format_whitelist()}
    name: str | _Nameless = str(path)
    if _PATTERN.search(str(path)):
        # Kept open by the container, which holds the methods.
        name = _Nameless(path.open("rb"))
    return av.open(name, mode="r", metadata_errors="replace", container_options=whitelists)


def plain_cause(error: Exception) -> str:
    """Return the system's or FFmpeg's own words, without numbers and arguments."""
    if getattr(error, "errno", None) == errno.EINVAL:
        return "its content is in no format that is read here"  # not among the demuxers allowed
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the video stream to use; cover art is none.

    An animated AVIF holds its first picture as a stream of its own: one that moves goes before it.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    moving = [stream for stream in streams if stream.frames > 1]
    still = [stream for stream in streams if stream.frames == 1]
    return _preferred(moving if still and moving else streams)


def sound_stream(container: InputContainer) -> AudioStream | None:
    """Return the audio stream to use: the one marked as default, else the first."""
    return _preferred(list(container.streams.audio))


_StreamT = TypeVar("_StreamT", bound=Stream)


def _preferred(streams: list[_StreamT]) -> _StreamT | None:
    marked = (stream for stream in streams if stream.disposition & Disposition.default)
    return next(marked, streams[0] if streams else None)


def packets(container: InputContainer, *streams: Stream) -> Iterator[Packet]:
    """Yield the packets of the streams (of all, without any) from the current position on.

    Streams that turn up behind the head of the file are left out; so are the empty packets with
    which PyAV ends.
    """
    try:
        for packet in container.demux(*streams):
            tick()
            if packet.size or packet.dts is not None:
                yield packet
    except IndexError:  # PyAV's, at the end, where streams turned up on the way
        return


def video_frames(
    path: Path, container: InputContainer, stream: VideoStream
) -> Iterator[VideoFrame]:
    """Decode the pictures from the current position on, in order of presentation.

    Raises:
        MediaError: see `audio_frames`.
    """
    stream.thread_type = "AUTO"
    _require_size(path, stream.codec_context.width, stream.codec_context.height)
    for frame in _decoded(path, container, stream, stream.codec_context.decode):
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
    return _decoded(path, container, stream, stream.codec_context.decode)


_FrameT = TypeVar("_FrameT", AudioFrame, VideoFrame)


def _decoded(
    path: Path,
    container: InputContainer,
    stream: VideoStream | AudioStream,
    decode: Callable[[Packet], list[_FrameT]],
) -> Iterator[_FrameT]:
    read = bad = frames = 0
    cause = "it holds no data"
    try:
        for packet in _ended(packets(container, stream), stream):
            read += packet.size > 0
            try:
                decoded = decode(packet)
            except (av.FFmpegError, ValueError) as error:
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
            counts = (bad, stream.type, read)
            logger.warning("{}: skipped {} undecodable {} packets of {}", path, *counts)
    if frames == 0 or bad > max(5, read // 10):
        raise MediaError(path, f"its {stream.type} cannot be decoded: {cause}")


def _ended(found: Iterator[Packet], stream: Stream) -> Iterator[Packet]:
    """Yield the packets that hold something, then the empty one that ends decoding."""
    for packet in found:
        if packet.size:
            yield packet
    end = Packet()
    if stream.time_base is not None:
        end.time_base = stream.time_base
    yield end
