"""A part of the odd files; `python tests/odd_files` makes and compares all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .catalogue import odd_files
from .comparing import compared
from .reference import make_reference

__all__: list[str] = []

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg here")

_CHOSEN = frozenset(
    (
        "fragmented.mp4",
        "mpeg2_mp2.ts",
        "mpeg1.mpg",
        "dvd.vob",
        "h264_aac.flv",
        "flash.swf",
        "wmv2.wmv",
        "theora.ogv",
        "mpeg2.mxf",
        "raw.h264",
        "raw.y4m",
        "animated.apng",
        "silent.flv",
        "float.wav",
        "vbr.mp3",
        "wma.wma",
        "mirrored.mp4",
        "transposed.mov",
        "all_late.mkv",
        "sound_late.ts",
        "picture_late.flv",
        "lost_a_second.webm",
        "lost_each_tenth.webm",
        "drifts_slow.mkv",
        "drifts_fast.mkv",
        "joined_same_clock.ts",
        "joined_later_clock.vob",
        "opposite_24.wav",
        "centre_5.1.flac",
        "spread_7.1.flac",
        "cmyk.jpg",
        "palette.png",
        "exif_5.jpg",
        "exif_7.webp",
        "grey16.png",
        "grey32_high.tiff",
        "float_unit.tiff",
        "one_bit.png",
        "animated.webp",
        "animated.avif",
        "names_hls.mp4",
        "names_concat.avi",
        "names_svg.png",
        "cut.mp4",
        "noise.mp4",
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("odd")
    make_reference(made)
    return made


def test_there_are_as_many_as_promised() -> None:
    files = list(odd_files())
    assert len(files) >= 150
    assert len({odd.name for odd in files}) == len(files)
    assert {odd.name for odd in files} >= _CHOSEN


@pytest.mark.parametrize("name", sorted(_CHOSEN))
def test_an_odd_file_is_right_or_refused(folder: Path, name: str) -> None:
    odd = next(odd for odd in odd_files() if odd.name == name)
    found = compared(odd, folder)
    if found.outcome == "unmade":
        pytest.skip(f"this ffmpeg does not write it: {found.said}")
    assert found.outcome == ("right" if odd.expected.kind else "refused"), found
