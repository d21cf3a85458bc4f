"""Sound and pictures in arrays of the many forms in use, as Waveform and Frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.medium import Frames, Waveform
from aurelia_plugin.media.picture import rgb_array
from aurelia_plugin.media.sound.downmix import cancels

__all__ = ["frames_from", "image_frames", "is_array", "waveform_from"]

_SOUND_FIX = "Give samples as [n], [channels, n] or [n, channels], as floats in -1..1 or integers."
_FRAMES_FIX = "Give frames as [n, h, w, 3] or [n, 3, h, w], in uint8, or floats in 0..1 or 0..255."


def is_array(value: Any) -> bool:
    """Return whether a value is a NumPy array or a tensor."""
    return hasattr(value, "shape") and hasattr(value, "__array__")


def _as_array(value: Any, name: str, fix: str) -> NDArray[Any]:
    # Tensors on an accelerator, or that need a gradient, do not convert by themselves.
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise MediaError(name, f"cannot be read: {error}", fix) from error
    if array.dtype.kind not in "iuf" or array.size == 0:
        raise MediaError(name, f"cannot be used: {array.dtype} {array.shape}", fix)
    if array.dtype.kind == "f" and not bool(np.isfinite(array).all()):
        raise MediaError(name, "holds values that are not finite", fix)
    return array


def waveform_from(samples: Any, rate: float) -> Waveform:
    """Return samples as mono sound; the shorter axis is taken for the channels, and averaged.

    Where the channels cancel each other, the loudest one is taken.

    Integers are scaled by the range of their type; plain lists of integers count as 16-bit.

    Raises:
        MediaError: there are no samples, or they have more than two axes or are not finite.
    """
    array = _as_array(samples, "audio array", _SOUND_FIX)
    if array.ndim not in (1, 2):
        raise MediaError("audio array", f"has shape {array.shape}", _SOUND_FIX)
    if rate <= 0:
        raise MediaError("audio array", f"has a sampling rate of {rate} Hz", "Give it in Hz.")
    scaled: NDArray[np.float64] = _scaled(array)
    if scaled.ndim == 2:
        scaled = _mixed(scaled, 0 if scaled.shape[0] <= scaled.shape[1] else 1)
    return Waveform(np.clip(scaled, -1.0, 1.0).astype(np.float32), round(rate))


def _mixed(samples: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return the mean of the channels, or the loudest where they cancel each other."""
    mixed: NDArray[np.float64] = samples.mean(axis=axis)
    power = (samples**2).mean(axis=1 - axis)
    if cancels(float((mixed**2).mean()), power):
        mixed = np.moveaxis(samples, axis, 0)[int(power.argmax())]
    return mixed


def _scaled(array: NDArray[Any]) -> NDArray[np.float64]:
    values = array.astype(np.float64)
    if array.dtype.kind == "f":
        return values
    if array.dtype == np.int64 and float(np.abs(values).max()) <= 32768.0:
        return values / 32768.0
    half_range = 2.0 ** (np.iinfo(array.dtype).bits - 1)
    return (values - half_range if array.dtype.kind == "u" else values) / half_range


def frames_from(value: Any) -> Frames:
    """Return pictures as frames one second apart.

    Args:
        value: [n, h, w, 3] or [n, 3, h, w], one picture [h, w, 3] or [3, h, w], or a list of such
            pictures or of Pillow images. Floats are taken for 0..1 when none is above 1.

    Raises:
        MediaError: there are none, or they have another shape.
    """
    if isinstance(value, Sequence) and value and all(isinstance(v, Image.Image) for v in value):
        pictures = [rgb_array(image, "image in memory") for image in value]
        if len({picture.shape for picture in pictures}) > 1:
            raise MediaError("list of images", "their sizes differ", "Give frames of one size.")
        return _timed(np.stack(pictures))
    if isinstance(value, Sequence) and value and all(is_array(v) for v in value):
        value = [_as_array(v, "frames array", _FRAMES_FIX) for v in value]
    array = _as_array(value, "frames array", _FRAMES_FIX)
    array = array[None] if array.ndim == 3 else array
    if array.ndim == 4 and array.shape[3] != 3 and array.shape[1] == 3:
        array = np.moveaxis(array, 1, 3)
    if array.ndim != 4 or array.shape[3] != 3:
        raise MediaError("frames array", f"has shape {array.shape}", _FRAMES_FIX)
    if array.dtype == np.uint8:
        return _timed(array.copy())  # the caller may reuse its buffer
    if array.dtype.kind == "f" and float(array.max()) <= 1.0:
        array = array * 255.0
    return _timed(np.clip(np.rint(array), 0, 255).astype(np.uint8))


def image_frames(image: Image.Image) -> Frames:
    """Return a Pillow image as one frame, turned as its EXIF tag says.

    Raises:
        MediaError: it has more than 100 megapixels or its data is damaged.
    """
    return _timed(rgb_array(image, getattr(image, "filename", "") or "image in memory")[None])


def _timed(pixels: NDArray[np.uint8]) -> Frames:
    return Frames(pixels, np.arange(len(pixels), dtype=np.float64))
