"""A picture of a video and its time, and where such pictures come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from aurelia_plugin.media.picture import RawPicture

__all__ = ["FrameSource", "Shown"]


class Shown(NamedTuple):
    """A picture as it comes from its source, and when it begins to be on display."""

    time: float
    raw: RawPicture


class FrameSource(Protocol):
    """Frames in order of presentation; `first` and `end` bound the time they are on display."""

    @property
    def first(self) -> float:
        """When the first frame begins, in seconds."""

    @property
    def end(self) -> float:
        """When the last frame ends, in seconds."""

    @property
    def frames(self) -> int:
        """How many frames there are."""

    @property
    def transfer(self) -> int | None:
        """FFmpeg's number of the transfer characteristics, where it is known."""

    def at(self, moments: Sequence[float]) -> Iterator[Shown]:
        """Yield the frames on display at ascending moments, each frame once."""

    def between(self, start: float, end: float) -> Iterator[Shown]:
        """Yield every frame on display at some time in start..end, `end` excluded."""
