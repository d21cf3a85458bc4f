"""Several channels as one, by the coefficients of ITU-R BS.775."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Downmix", "cancels", "weights"]

_HALF_POWER = 0.5**0.5

# 3/2 to 1/0 in BS.775-3, table 2; channels that it does not know count as surround or as front.
_FRONT = dict.fromkeys(("FL", "FR", "FLC", "FRC", "DL", "DR", "WL", "WR"), _HALF_POWER)
_CENTRE = {"FC": 1.0}
_SURROUND = dict.fromkeys(
    ("BL", "BR", "SL", "SR", "BC", "TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR", "TSL", "TSR"),
    0.5,
)
_EFFECTS = {"LFE": 0.0, "LFE2": 0.0}
_KNOWN = _FRONT | _CENTRE | _SURROUND | _EFFECTS

_CANCELLED = 0.01
"""Share of the channels' mean power below which their mix has cancelled them."""


@cache
def weights(channels: tuple[str, ...]) -> NDArray[np.float32] | None:
    """Return the share of each channel in the mix, sum 1; None where all have the same.

    Args:
        channels: FFmpeg's short names, in order.
    """
    known = [_KNOWN.get(name) for name in channels]
    if len(channels) <= 2 or None in known or not any(known):
        return None
    shares: NDArray[np.float32] = np.array(known, dtype=np.float32)
    shares /= shares.sum()
    return shares


def cancels(mixed: float, channels: NDArray[np.float64]) -> bool:
    """Return whether a mix has lost what its channels hold: they are opposite to each other.

    Args:
        mixed: the power of the mix.
        channels: the power of each channel.
    """
    return bool(channels.any()) and mixed < _CANCELLED * float(channels.mean())


class Downmix:
    """Mixes sound to one channel, and tells whether the mix cancelled what was there.

    Args:
        only: the number of the channel to take instead of the mix.
    """

    def __init__(self, only: int | None = None) -> None:
        self._only = only
        self._mixed = 0.0
        self._power = np.zeros(0)

    def __call__(
        self, samples: NDArray[np.float32], channels: Sequence[str]
    ) -> NDArray[np.float32]:
        """Return samples [channels, n] as [n]."""
        mixed: NDArray[np.float32]
        if len(samples) == 1 or self._only is not None:
            mixed = samples[min(self._only or 0, len(samples) - 1)]
            return mixed
        shares = weights(tuple(channels))
        if shares is None or len(shares) != len(samples):
            mixed = samples.mean(axis=0, dtype=np.float32)
        else:
            mixed = shares @ samples
        self._count(samples, mixed, channels)
        return mixed

    def _count(
        self, samples: NDArray[np.float32], mixed: NDArray[np.float32], channels: Sequence[str]
    ) -> None:
        power = np.einsum("cn,cn->c", samples, samples, dtype=np.float64)
        if len(channels) == len(power):
            power[[name in _EFFECTS for name in channels]] = 0.0
        if len(power) != len(self._power):
            self._power = np.zeros(len(power))
        self._power += power
        self._mixed += float(np.dot(mixed, mixed))

    @property
    def loudest(self) -> int | None:
        """The channel to take instead, where the channels have cancelled each other."""
        return int(self._power.argmax()) if cancels(self._mixed, self._power) else None
