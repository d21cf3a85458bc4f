"""Structural similarity (SSIM) of the frames of a stream, from windows drawn from them.

The SSIM of two pictures is the mean of a score over all their 7x7 windows. Of two frames in a row
only this mean's side of a threshold matters, and a few hundred windows at full resolution show it
at a hundredth of the cost. Shrinking the pictures would not do: it takes away the texture and the
noise that the score is made of, and so moves the threshold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from aurelia_plugin.media.picture import RawPicture

__all__ = ["SampledPicture", "Windows", "is_below", "similarity"]

_WINDOW = 7
_SAMPLES = _WINDOW * _WINDOW
# The constants of Wang et al. (2004) for 8-bit channels: (K1 L)^2 and (K2 L)^2.
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2

_DRAW = 224
"""Windows in one draw: their pixels fit a core's own cache."""

_DRAWS = 16
_FIRST = 56
"""Windows of the first draw that are looked at before the rest: mostly they tell enough."""

_SURE = 3.0
"""Standard errors between the mean and the threshold at which no further windows are drawn."""

_SURE_AT_FIRST = 4.0
"""The same for the first few, whose spread is less well known."""

# Planar 8-bit formats, with the halvings of the chroma planes (vertical, horizontal).
_PLANAR = {
    "yuv420p": (1, 1),
    "yuvj420p": (1, 1),
    "yuv422p": (0, 1),
    "yuvj422p": (0, 1),
    "yuv444p": (0, 0),
    "yuvj444p": (0, 0),
}
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG


class _Place(NamedTuple):
    """Rows and columns of the pixels of windows: int [windows, 49] each."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


class Windows:
    """Which 7x7 windows of pictures of one size are looked at, in up to 17 draws.

    A picture that has no more windows than that is looked at whole, in one draw. Else every draw
    takes one window from each cell of a grid, at a place in the cell that a fixed seed decides, so
    that no pattern in the picture can fall in step with the grid. The first of these draws is cut
    in two: a few windows of cells drawn at random, and the others.

    Args:
        height: pixels, 7 or more.
        width: pixels, 7 or more.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height = height
        self.width = width
        self._offsets: dict[tuple[int, int, int, int], NDArray[np.intp]] = {}
        across, down = width - _WINDOW + 1, height - _WINDOW + 1
        if across * down <= _DRAW * _DRAWS:
            rows, columns = np.divmod(np.arange(across * down), across)
            self.draws = [_window_pixels(rows, columns)]
            return
        cells_across = min(across, max(1, round((_DRAW * width / height) ** 0.5)))
        cells_down = min(down, max(1, round(_DRAW / cells_across)))
        rng = np.random.default_rng(0)
        self.draws = []
        for _ in range(_DRAWS):
            jitter = rng.random((2, cells_down, cells_across))
            rows = (np.arange(cells_down)[:, None] + jitter[0]) * (down / cells_down)
            columns = (np.arange(cells_across)[None, :] + jitter[1]) * (across / cells_across)
            places = np.stack([rows.ravel(), columns.ravel()]).astype(np.intp)
            parts = [places]
            if not self.draws:
                parts = np.split(places[:, rng.permutation(places.shape[1])], [_FIRST], axis=1)
            self.draws += [_window_pixels(*part) for part in parts]

    def offsets(self, draw: int, line_size: int, down: int, across: int) -> NDArray[np.intp]:
        """Return where a draw's pixels lie in a plane of bytes that is halved so many times."""
        key = (draw, line_size, down, across)
        if key not in self._offsets:
            place = self.draws[draw]
            self._offsets[key] = (place.rows >> down) * line_size + (place.columns >> across)
        return self._offsets[key]


