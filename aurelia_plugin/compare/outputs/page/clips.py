"""The clips of a page: where they lie, how they look and how they sound.

Files are linked, or copied beside the page under the digest of their content. A strip of pictures
and the outline of the sound are drawn once for each file.
"""

from __future__ import annotations

import io
import os
import shutil
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

import numpy as np
from PIL import Image

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.contents import content_digest
from aurelia_plugin.files.records import Record
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media, MediaKind, Waveform
from aurelia_plugin.media.containers.kinds import media_kind
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.video import uniform_frames

__all__ = ["ClipFiles", "PageClips", "ShownClip"]

ClipFiles = Literal["link", "copy", "none"]

_FRAMES: Final = 6
_HEIGHT: Final = 96
_LONGEST: Final = 170  # of one picture of a strip, so that wide clips stay small
_PEAKS: Final = 240
_RATE: Final = 8_000
_WORKERS: Final = 2  # decoding releases the lock; more than the cores of a small machine is no gain


class ShownClip(Record):
    """One medium as the page shows it.

    Attributes:
        kind: None where that cannot be told.
        src: address from the page, None where the medium is not shown.
        strip: address of a picture with `frames` frames side by side.
        peaks: loudness from 0 to 100 over the medium's length.
        problem: why something is not shown.
    """

    name: str
    kind: MediaKind | None = None
    src: str | None = None
    strip: str | None = None
    frames: int = 0
    peaks: tuple[int, ...] = ()
    seconds: float | None = None
    problem: str | None = None


class _Drawing(NamedTuple):
    strip: str | None
    frames: int
    peaks: tuple[int, ...]
    seconds: float | None


class PageClips:
    """The media of one page.

    Args:
        page: the folder that holds `index.html`.
        mode: link the files, copy them, or show none.
        thumbnails: whether pictures and sounds are drawn.
    """

    def __init__(self, page: Path, mode: ClipFiles, *, thumbnails: bool = True) -> None:
        self._page = page
        self._mode = mode
        self._thumbnails = thumbnails
        self._folder = page / "page" / "media"
        self._shown: dict[str, ShownClip] = {}

    def take(self, names: Iterable[str]) -> None:
        """Prepare media, named as traces name them; each file once.

        Raises:
            OSError: the folder cannot be written to.
        """
        new = [name for name in dict.fromkeys(names) if name not in self._shown]
        with ThreadPoolExecutor(_WORKERS) as pool:
            self._shown.update(zip(new, pool.map(self._show, new), strict=True))

    def __getitem__(self, name: str) -> ShownClip:
        return self._shown[name]

    def _show(self, name: str) -> ShownClip:
        path = Path(name)
        if self._mode == "none":
            return ShownClip(name=path.name, problem="this page was made without media")
        if not path.is_absolute():  # "audio array, 2.0 s at 16000 Hz"
            return ShownClip(name=name, problem="it was in memory, not in a file")
        try:
            kind = media_kind(path)
            digest = content_digest(path)[:20]
        except MediaError as error:
            return ShownClip(name=path.name, problem=error.cause)
        src = self._address(path, digest)
        if not self._thumbnails:
            return ShownClip(name=path.name, kind=kind, src=src)
        try:
            drawn = self._draw(Media.file(kind, path), digest)
        except MediaError as error:
            return ShownClip(name=path.name, kind=kind, src=src, problem=error.cause)
        return ShownClip(name=path.name, kind=kind, src=src, **drawn._asdict())

    def _address(self, path: Path, digest: str) -> str:
        if self._mode == "link":
            try:
                return quote(os.path.relpath(path, self._page).replace(os.sep, "/"))
            except ValueError:  # another drive
                return path.as_uri()
        place = self._folder / f"{digest}{path.suffix.lower()}"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_name(f".part-{uuid.uuid4().hex}")  # twins are copied at once
            shutil.copyfile(path, part)
            part.replace(place)
        return self._relative(place)

    def _relative(self, place: Path) -> str:
        return quote(place.relative_to(self._page).as_posix())

    def _draw(self, medium: Media, digest: str) -> _Drawing:
        strip, frames = None, 0
        if medium.kind != "audio":
            place = self._folder / f"{digest}.jpg"
            pictures = _pictures(medium)
            frames = len(pictures)
            if frames:
                strip = self._relative(place)
                if not place.exists():
                    write_atomically(place, _side_by_side(pictures))
        sound = None if medium.kind == "image" else waveform(medium, _RATE)
        if sound is None:
            return _Drawing(strip, frames, (), None)
        return _Drawing(strip, frames, _peaks(sound), round(sound.seconds, 2))


def _pictures(medium: Media) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    if medium.kind == "image":
        return [picture(medium, longest_side=_LONGEST)]
    return list(uniform_frames(medium, _FRAMES, longest_side=_LONGEST).pixels)


def _side_by_side(
    pictures: Iterable[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]],
) -> bytes:
    images = [Image.fromarray(pixels) for pixels in pictures]
    height = min(_HEIGHT, images[0].height)
    width = max(1, round(images[0].width * height / images[0].height))
    strip = Image.new("RGB", (width * len(images), height))
    for index, image in enumerate(images):
        strip.paste(image.resize((width, height)), (index * width, 0))
    buffer = io.BytesIO()
    strip.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _peaks(sound: Waveform) -> tuple[int, ...]:
    """Return the highest amplitude of each of `_PEAKS` stretches, in percent of full scale."""
    parts = np.array_split(np.abs(sound.samples), min(_PEAKS, max(1, len(sound.samples))))
    return tuple(min(100, round(100 * float(part.max()))) for part in parts)
