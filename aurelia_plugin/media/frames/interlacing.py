"""Interlaced frames: two moments in the even and the odd lines of one picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["deinterlaced"]

_BLOCK = 8
_LEAST_COMBING = 4.0
"""Grey levels by which lines differ more from their neighbours than lines of one field do."""


def deinterlaced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an interlaced picture [h, w, 3] with its odd lines interpolated where things move.

    Where the two fields show the same, as in film, the picture keeps its lines. The very array
    comes back where nothing moves.
    """
    height, width, _ = pixels.shape
    down, across = (height - 2) // _BLOCK, width // _BLOCK
    if down < 1 or across < 1:
        return pixels
    light = pixels[..., 1].astype(np.int16)
    # Combing: a line is unlike the two beside it, which are like each other.
    between = np.abs(2 * light[1:-1] - light[:-2] - light[2:]) / 2
    within = np.abs(light[:-2] - light[2:])
    combing = np.maximum(between - within, 0)[: down * _BLOCK, : across * _BLOCK]
    blocks = combing.reshape(down, _BLOCK, across, _BLOCK).mean(axis=(1, 3))
    combed = blocks > _LEAST_COMBING
    if not combed.any():
        return pixels
    mask = np.zeros((height, width), dtype=bool)
    inner = combed.repeat(_BLOCK, 0).repeat(_BLOCK, 1)
    mask[1 : 1 + inner.shape[0], : inner.shape[1]] = inner
    mask[:, inner.shape[1] :] = mask[:, inner.shape[1] - 1 : inner.shape[1]]
    mask[1 + inner.shape[0] :] = mask[inner.shape[0]]
    below = np.concatenate([pixels[2::2], pixels[-2:-1] if height % 2 == 0 else pixels[:0]])
    odd = pixels[1::2]
    above = pixels[0::2][: len(odd)]
    below = below[: len(odd)]
    mean = (above.astype(np.uint16) + below + 1) // 2
    whole: NDArray[np.uint8] = pixels.copy()
    whole[1::2] = np.where(mask[1::2, :, None], mean, odd)
    return whole
