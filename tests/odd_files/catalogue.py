"""All odd files."""

from __future__ import annotations

from collections.abc import Iterator

from . import awkward, pictures, plain, refused
from .kinds import OddFile

__all__ = ["odd_files"]


def odd_files() -> Iterator[OddFile]:
    """Yield the files by group."""
    yield from plain.containers()
    yield from plain.pictures_alone()
    yield from plain.sounds()
    yield from awkward.oriented()
    yield from awkward.late()
    yield from awkward.lost_and_joined()
    yield from awkward.channels()
    yield from pictures.stills()
    yield from pictures.ranges()
    yield from refused.references()
    yield from refused.broken()
