from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media import Frames, Media
from aurelia_plugin.media.video import keyframe_times, keyframes, picture, probe, uniform_frames

from .conftest import MakeSound, MakeVideo, cut_file, grey_frames, tone, turn_file


def levels(frames: Frames) -> list[int]:
    return [round(float(picture.mean())) for picture in frames.pixels]


def test_uniform_frames_are_those_on_display_at_the_centres(make_video: MakeVideo) -> None:
    video = Media.file("video", make_video())  # 40 frames, 4 s, levels 20, 25, ...
    frames = uniform_frames(video, 4)
    np.testing.assert_allclose(frames.times, [0.5, 1.5, 2.5, 3.5])
    np.testing.assert_allclose(levels(frames), [45, 95, 145, 195], atol=2)
    assert frames.pixels.shape == (4, 48, 64, 3)
    assert frames.pixels.dtype == np.uint8


def test_variable_frame_rate_is_sampled_by_time_not_by_index(make_video: MakeVideo) -> None:
    times = [0.0, 0.1, 0.2, 0.3, 0.4, 2.0, 4.0, 6.0]
    path = make_video("clip.mkv", grey_frames(range(10, 90, 10)), times)
    frames = uniform_frames(Media.file("video", path), 4)
    assert frames.times.tolist() == [0.4, 2.0, 4.0]  # the fourth segment's frame is the third's
    np.testing.assert_allclose(levels(frames), [50, 60, 70], atol=2)


@pytest.mark.parametrize(
    ("name", "codec", "sound_codec"),
    [("a.ts", "libx264", "aac"), ("a.webm", "libvpx", "libopus"), ("a.avi", "mpeg4", "mp3")],
)
def test_other_containers_count_from_zero(
    make_video: MakeVideo, name: str, codec: str, sound_codec: str
) -> None:
    rate = 48000 if sound_codec == "libopus" else 44100
    path = make_video(
        name, sound=tone(4.0, rate), codec=codec, sound_codec=sound_codec, sound_rate=rate
    )
    frames = uniform_frames(Media.file("video", path), 4)
    np.testing.assert_allclose(frames.times, [0.5, 1.5, 2.5, 3.5], atol=0.1001)
    np.testing.assert_allclose(levels(frames), [45, 95, 145, 195], atol=10)
    assert probe(Media.file("video", path)).seconds == pytest.approx(4.0, abs=0.1001)


def test_a_picture_that_starts_after_the_sound_keeps_its_times(make_video: MakeVideo) -> None:
    path = make_video("late.mkv", times=[2 + index / 10 for index in range(40)], sound=tone(6.0))
    assert uniform_frames(Media.file("video", path), 1).times[0] == pytest.approx(4.0, abs=0.03)


def test_never_more_frames_than_there_are(make_video: MakeVideo) -> None:
    one = make_video("one.mp4", grey_frames([99]))
    frames = uniform_frames(Media.file("video", one), 8)
    assert frames.pixels.shape[0] == 1
    three = make_video("three.mp4", grey_frames([50, 100, 150]))
    np.testing.assert_allclose(
        levels(uniform_frames(Media.file("video", three), 50)), [50, 100, 150], atol=2
    )


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_seeking_gives_the_frames_of_plain_decoding(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    pixels = np.stack(
        [np.roll(noise, shift, axis=1).repeat(4, 0).repeat(4, 1) for shift in range(300)]
    )
    video = Media.file("video", make_video(name, pixels))
    sought = uniform_frames(video, 5)
    tail = uniform_frames(Media("video", video.path, start=21.0, end=29.0), 3)
    monkeypatch.setenv("AURELIA_DECODE_IN_PROCESS", "1")
    monkeypatch.setattr("aurelia_plugin.media.frames.sources._SEEK_AHEAD_S", 1e9)
    plain = uniform_frames(video, 5)
    np.testing.assert_array_equal(sought.times, plain.times)
    np.testing.assert_array_equal(sought.pixels, plain.pixels)
    np.testing.assert_array_equal(
        tail.pixels, uniform_frames(Media("video", video.path, start=21.0, end=29.0), 3).pixels
    )


def test_a_seek_that_lands_too_late_falls_back_to_plain_decoding(
    make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aurelia_plugin.media.frames import sources

    video = Media.file(
        "video", make_video("clip.mkv", grey_frames([i % 200 + 20 for i in range(300)]))
    )
    plain = uniform_frames(video, 3)
    frames_of = sources.FileSource._frames

    def too_far(self: Any, container: Any, seek_to: Any) -> Any:
        return frames_of(self, container, None if seek_to is None else seek_to + 9000)

    monkeypatch.setattr(sources.FileSource, "_frames", too_far)
    np.testing.assert_array_equal(uniform_frames(video, 3).times, plain.times)


def test_a_span_counts_from_its_own_start(make_video: MakeVideo) -> None:
    path = make_video()
    frames = uniform_frames(Media.file("video", path, start=1.0, end=3.0), 2)
    np.testing.assert_allclose(frames.times, [0.5, 1.5])
    np.testing.assert_allclose(levels(frames), [95, 145], atol=2)
    assert probe(Media.file("video", path, start=1.0, end=3.0)).seconds == pytest.approx(2.0)
    # Within one frame: the frame on display when the span begins, at its time 0.
    within = Media.file("video", path, start=1.02, end=1.05)
    assert uniform_frames(within, 4).times.tolist() == [0.0]
    assert keyframes(within).times.tolist() == [0.0]
    with pytest.raises(MediaError, match=r"lasts from 0\.0 s to 4\.0 s"):
        uniform_frames(Media.file("video", path, start=5.0, end=6.0), 2)


@pytest.mark.parametrize(
    ("clockwise", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))]
)
def test_rotation_is_applied(make_video: MakeVideo, clockwise: int, corner: Any) -> None:
    pixels = grey_frames([40] * 5)
    pixels[:, :16, :16] = 250  # a mark at the top left as stored
    video = Media.file("video", turn_file(make_video(pixels=pixels), clockwise))
    frames = uniform_frames(video, 2)
    info = probe(video)
    assert info.rotation == clockwise
    assert frames.pixels.shape[1:3] == (info.height, info.width)
    assert (info.width, info.height) == ((48, 64) if clockwise % 180 else (64, 48))
    bright = [c for c in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if frames.pixels[0][c][0] > 200]
    assert bright == [corner]


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("odd.mkv", "ffv1", "yuv444p"),
        ("odd.mp4", "libx264", "yuv444p"),
    ],
)
def test_odd_sizes(make_video: MakeVideo, name: str, codec: str, pix_fmt: str) -> None:
    path = make_video(name, grey_frames([60, 120, 180], (101, 67)), codec=codec, pix_fmt=pix_fmt)
    video = Media.file("video", path)
    assert probe(video)[1:3] == (101, 67)
    frames = uniform_frames(video, 3)
    assert frames.pixels.shape == (3, 67, 101, 3)
    np.testing.assert_allclose(frames.pixels[1], 120, atol=4)  # to the last row and column
    assert uniform_frames(video, 3, longest_side=50).pixels.shape == (3, 33, 50, 3)
    assert uniform_frames(video, 3, longest_side=500).pixels.shape == (3, 67, 101, 3)


