"""High dynamic range (PQ and HLG, BT.2020) as standard range (BT.709, gamma 2.2).

Transfer functions of ITU-R BT.2100-2; the gamut's matrix of BT.2087-0; the tone curve of Reinhard
et al. 2002 (equation 4) on the luminance, from 203 cd/m2 (diffuse white, BT.2408) to a peak of
1000 cd/m2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["HIGH_RANGE", "HighRange", "standard_range"]

HighRange = Literal["PQ", "HLG"]

HIGH_RANGE: Final[Mapping[int, HighRange]] = {16: "PQ", 18: "HLG"}
"""By FFmpeg's number of the transfer characteristics (ITU-T H.273)."""

_WHITE = 203.0
_PEAK = 1000.0
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    dtype=np.float32,
)


def standard_range(pixels: NDArray[np.uint16], kind: HighRange) -> NDArray[np.uint8]:
    """Return BT.2020 pixels [h, w, 3] of full 16-bit range as 8-bit BT.709 pixels."""
    light = _LIGHT[kind][pixels]
    luminance = light @ _LUMINANCE
    if kind == "HLG":  # the system gamma of a display of 1000 cd/m2
        light = light * np.maximum(luminance, 1e-6)[..., None] ** 0.2 * (_PEAK / _WHITE)
        luminance = light @ _LUMINANCE
    mapped = (1 + luminance / (_PEAK / _WHITE) ** 2) / (1 + luminance)
    shown = np.clip((light * mapped[..., None]) @ _TO_BT709.T, 0.0, 1.0)
    eight: NDArray[np.uint8] = np.rint(255.0 * shown ** (1 / 2.2)).astype(np.uint8)
    return eight


def _pq() -> NDArray[np.float32]:
    signal = np.linspace(0.0, 1.0, 1 << 16) ** (32 / 2523)
    m1, c1, c2, c3 = 1305 / 8192, 107 / 128, 2413 / 128, 2392 / 128
    light = (np.maximum(signal - c1, 0.0) / (c2 - c3 * signal)) ** (1 / m1)
    return (10_000.0 / _WHITE * light).astype(np.float32)


def _hlg() -> NDArray[np.float32]:
    signal = np.linspace(0.0, 1.0, 1 << 16)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    high = (np.exp((signal - c) / a) + b) / 12
    return np.where(signal <= 0.5, signal**2 / 3, high).astype(np.float32)


# Tables of 64 Ki entries: light in units of diffuse white (PQ), or of the scene's peak (HLG).
_LIGHT: Final[Mapping[HighRange, NDArray[np.float32]]] = {"PQ": _pq(), "HLG": _hlg()}
