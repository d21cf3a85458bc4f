"""A video file without its soundtrack, its pictures untouched."""

from __future__ import annotations

import io
from pathlib import Path

import av
from av.video.stream import VideoStream

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import write_media
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.media.containers.container import opened, picture_stream, plain_cause
from aurelia_plugin.media.isolation.isolated import isolated
from aurelia_plugin.media.medium import Media

__all__ = ["without_soundtrack"]

_CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "webm", ".mkv": "matroska"}
"""Containers that are kept; what comes in another one is put into Matroska, which takes all."""


def without_soundtrack(path: Path) -> Path:
    """Return the file itself if it has no sound, else a copy without, made once and kept.

    The packets of the picture are copied as they are: nothing is encoded anew.

    Raises:
        MediaError: the file cannot be read, has no picture, or cannot be copied.
    """
    with opened(path) as container:
        if not container.streams.audio:
            return path
    suffix = path.suffix.lower() if path.suffix.lower() in _CONTAINERS else ".mkv"
    target = cache_dir() / "files" / f"{Media.file('video', path).digest}-mute{suffix}"
    if not target.is_file():
        write_media(target, _copied(path, _CONTAINERS[suffix]))
    return target


def _step(pictures: VideoStream) -> int:
    """Return how long one picture lasts, in the stream's own units."""
    if not pictures.average_rate or not pictures.time_base:
        return 1
    return max(1, round(1 / (pictures.average_rate * pictures.time_base)))


@isolated
def _copied(path: Path, form: str) -> bytes:
    buffer = io.BytesIO()
    with opened(path) as source:
        pictures = picture_stream(source)
        if pictures is None:
            raise MediaError(path, "has no picture", "Name a video.")
        try:
            with av.open(buffer, "w", format=form) as target:
                stream = target.add_stream_from_template(pictures)
                step = _step(pictures)
                for packet in source.demux(pictures):
                    if not packet.size:  # the packet that ends the stream
                        continue
                    # Without a duration MP4 cuts the last picture off.
                    packet.duration = packet.duration or step
                    packet.stream = stream
                    target.mux(packet)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(
                path,
                f"cannot be copied without its soundtrack: {plain_cause(error)}",
                "Remove the soundtrack from the file (ffmpeg -i IN -an -c copy OUT).",
            ) from error
    return buffer.getvalue()
