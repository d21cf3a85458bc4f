"""What a made clip is put together from; how it is put together is in `compositional`."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Montage"]


class Montage(NamedTuple):
    """A clip made from excerpts of other clips.

    Attributes:
        pictures: names of the files whose pictures are shown.
        sounds: names of the files whose sound is heard; as many as pictures where they are shown
            one after the other, mixed where they are shown side by side.
        side_by_side: whether the pictures are shown at once, the first on the left; else in turn.
    """

    pictures: tuple[str, ...]
    sounds: tuple[str, ...]
    side_by_side: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files, each once."""
        return tuple(dict.fromkeys((*self.pictures, *self.sounds)))
