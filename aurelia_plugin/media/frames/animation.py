"""The frames of animated WebP, which FFmpeg does not read, by Pillow."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.containers.container import MAX_FRAME_PIXELS
from aurelia_plugin.media.frames.shown import Shown
from aurelia_plugin.media.isolation.progress import tick
from aurelia_plugin.media.picture import open_image

__all__ = ["AnimationSource"]


class AnimationSource:
    """The frames of an animated picture, composed as they are displayed, without alpha channel.

    Args:
        path: the file.
        timing: the seconds that each frame is on display.
    """

    def __init__(self, path: Path, timing: Sequence[float]) -> None:
        self._path = path
        ends = list(accumulate(timing))
        self._times = [0.0, *ends[:-1]]
        self.frames = len(timing)
        self.first = 0.0
        self.transfer = None
        self.end = ends[-1]

    def at(self, moments: Sequence[float]) -> Iterator[Shown]:
        """See FrameSource.

        Raises:
            MediaError: the picture cannot be decoded.
        """
        return self._chosen(dict.fromkeys(self._index(moment) for moment in moments))

    def between(self, start: float, end: float) -> Iterator[Shown]:
        """See FrameSource.

        Raises:
            MediaError: the picture cannot be decoded.
        """
        within = range(self._index(start), self.frames)
        return self._chosen(index for index in within if self._times[index] < end)

    def _index(self, moment: float) -> int:
        return max(0, bisect_right(self._times, moment) - 1)

    def _chosen(self, indices: Iterator[int] | dict[int, None]) -> Iterator[Shown]:
        with open_image(self._path) as image:
            if image.width * image.height > MAX_FRAME_PIXELS:
                raise MediaError(self._path, f"{image.width}x{image.height} is too large")
            for index in indices:
                tick()
                yield Shown(self._times[index], self._decoded(image, index))

    def _decoded(self, image: Image.Image, index: int) -> np.typing.NDArray[np.uint8]:
        try:
            image.seek(index)
            return np.array(image.convert("RGB"))
        except (OSError, ValueError, EOFError) as error:
            raise MediaError(self._path, f"frame {index} cannot be decoded: {error}") from error
