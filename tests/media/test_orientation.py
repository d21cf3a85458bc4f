"""Display matrices, interlaced frames and high dynamic range."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.frames.dynamic_range import standard_range
from aurelia_plugin.media.frames.interlacing import deinterlaced
from aurelia_plugin.media.frames.orientation import Orientation
from aurelia_plugin.media.video import probe, uniform_frames
from media.conftest import MakeVideo

_MATRICES = [
    (a, b, c, d)
    for a, b, c, d in np.ndindex(3, 3, 3, 3)
    for a, b, c, d in [(a - 1, b - 1, c - 1, d - 1)]
    if abs(a * d - b * c) == 1 and abs(a) + abs(b) == abs(c) + abs(d) == 1
]


def _by_definition(
    stored: NDArray[np.uint8], matrix: tuple[int, int, int, int]
) -> NDArray[np.uint8]:
    """Move every pixel to where the matrix takes it: (x, y) to (a x + c y, b x + d y)."""
    a, b, c, d = matrix
    height, width = stored.shape[:2]
    places = {
        (a * x + c * y, b * x + d * y): stored[y, x] for y in range(height) for x in range(width)
    }
    left, top = min(x for x, _ in places), min(y for _, y in places)
    size = (max(y for _, y in places) - top + 1, max(x for x, _ in places) - left + 1, 3)
    shown = np.zeros(size, dtype=np.uint8)
    for (x, y), value in places.items():
        shown[y - top, x - left] = value
    return shown


def _turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    a, b, c, d = (value * (1 << 16) for value in matrix)
    content = bytearray(path.read_bytes())
    begin = content.index(b"tkhd") + 4 + 40
    content[begin : begin + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    turned = path.with_name("turned.mp4")
    turned.write_bytes(content)
    return turned


@pytest.mark.parametrize("matrix", _MATRICES)
def test_all_orientations(make_video: MakeVideo, matrix: tuple[int, int, int, int]) -> None:
    assert len(_MATRICES) == 8
    coarse = np.array([[20, 90, 160], [230, 60, 130]], dtype=np.uint8)
    stored = coarse.repeat(24, 0).repeat(24, 1)[..., None].repeat(3, 2)
    path = _turned(make_video("m.mp4", stored[None].repeat(4, 0)), matrix)
    shown = uniform_frames(Media.file("video", path), 1).pixels[0]
    right = _by_definition(stored, matrix)
    assert shown.shape == right.shape
    inner = np.abs(shown[12::24, 12::24].astype(int) - right[12::24, 12::24])
    assert inner.max() < 12
    info = probe(Media.file("video", path))
    assert (info.height, info.width) == right.shape[:2]
    a, b, c, d = matrix
    assert info.mirrored == (a * d - b * c < 0)


@given(st.sampled_from([0, 90, 180, 270]), st.booleans())
def test_a_turn_keeps_what_is_there(rotation: int, mirrored: bool) -> None:
    stored = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    shown = Orientation(rotation, mirrored).applied(stored)
    assert sorted(shown.reshape(-1).tolist()) == sorted(stored.reshape(-1).tolist())
    back = shown[:, ::-1] if mirrored else shown
    np.testing.assert_array_equal(np.rot90(back, rotation // 90), stored)


def _box(left: int) -> NDArray[np.uint8]:
    picture = np.full((64, 96, 3), 40, dtype=np.uint8)
    picture[16:48, left : left + 32] = 220
    return picture


def test_interlaced_motion_loses_its_comb_and_what_stands_keeps_its_lines() -> None:
    still = _box(30)
    still[::2, 70:90] = 90  # fine lines, which only look like fields
    woven = still.copy()
    woven[1::2] = _box(44)[1::2]
    woven[:, 70:90] = still[:, 70:90]
    whole = deinterlaced(woven)
    step = np.abs(np.diff(whole[20:44, 30:44, 0].astype(int), axis=0))
    assert step.max() <= 90 < np.abs(np.diff(woven[20:44, 30:44, 0].astype(int), axis=0)).max()
    still_only = _box(30)
    assert deinterlaced(still_only) is still_only


def test_interlaced_video_is_deinterlaced(tmp_path: Path) -> None:
    path = tmp_path / "interlaced.mpg"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg2video", rate=25, options={"flags": "+ilme+ildct"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.bit_rate = 4_000_000
        for index in range(10):
            woven = _box(4 * index)
            woven[1::2] = _box(4 * index + 20)[1::2]
            frame = av.VideoFrame.from_ndarray(woven, format="rgb24")
            frame.pts = index
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    with av.open(str(path)) as file:
        assert next(file.decode(video=0)).interlaced_frame
    pixels = uniform_frames(Media.file("video", path), 3).pixels[1]
    comb = np.abs(2 * pixels[1:-1].astype(int) - pixels[:-2] - pixels[2:]).mean()
    assert comb < 25


@pytest.mark.parametrize("kind", ["PQ", "HLG"])
def test_high_range_becomes_standard_range(kind: str) -> None:
    assert kind in ("PQ", "HLG")
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None, :, None].repeat(3, 2)
    shown = standard_range(ramp, "PQ" if kind == "PQ" else "HLG")[0]
    assert (np.abs(np.diff(shown.astype(int), axis=1)) <= 2).all()  # grey stays grey
    rising = shown[:, 1].astype(int)
    assert (np.diff(rising) >= 0).all()
    assert rising[0] == 0
    assert rising[-1] == 255
    white = {"PQ": 0.5807, "HLG": 0.75}[kind]  # diffuse white, BT.2408
    assert 150 < rising[round(white * 255)] < 225
