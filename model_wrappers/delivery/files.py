"""Files for wrappers that take nothing but paths."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from aurelia_plugin.files.contents import write_media
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.rendering import render

__all__ = ["image_file", "video_path"]


def image_file(medium: Media) -> Path:
    """Return a file with the image: its own, or a PNG made once and kept.

    Raises:
        MediaError: if it cannot be read.
    """
    if medium.path is not None and not medium.blanked:
        return medium.path
    path = cache_dir() / "files" / f"{medium.digest}.png"
    if not path.is_file():
        buffer = io.BytesIO()
        Image.fromarray(picture(medium)).save(buffer, "PNG")
        write_media(path, buffer.getvalue())
    return path


def video_path(medium: Media, *, with_sound: bool, suffixes: Sequence[str] = ()) -> Path:
    """Return a file with the video: its own where that is what is meant, or an MP4 made once.

    A span, black frames, another sound and arrays have to be written to a file of their own.

    Args:
        medium: a medium of kind video.
        with_sound: whether the file's soundtrack has to be the medium's, too.
        suffixes: endings of files that are taken as they are, with the dot; empty: any.

    Raises:
        MediaError: if it cannot be read or encoded.
    """
    cut = medium.start is not None or medium.end is not None
    other_sound = with_sound and (medium.silenced or medium.sound is not None)
    is_taken = medium.path is not None and (not suffixes or medium.path.suffix in suffixes)
    if medium.path is not None and is_taken and not (cut or medium.blanked or other_sound):
        return medium.path
    path = cache_dir() / "files" / f"{medium.digest}.mp4"
    if not path.is_file():
        content = render(medium).content
        write_media(path, content if isinstance(content, bytes) else content.read_bytes())
    return path
