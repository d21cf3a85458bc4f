from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import has_sound
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.containers.muting import without_soundtrack
from aurelia_plugin.media.video import uniform_frames

from .conftest import MakeSound, MakeVideo, grey_frames, tone


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("name", "ending"), [("a.mp4", ".mp4"), ("a.mkv", ".mkv"), ("a.MOV", ".mov")]
)
def test_the_pictures_stay_and_the_sound_goes(
    name: str, ending: str, make_video: MakeVideo
) -> None:
    path = make_video(name, grey_frames(range(20, 220, 10)), sound=tone(2.0))
    muted = without_soundtrack(path)
    assert muted.suffix == ending
    assert not has_sound(Media.file("video", muted))
    before, after = (uniform_frames(Media.file("video", p), 100) for p in (path, muted))
    assert np.array_equal(before.pixels, after.pixels)
    assert np.allclose(before.times, after.times, atol=2e-3)
    with av.open(str(muted)) as container:
        assert not container.streams.audio


def test_the_copy_is_made_once_and_a_silent_file_is_its_own(make_video: MakeVideo) -> None:
    path = make_video("a.mp4", grey_frames(range(20, 60, 10)), sound=tone(0.5))
    muted = without_soundtrack(path)
    made = muted.stat().st_mtime_ns
    assert without_soundtrack(path) == muted
    assert muted.stat().st_mtime_ns == made
    assert without_soundtrack(muted) == muted
    # Another file by the same name has a copy of its own.
    path.write_bytes(
        make_video("b.mp4", grey_frames(range(90, 200, 10)), sound=tone(0.5)).read_bytes()
    )
    assert without_soundtrack(path) != muted


def test_what_is_no_video_is_said(tmp_path: Path, make_sound: MakeSound) -> None:
    with pytest.raises(MediaError, match="has no picture"):
        without_soundtrack(make_sound("a.wav", tone(0.5)))
    with pytest.raises(MediaError, match="no such file"):
        without_soundtrack(tmp_path / "none.mp4")
