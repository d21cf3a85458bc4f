"""Structural similarity (SSIM) of pictures, as scikit-image computes it by default."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["WindowMoments", "similarity", "structural_similarity", "window_moments"]

_WINDOW = 7
_SAMPLES = _WINDOW * _WINDOW
# The constants of Wang et al. (2004) for 8-bit channels: (K1 L)^2 and (K2 L)^2.
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


class WindowMoments(NamedTuple):
    """A picture [h, w, c] and, for each 7x7 window in it, the mean and the mean square."""

    pixels: NDArray[np.int32]
    mean: NDArray[np.float64]
    mean_square: NDArray[np.float64]


def window_moments(picture: NDArray[np.uint8]) -> WindowMoments:
    """Prepare a uint8 picture [h, w, c] for `similarity`, so that a stream does this once a frame.

    A side below 7 pixels is filled up to 7 by repeating the border.
    """
    short = [(0, max(0, _WINDOW - side)) for side in picture.shape[:2]]
    pixels = np.pad(picture, [*short, (0, 0)], mode="edge").astype(np.int32)
    return WindowMoments(pixels, _window_means(pixels), _window_means(pixels * pixels))


def _window_means(values: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the mean over each 7x7 window that lies wholly inside; the integer sums are exact."""
    pairs = values[:-1] + values[1:]
    fours = pairs[:-2] + pairs[2:]
    rows = fours[:-3] + pairs[4:-1] + values[6:]
    pairs = rows[:, :-1] + rows[:, 1:]
    fours = pairs[:, :-2] + pairs[:, 2:]
    sums: NDArray[np.int32] = fours[:, :-3] + pairs[:, 4:-1] + rows[:, 6:]
    means: NDArray[np.float64] = sums / _SAMPLES
    return means


def similarity(first: WindowMoments, second: WindowMoments) -> float:
    """Return the SSIM (-1..1) of two prepared pictures of one size, averaged over channels.

    Uniform 7x7 windows, sample covariance, data range 255: the defaults of
    `skimage.metrics.structural_similarity` with `channel_axis=2`.
    """
    unbiased = _SAMPLES / (_SAMPLES - 1)
    product = _window_means(first.pixels * second.pixels)
    square_1, square_2 = first.mean**2, second.mean**2
    both = first.mean * second.mean
    covariance = unbiased * (product - both)
    variances = unbiased * (first.mean_square - square_1 + second.mean_square - square_2)
    scores = ((2 * both + _C1) * (2 * covariance + _C2)) / (
        (square_1 + square_2 + _C1) * (variances + _C2)
    )
    # Every channel has the same number of windows, so one mean is the mean of the channels.
    return float(scores.mean())


def structural_similarity(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Return the SSIM (-1..1) of two uint8 pictures [h, w, c] of one size; see `similarity`."""
    return similarity(window_moments(first), window_moments(second))
