"""Decoded frames as arrays for display: scaled, upright, progressive, with standard range."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from aurelia_plugin.media.frames.dynamic_range import HIGH_RANGE, standard_range
from aurelia_plugin.media.frames.interlacing import deinterlaced
from aurelia_plugin.media.frames.orientation import UPRIGHT, orientation_of
from aurelia_plugin.media.picture import RawPicture, fitted_size, shrunk

__all__ = ["FrameConverter"]

# FFmpeg's AVColorSpace: what its scaler takes where nothing is said, and BT.2020.
_DEFAULT_COLOURS = 5
_BT2020_COLOURS = 9


class FrameConverter:
    """Turns the frames of one video into arrays of one size; not for several threads.

    Scaling comes before the conversion to RGB and keeps the aspect; then the picture is laid as the
    display matrix says. When the size changes within the video, later frames take the size of the
    first. Interlaced frames that show two moments are deinterlaced; high dynamic range (PQ, HLG) is
    mapped to the standard one.

    Args:
        longest_side: pixels to shrink the longer side to; None leaves the size.
        transfer: FFmpeg's number of the transfer characteristics; None if it is not known.
    """

    def __init__(self, longest_side: int | None, transfer: int | None = None) -> None:
        self._longest_side = longest_side
        self._high_range = HIGH_RANGE.get(transfer or 0)
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._orientation = UPRIGHT

    def __call__(self, frame: RawPicture) -> NDArray[np.uint8]:
        """Return the frame as uint8 [h, w, 3] RGB, as displayed."""
        if isinstance(frame, np.ndarray):
            return shrunk(frame, self._longest_side)
        if self._size is None:
            self._size = fitted_size(frame.width, frame.height, self._longest_side)
            self._orientation = orientation_of(frame)
        if frame.interlaced_frame:
            frame = self._progressive(frame)
        # Copied: NumPy takes large pages, and FFmpeg's buffer is free for the next frame.
        return np.array(self._orientation.applied(self._scaled(frame, *self._size)), dtype=np.uint8)

    def _scaled(self, frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        if self._high_range is not None:
            wide = self._reformatter.reformat(
                frame,
                width,
                height,
                format="rgb48le",
                interpolation="BICUBIC",
                src_colorspace=_BT2020_COLOURS,
                dst_colorspace=_DEFAULT_COLOURS,
            )
            return standard_range(np.asarray(wide.to_ndarray(), dtype=np.uint16), self._high_range)
        scaled = self._reformatter.reformat(
            frame, width, height, format="rgb24", interpolation="BICUBIC"
        )
        return np.asarray(scaled.to_ndarray(), dtype=np.uint8)

    def _progressive(self, frame: VideoFrame) -> VideoFrame:
        if self._high_range is not None:
            return frame
        pixels = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
        whole = deinterlaced(pixels)
        return frame if whole is pixels else VideoFrame.from_ndarray(whole, format="rgb24")