def test_probe(make_video: MakeVideo, make_sound: MakeSound) -> None:
    info = probe(Media.file("video", make_video(sound=tone(4.0))))
    assert info.seconds == pytest.approx(4.0, abs=0.01)
    assert info.frame_rate == pytest.approx(10.0, abs=0.01)
    assert (info.has_picture, info.has_sound) == (True, True)
    assert not probe(Media.file("video", make_video("mute.mp4"))).has_sound
    heard = probe(Media.file("video", make_sound()))
    assert (heard.has_picture, heard.has_sound, heard.width) == (False, True, 0)
    assert heard.seconds == pytest.approx(1.0)


def test_no_picture_is_an_error_that_names_the_file(make_sound: MakeSound) -> None:
    path = make_sound()
    for sample in (lambda m: uniform_frames(m, 2), keyframes):
        with pytest.raises(MediaError, match=r"sound\.wav: has no picture"):
            sample(Media.file("video", path))


@pytest.mark.parametrize(
    ("name", "codec", "share"),
    [("a.mp4", "libx264", 0.6), ("a.mkv", "libx264", 0.5), ("a.avi", "mpeg4", 0.5)],
)
def test_a_truncated_file_says_where_it_ends(
    make_video: MakeVideo, capfd: pytest.CaptureFixture[str], name: str, codec: str, share: float
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
    cut = cut_file(make_video(name, noise, codec=codec, faststart=name == "a.mp4"), share)
    for sample in (probe, keyframes, lambda media: uniform_frames(media, 3)):
        with pytest.raises(MediaError, match=rf"cut_{name}: .*truncated: .* of 4\.\d s"):
            sample(Media.file("video", cut))
    assert capfd.readouterr().err == ""


def test_damage_inside_is_quiet_and_survivable(
    make_video: MakeVideo, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
    path = make_video("clip.mkv", noise, gop=4)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    frames = uniform_frames(Media.file("video", path), 4)
    assert len(frames.pixels) == 4
    assert capfd.readouterr().err == ""


def test_undecodable_packets_are_reported(
    make_video: MakeVideo, caplog: pytest.LogCaptureFixture
) -> None:
    path = make_video("clip.mov", codec="png", pix_fmt="rgb24")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x89PNG", b"\x00PNG", 1))
    assert len(uniform_frames(Media.file("video", path), 4).pixels) == 4
    assert "skipped 1 undecodable video packets" in caplog.text
    path.write_bytes(content.replace(b"\x89PNG", b"\x00PNG"))
    with pytest.raises(MediaError, match="cannot be decoded"):
        uniform_frames(Media.file("video", path), 4)


def test_not_a_video(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video " * 50)
    with pytest.raises(MediaError, match=r"notes\.mp4: cannot be opened"):
        probe(Media("video", text))


def test_keyframes_are_where_the_picture_changes(make_video: MakeVideo) -> None:
    rng = np.random.default_rng(1)
    scenes = rng.integers(0, 256, (4, 6, 8, 3), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    path = make_video("scenes.mkv", scenes.repeat(5, axis=0), codec="ffv1", pix_fmt="yuv444p")
    video = Media.file("video", path)
    np.testing.assert_allclose(keyframes(video).times, [0.5, 1.0, 1.5])
    assert len(keyframes(video, limit=2).times) == 2
    np.testing.assert_allclose(keyframe_times(video), [0.5, 1.0, 1.5])
    np.testing.assert_allclose(keyframe_times(replace(video, start=0.7, end=1.8)), [0.3, 0.8])
    assert keyframe_times(video, ssim_below=-1.0).tolist() == [0.0]
    assert keyframes(video, ssim_below=-1.0).times.tolist() == [0.0]
    in_memory = Media("video", data=Frames(scenes.repeat(5, axis=0), np.arange(20) / 10))
    np.testing.assert_allclose(keyframes(in_memory).times, [0.5, 1.0, 1.5])


def test_a_static_video_still_has_a_picture(make_video: MakeVideo) -> None:
    assert keyframes(
        Media.file("video", make_video(pixels=grey_frames([90] * 8)))
    ).times.tolist() == [0.0]


def test_blanked_frames_keep_size_and_count(make_video: MakeVideo) -> None:
    path = make_video()
    seen, blank = (
        uniform_frames(Media("video", path, blanked=b), 5, longest_side=32) for b in (False, True)
    )
    assert blank.pixels.shape == seen.pixels.shape
    assert not blank.pixels.any()
    assert seen.pixels.any()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(gaps=[1.0, 1.0, 0.0625], count=8, span=(0.75, 1.0))
@given(
    gaps=st.lists(st.floats(0.01, 3.0), min_size=1, max_size=30),
    count=st.integers(1, 40),
    span=st.tuples(st.floats(0.0, 1.0), st.floats(0.01, 1.0)),
)
def test_sampled_times_are_centred_and_increase(gaps: Any, count: int, span: Any) -> None:
    times = np.cumsum(gaps) - gaps[0]
    data = Frames(np.zeros((len(times), 2, 2, 3), np.uint8), times)
    start = span[0] * times[-1]
    end = start + span[1]
    result = uniform_frames(Media("video", data=data, start=start, end=end), count).times + start
    assert 1 <= len(result) <= min(count, len(times))
    assert (np.diff(result) > 0).all()
    # The last frame stays for as long as the frames do on average, and a span ends there.
    lasts = times[-1] / (len(times) - 1) if len(times) > 1 else np.inf
    end = min(end, times[-1] + lasts)
    centres = start + (np.arange(count) + 0.5) * (end - start) / count
    for time in result[1:]:  # the first may have begun before the span
        index = int(np.argmin(np.abs(times - time)))
        until = times[index + 1] if index + 1 < len(times) else np.inf
        assert ((centres >= times[index] - 1e-9) & (centres < until + 1e-9)).any()


def test_threads_read_the_same_arrays(make_video: MakeVideo) -> None:
    video = Media.file("video", make_video())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: uniform_frames(video, 6), range(8)))
    for frames in results[1:]:
        np.testing.assert_array_equal(frames.pixels, results[0].pixels)


def test_picture_applies_exif_rotation(tmp_path: Path) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:10, :10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "фото.png", exif=exif)
    shown = picture(Media.file("image", tmp_path / "фото.png"))
    assert shown.shape == (30, 20, 3)
    assert shown[0, -1, 0] == 255
    assert picture(Media.file("image", tmp_path / "фото.png"), longest_side=15).shape == (15, 10, 3)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_giant_and_damaged_images_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("1", (10_001, 10_000)).save(tmp_path / "giant.png")
    Image.new("1", (20_000, 10_000)).save(tmp_path / "bomb.png")
    for name in ("giant.png", "bomb.png"):
        with pytest.raises(MediaError, match="too large"):
            picture(Media.file("image", tmp_path / name))
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    for lenient in (True, False):  # lmms-eval sets it for everybody
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
        with pytest.raises(MediaError, match="cannot be decoded"):
            picture(Media.file("image", cut_file(tmp_path / "whole.jpg", 0.5)))
        assert ImageFile.LOAD_TRUNCATED_IMAGES is lenient


def test_sixteen_bit_images_keep_their_brightness(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(tmp_path / "deep.png")
    assert picture(Media.file("image", tmp_path / "deep.png"))[0, 0, 0] == 40_000 // 257


def test_an_avi_file_with_frames_that_depend_on_later_ones_keeps_their_order(
    make_video: MakeVideo,
) -> None:
    levels = range(20, 220, 10)
    path = make_video("b.avi", grey_frames(levels), sound=tone(2.0), sound_codec="mp2")
    frames = uniform_frames(Media.file("video", path), 40)
    # The last two frames of this file have one stamp, so that one of them is never on display.
    assert len(frames.times) == 19
    assert np.diff(frames.times) == pytest.approx(np.full(18, 0.1), abs=1e-3)
    shown = frames.pixels[:18, 0, 0, 0].astype(int)
    assert shown == pytest.approx(np.array(levels[:18]), abs=3)
