"""What a file really is, told by its content: names and labels are often wrong."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import FileMemory, require_content
from aurelia_plugin.media.containers.container import (
    audio_frames,
    opened,
    packets,
    picture_stream,
    sound_stream,
)
from aurelia_plugin.media.containers.webp import animated_webp_timing
from aurelia_plugin.media.isolation.isolated import isolated
from aurelia_plugin.media.medium import MediaKind
from aurelia_plugin.media.picture import TOO_LARGE_FIX, open_image

__all__ = ["media_kind"]

_kinds: FileMemory[MediaKind] = FileMemory()


def media_kind(path: Path) -> MediaKind:
    """Return what a file holds, remembered while the file is unchanged.

    A moving picture, or one with a duration, makes a video; sound without one makes audio, cover
    art or not; anything else that Pillow reads is an image.

    Raises:
        MediaError: the file is missing, empty, or none of these.
    """
    require_content(path)
    return _kinds.get(path, _media_kind)


@isolated
def _media_kind(path: Path) -> MediaKind:
    failure: MediaError | None = None
    if animated_webp_timing(path) is not None:
        return "video"
    try:
        with opened(path) as container:
            stream = picture_stream(container)
            if stream is not None and _moves(container, stream):
                return "video"
            sound = sound_stream(container)
            if sound is not None:
                # Some demuxers take nearly any bytes for sound: only decoding tells.
                next(audio_frames(path, container, sound))
                return "audio"
    except MediaError as error:
        failure = error
    try:
        open_image(path).close()
    except MediaError as error:
        if error.fix == TOO_LARGE_FIX:
            return "image"  # `picture` says that it is too large
        raise (failure or error) from None
    return "image"


def _moves(container: InputContainer, stream: VideoStream) -> bool:
    """Return whether the picture has more than one frame or lasts."""
    name = container.format.name
    # Still images come from demuxers of their own; multi-picture JPEG is a still image too.
    if name.endswith("_pipe") or name == "image2":
        return False
    frames = 0
    try:
        for packet in packets(container, stream):
            frames += packet.size > 0
            if frames > 1:
                return True
    except (av.FFmpegError, OSError):
        return frames > 0
    lasts = container.duration is not None or sound_stream(container) is not None
    return frames == 1 and lasts and name not in ("gif", "apng")
