from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Frames, Media
from aurelia_plugin.media.rendering import render, video_file
from aurelia_plugin.media.video import probe, uniform_frames

from .conftest import MakeVideo, grey_frames, tone


def _read_back(content: Path | bytes, folder: Path) -> Media:
    assert isinstance(content, bytes)
    path = folder / "rendered.mp4"
    path.write_bytes(content)
    return Media.file("video", path)


def test_a_plain_file_is_handed_over_as_it_is(clip_file: Path) -> None:
    file = video_file(Media.file("video", clip_file))
    assert (file.content, file.mime) == (clip_file, "video/mp4")
    assert file.read() == clip_file.read_bytes()
    assert file.size == clip_file.stat().st_size
    assert (file.frames, file.sound_seconds) == (20, 2.0)
    assert file.seconds == pytest.approx(2.0)


def test_containers_that_services_do_not_take_are_encoded_anew(make_video: MakeVideo) -> None:
    assert isinstance(video_file(Media.file("video", make_video("a.mkv"))).content, bytes)
    webm = make_video("a.webm", codec="libvpx-vp9")
    assert video_file(Media.file("video", webm)).mime == "video/webm"


def test_too_large_a_file_is_encoded_anew_and_smaller(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    wide = Media.file("video", make_video("wide.mp4", grey_frames([9, 99, 199], (1280, 64))))
    assert video_file(wide, largest=10_000_000).content == wide.path
    sent = _read_back(video_file(wide, largest=1).content, tmp_path)
    assert (probe(sent).width, probe(sent).height) == (640, 32)


@pytest.mark.parametrize(
    "effect", [{"silenced": True}, {"blanked": True}, {"start": 0.5}, {"end": 1.5}]
)
def test_every_effect_and_span_is_in_the_new_file(
    clip_file: Path, tmp_path: Path, effect: dict[str, Any]
) -> None:
    media = replace(Media.file("video", clip_file), **effect)
    file = video_file(media)
    back = _read_back(file.content, tmp_path)
    assert probe(back).seconds == pytest.approx(probe(media).seconds, abs=0.1)
    wanted, got = uniform_frames(media, 4).pixels, uniform_frames(back, 4).pixels
    assert np.abs(wanted.mean(axis=(1, 2, 3)) - got.mean(axis=(1, 2, 3))).max() < 26
    sound, expected = waveform(back), waveform(media)
    assert sound is not None
    assert expected is not None
    assert np.abs(sound.samples).max() == pytest.approx(np.abs(expected.samples).max(), abs=0.1)
    assert bool(sound.samples.any()) or "silenced" in effect


@pytest.mark.parametrize(("wanted", "shown"), [(1, 8), (16, 16), (500, 20)])
def test_a_new_file_has_the_frames_that_its_reader_takes(
    make_video: MakeVideo, tmp_path: Path, wanted: int, shown: int
) -> None:
    """Else a muted clip of 2 s would show fewer pictures than the clip itself."""
    clip = Media.file("video", make_video("ramp.mp4", grey_frames(range(10, 210, 10))))
    file = video_file(replace(clip, silenced=True), frames=wanted)
    back = _read_back(file.content, tmp_path)
    assert file.frames == shown
    assert probe(back).seconds == pytest.approx(2.0, abs=0.06)
    levels = [uniform_frames(one, shown).pixels.mean(axis=(1, 2, 3)) for one in (clip, back)]
    assert levels[1] == pytest.approx(levels[0], abs=11)


def test_another_clips_sound_is_in_the_new_file(
    clip_file: Path, make_video: MakeVideo, tmp_path: Path
) -> None:
    other = Media.file("video", make_video("other.mp4", sound=tone(2.0, hertz=1200.0)))
    media = replace(Media.file("video", clip_file), sound=other)
    sound = waveform(_read_back(video_file(media).content, tmp_path))
    assert sound is not None
    crossings = (np.diff((sound.samples > 0).astype(int)) > 0).sum() / sound.seconds
    assert crossings == pytest.approx(1200, rel=0.1)


def test_frames_in_memory_with_odd_sides_become_a_video(tmp_path: Path) -> None:
    frames = Frames(grey_frames([10, 120, 230], (31, 17)), np.arange(3.0))
    back = _read_back(render(Media("video", data=frames)).content, tmp_path)
    assert (probe(back).width, probe(back).height, probe(back).has_sound) == (32, 18, False)
    levels = uniform_frames(back, 3).pixels.mean(axis=(1, 2, 3))
    assert levels == pytest.approx([10, 120, 230], abs=8)


def test_what_has_no_picture_is_no_video(make_sound: Any) -> None:
    with pytest.raises(MediaError, match="no picture"):
        render(Media.file("video", make_sound("only.wav")))
