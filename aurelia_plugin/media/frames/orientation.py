"""How the stored pictures of a video are turned and mirrored for display."""

from __future__ import annotations

import struct
from typing import NamedTuple, cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray

__all__ = ["UPRIGHT", "Orientation", "orientation_of"]

_MATRIX = struct.Struct("=9i")


class Orientation(NamedTuple):
    """One of the eight ways to lay a rectangle: turned clockwise first, then mirrored.

    `rotation` is 0, 90, 180 or 270 degrees; `mirrored` exchanges left and right.
    """

    rotation: int
    mirrored: bool

    def applied(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the stored picture [h, w, 3] as it is displayed, as a view."""
        turned = np.rot90(pixels, -(self.rotation // 90))
        return turned[:, ::-1] if self.mirrored else turned


UPRIGHT = Orientation(0, False)


def orientation_of(frame: VideoFrame) -> Orientation:
    """Return how a frame's display matrix lays it; angles between are rounded to quarter turns.

    The matrix takes (x, y, 1), rows downwards, to (a x + c y, b x + d y); see `av_display_*` in
    FFmpeg's libavutil/display.h.
    """
    if not frame.rotation and not len(frame.side_data):
        return UPRIGHT
    # PyAV's own annotation takes the container of side data for a dictionary.
    entries = cast(SideDataContainer, frame.side_data)
    found = next((bytes(data) for data in entries if data.type is Type.DISPLAYMATRIX), None)
    if found is None:
        return UPRIGHT
    a, b, _, c, d, _, _, _, _ = _MATRIX.unpack(found[: _MATRIX.size])
    mirrored = a * d - b * c < 0
    if mirrored:  # undo the exchange of left and right: what is left is a rotation
        a, c = -a, -c
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(0 if a + d >= 0 else 180, mirrored)
    return Orientation(90 if b - c > 0 else 270, mirrored)