def _window_pixels(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> _Place:
    down, across = np.divmod(np.arange(_SAMPLES), _WINDOW)
    return _Place(rows[:, None] + down, columns[:, None] + across)


class _Moments(NamedTuple):
    """The pixels of windows, float32 [3, windows, 49], and their means and mean squares."""

    pixels: NDArray[np.float32]
    mean: NDArray[np.float32]
    mean_square: NDArray[np.float32]


class SampledPicture:
    """A picture of which windows are read as they are needed.

    Args:
        raw: a decoded frame, or uint8 [h, w, 3] RGB; sides below 7 are filled up by repetition.
        windows: those of the stream's first frame; None for a first frame.
    """

    def __init__(self, raw: RawPicture, windows: Windows | None = None) -> None:
        if isinstance(raw, VideoFrame) and not _is_readable(raw, windows):
            size = (windows.width, windows.height) if windows else (raw.width, raw.height)
            raw = np.asarray(raw.reformat(*size, format="rgb24").to_ndarray(), dtype=np.uint8)
        if isinstance(raw, np.ndarray):
            short = [(0, max(0, _WINDOW - side)) for side in raw.shape[:2]]
            raw = np.pad(raw, [*short, (0, 0)], mode="edge") if any(sum(short, ())) else raw
            size = (raw.shape[1], raw.shape[0])
        else:
            size = (raw.width, raw.height)
        self.windows = windows or Windows(size[1], size[0])
        self._raw = raw
        self._read: dict[int, _Moments] = {}

    def moments(self, draw: int) -> _Moments:
        """Return the windows of one draw."""
        if draw not in self._read:
            if isinstance(self._raw, VideoFrame):
                pixels = _from_frame(self._raw, self.windows, draw)
            else:
                place = self.windows.draws[draw]
                colours = np.moveaxis(self._raw[place.rows, place.columns], 2, 0)
                pixels = np.ascontiguousarray(colours, dtype=np.float32)
            square = np.einsum("cwk,cwk->cw", pixels, pixels) / _SAMPLES
            self._read[draw] = _Moments(pixels, pixels.mean(axis=2), square)
        return self._read[draw]


def _is_readable(frame: VideoFrame, windows: Windows | None) -> bool:
    """Whether windows can be read from the frame's planes without converting all of it."""
    return (
        frame.format.name in _PLANAR
        and min(frame.width, frame.height) >= _WINDOW
        and (windows is None or (frame.width, frame.height) == (windows.width, windows.height))
    )


def _from_frame(frame: VideoFrame, windows: Windows, draw: int) -> NDArray[np.float32]:
    """Return the colours of the windows' pixels in any order, float32 [3, windows, 49].

    Converted from YCbCr by Rec. 601, as FFmpeg does it unless told otherwise.
    """
    down, across = _PLANAR[frame.format.name]
    yuv = np.empty((3, *windows.draws[draw].rows.shape), dtype=np.float32)
    for index, plane in enumerate(frame.planes):
        halvings = (down, across) if index else (0, 0)
        offsets = windows.offsets(draw, plane.line_size, *halvings)
        yuv[index] = np.frombuffer(memoryview(plane), np.uint8).take(offsets)
    full = frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE
    light, blue, red = yuv
    blue -= 128.0
    red -= 128.0
    if not full:
        light -= 16.0
        light *= 255 / 219
        yuv[1:] *= 255 / 224
    green = light - 0.344136 * blue
    green -= 0.714136 * red
    # In place: Cr becomes red, Cb becomes blue; the order of the channels plays no part.
    red *= 1.402
    red += light
    blue *= 1.772
    blue += light
    yuv[0] = green
    np.rint(yuv, out=yuv)
    return np.clip(yuv, 0.0, 255.0, out=yuv)


def _scores(first: _Moments, second: _Moments) -> NDArray[np.float32]:
    """Return the SSIM of each window, [channels * windows]."""
    unbiased = _SAMPLES / (_SAMPLES - 1)
    product = np.einsum("cwk,cwk->cw", first.pixels, second.pixels) / _SAMPLES
    both = first.mean * second.mean
    squares = first.mean**2 + second.mean**2
    covariance = unbiased * (product - both)
    variances = unbiased * (first.mean_square + second.mean_square - squares)
    scores: NDArray[np.float32] = ((2 * both + _C1) * (2 * covariance + _C2)) / (
        (squares + _C1) * (variances + _C2)
    )
    # The channels of one window agree too much to count as three observations.
    each: NDArray[np.float32] = scores.mean(axis=0)
    return each


def is_below(first: SampledPicture, second: SampledPicture, threshold: float) -> bool:
    """Tell whether the SSIM of two pictures of one stream is below a threshold.

    Windows are drawn until their mean is three standard errors away from it (four, after the first
    few), or all are drawn.
    """
    scores: list[NDArray[np.float32]] = []
    mean = 1.0
    for draw in range(len(first.windows.draws)):
        scores.append(_scores(first.moments(draw), second.moments(draw)))
        seen = np.concatenate(scores)
        mean = float(seen.mean())
        sure = _SURE if draw else _SURE_AT_FIRST
        if abs(mean - threshold) > sure * float(seen.std()) / len(seen) ** 0.5:
            break
    return mean < threshold


def similarity(first: SampledPicture, second: SampledPicture) -> float:
    """Return the SSIM (-1..1) of two pictures of one stream, over all draws, averaged over colours.

    Uniform 7x7 windows, sample covariance, data range 255: the defaults of
    `skimage.metrics.structural_similarity` with `channel_axis=2`.
    """
    draws = range(len(first.windows.draws))
    scores = [_scores(first.moments(draw), second.moments(draw)) for draw in draws]
    return float(np.concatenate(scores).mean())
