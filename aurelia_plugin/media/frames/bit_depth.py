"""Greyscale pictures of 16-bit and 32-bit integers and of floats in eight bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

__all__ = ["eight_bit"]

# Formats whose greyscale of more than eight bits has sixteen, however Pillow holds it.
_SIXTEEN_BIT = frozenset({"PNG", "PPM", "JPEG2000"})

_SAMPLE_FORMAT = 339  # a TIFF tag: 1 for integers without sign, which is the default

_RANGES = (255.0, 65535.0, 2.0**31 - 1, 2.0**32 - 1)


def eight_bit(image: Image.Image, form: str | None) -> NDArray[np.uint8]:
    """Return a greyscale Pillow image (modes I, I;16, F) as uint8 [h, w].

    Sixteen bits are scaled by their range. Integers of 32 bits and floats state no range: theirs is
    the smallest of 0..1 (floats only), 0..255, 0..65535, 0..2^31-1 and 0..2^32-1 that holds them;
    what is negative or no number is black.

    Args:
        image: the picture.
        form: Pillow's name of the file's format.
    """
    if image.mode == "F":
        floats = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
        return _scaled(floats, (1.0, *_RANGES))
    if image.mode.startswith("I;16") or form in _SIXTEEN_BIT:
        wide = np.asarray(image, dtype=np.int64)
        return np.clip(wide // 257, 0, 255).astype(np.uint8)
    values = np.asarray(image, dtype=np.int64)
    if _is_unsigned(image):
        values = values % 2**32
    return _scaled(values.astype(np.float64), _RANGES)


def _is_unsigned(image: Image.Image) -> bool:
    """Whether a TIFF's integers have no sign, which Pillow reads as if they had one."""
    if not isinstance(image, TiffImageFile):
        return False
    formats = image.tag_v2.get(_SAMPLE_FORMAT, (1,))
    return bool(tuple(formats)[:1] == (1,))


def _scaled(values: NDArray[np.float64], ranges: tuple[float, ...]) -> NDArray[np.uint8]:
    highest = float(values.max(initial=0.0))
    top = next((end for end in ranges if highest <= end), highest)
    return np.rint(np.clip(values, 0.0, None) * (255.0 / top)).astype(np.uint8)
