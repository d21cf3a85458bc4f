"""Still images as arrays."""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from av.video.frame import VideoFrame
from loguru import logger
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.frames.bit_depth import eight_bit
from aurelia_plugin.media.isolation.isolated import isolated
from aurelia_plugin.media.medium import Frames, Media

__all__ = [
    "TOO_LARGE_FIX",
    "RawPicture",
    "fitted_size",
    "open_image",
    "picture",
    "rgb_array",
    "shrunk",
]

RawPicture: TypeAlias = VideoFrame | NDArray[np.uint8]

MAX_PIXELS = 100_000_000

# PostScript is run by Ghostscript; the others are stubs for decoders that are registered elsewhere.
_NOT_DECODED = frozenset({"EPS", "WMF", "BUFR", "GRIB", "HDF5"})


TOO_LARGE_FIX = "Scale the image down to 100 megapixels or fewer."


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


def shrunk(pixels: NDArray[np.uint8], longest_side: int | None) -> NDArray[np.uint8]:
    """Return the RGB picture [h, w, 3] with its longer side at most `longest_side`, as a copy."""
    height, width = pixels.shape[:2]
    size = fitted_size(width, height, longest_side)
    if size == (width, height):
        return np.array(pixels)
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    return np.array(image, dtype=np.uint8)


def rgb_array(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """Return a Pillow image as uint8 [h, w, 3], turned as its EXIF tag says.

    Greyscale of more than eight bits is scaled to eight (see `eight_bit`); an alpha channel is
    dropped.

    Raises:
        MediaError: the image has more than 100 megapixels or its data is damaged.
    """
    if image.width * image.height > MAX_PIXELS:
        raise MediaError(name, f"{image.width}x{image.height} is too large", TOO_LARGE_FIX)
    try:
        image.load()
        upright = _upright(image, name)
        if upright.mode.startswith(("I", "F")):
            upright = Image.fromarray(eight_bit(upright, image.format))
        return np.array(upright.convert("RGB"))
    # Pillow reports damage of the various formats with these; SyntaxError is a broken PNG.
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise MediaError(name, f"the image cannot be decoded: {error}") from error


def _upright(image: Image.Image, name: str) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # noqa: BLE001  # Pillow's EXIF reader raises whatever damage causes
        logger.warning(
            "{}: its EXIF data cannot be read, the picture is not turned: {}", name, error
        )
        return image


@isolated
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
    pixels = shrunk(pixels, longest_side)
    return np.zeros_like(pixels) if media.blanked else pixels


@cache
def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in _NOT_DECODED]


def open_image(path: Path) -> Image.Image:
    """Open an image with Pillow; to be closed by the caller.

    Raises:
        MediaError: it is no image, too large, or a program (PostScript) or a stub that Pillow
            hands to other programs.
    """
    try:
        return Image.open(path, formats=_formats())
    except Image.DecompressionBombError as error:
        raise MediaError(path, "the image is too large", TOO_LARGE_FIX) from error
    except UnidentifiedImageError as error:
        raise MediaError(path, "not an image that Pillow can read") from error
    # Pillow reports damage of the various formats with these; SyntaxError is a broken PNG.
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise MediaError(path, f"cannot be read: {error}") from error


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
        with _whole_images_only(), open_image(media.path) as image:
            return rgb_array(image, media.name)
    except OSError as error:
        raise MediaError(media.name, f"cannot be read: {error}") from error
