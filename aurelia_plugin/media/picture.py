"""Pictures as arrays: still images, scaling, rotation."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.medium import Frames, Media

__all__ = [
    "FrameConverter",
    "RawPicture",
    "clockwise_rotation",
    "fitted_size",
    "picture",
    "rgb_array",
]

RawPicture: TypeAlias = VideoFrame | NDArray[np.uint8]

MAX_PIXELS = 100_000_000

_TOO_LARGE = "Scale the image down to 100 megapixels or fewer."


def fitted_size(width: int, height: int, longest_side: int | None) -> tuple[int, int]:
    """Return (width, height) with the longer side at most `longest_side`; never enlarged.

    Raises:
        ValueError: `longest_side` is below 1.
    """
    if longest_side is not None and longest_side < 1:
        raise ValueError(f"longest_side is {longest_side}; it must be 1 or more")
    longest = max(width, height)
    if longest_side is None or longest <= longest_side:
        return width, height
    scale = longest_side / longest
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shrunk(pixels: NDArray[np.uint8], longest_side: int | None) -> NDArray[np.uint8]:
    """Return the RGB picture [h, w, 3] with its longer side at most `longest_side`, as a copy."""
    height, width = pixels.shape[:2]
    size = fitted_size(width, height, longest_side)
    if size == (width, height):
        return np.array(pixels)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    return np.array(image, dtype=np.uint8)


def rgb_array(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """Return a Pillow image as uint8 [h, w, 3], turned as its EXIF tag says.

    Sixteen-bit greyscale is scaled to eight bits; an alpha channel is dropped.

    Raises:
        MediaError: the image has more than 100 megapixels or its data is damaged.
    """
    if image.width * image.height > MAX_PIXELS:
        raise MediaError(name, f"{image.width}x{image.height} is too large", _TOO_LARGE)
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):
            wide = np.clip(np.asarray(upright, dtype=np.int64) // 257, 0, 255)
            upright = Image.fromarray(wide.astype(np.uint8))
        return np.array(upright.convert("RGB"))
    # Pillow reports damage of the various formats with these; SyntaxError is a broken PNG.
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise MediaError(name, f"the image cannot be decoded: {error}") from error


def picture(media: Media, *, longest_side: int | None = None) -> NDArray[np.uint8]:
    """Return an image as uint8 [h, w, 3] RGB, turned as its EXIF tag says.

    Args:
        media: a medium of kind image.
        longest_side: shrink to this many pixels on the longer side; never enlarges.

    Raises:
        MediaError: the image cannot be read or has more than 100 megapixels.
        ValueError: the medium is not an image.
    """
    if media.kind != "image":
        raise ValueError(f"{media.name} is of kind {media.kind}, not an image")
    pixels = media.data.pixels[0] if isinstance(media.data, Frames) else _read(media)
    pixels = _shrunk(pixels, longest_side)
    return np.zeros_like(pixels) if media.blanked else pixels


_strictness = threading.Lock()


@contextlib.contextmanager
def _whole_images_only() -> Iterator[None]:
    """Make Pillow refuse images that break off, which lmms-eval tells it to fill up with grey."""
    with _strictness:
        lenient = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _read(media: Media) -> NDArray[np.uint8]:
    if media.path is None:
        raise ValueError("an image has a path or Frames")
    try:
        with _whole_images_only(), Image.open(media.path) as image:
            return rgb_array(image, media.name)
    except Image.DecompressionBombError as error:
        raise MediaError(media.name, "the image is too large", _TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise MediaError(media.name, "not an image that Pillow can read") from error
    except OSError as error:
        raise MediaError(media.name, f"cannot be read: {error}") from error


def clockwise_rotation(frame: VideoFrame) -> int:
    """Return how far to turn the stored picture for display: 0, 90, 180 or 270, clockwise."""
    return round(-frame.rotation / 90) % 4 * 90


class FrameConverter:
    """Turns the frames of one video into arrays of one size; not for several threads.

    Scaling comes before the conversion to RGB and keeps the aspect; then the picture is turned
    upright. When the size changes within the video, later frames take the size of the first.
    """

    def __init__(self, longest_side: int | None) -> None:
        self._longest_side = longest_side
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._quarter_turns = 0

    def __call__(self, frame: RawPicture) -> NDArray[np.uint8]:
        """Return the frame as uint8 [h, w, 3] RGB, as displayed."""
        if isinstance(frame, np.ndarray):
            return _shrunk(frame, self._longest_side)
        if self._size is None:
            self._size = fitted_size(frame.width, frame.height, self._longest_side)
            self._quarter_turns = clockwise_rotation(frame) // 90
        width, height = self._size
        scaled = self._reformatter.reformat(
            frame, width, height, format="rgb24", interpolation="BICUBIC"
        )
        # Copied: NumPy takes large pages, and FFmpeg's buffer is free for the next frame.
        return np.array(np.rot90(scaled.to_ndarray(), -self._quarter_turns), dtype=np.uint8)
