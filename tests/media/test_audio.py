from __future__ import annotations

import io
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media import Frames, Media, Waveform
from aurelia_plugin.media.audio import has_sound, wav_bytes, wav_file, waveform

from .conftest import MakeSound, MakeVideo, cut_file, grey_frames, tone


def heard(media: Media, rate: int = 16000) -> Waveform:
    sound = waveform(media, rate)
    assert sound is not None
    return sound


def loudness(samples: Any) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def pitch(sound: Waveform) -> float:
    return float(np.abs(np.fft.rfft(sound.samples)).argmax() / sound.seconds)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("tone.wav", "pcm_s16le"),
        ("tone.mp3", "mp3"),
        ("tone.flac", "flac"),
        ("tone.m4a", "aac"),
        ("звук.wav", "pcm_f32le"),
        ("tone.webm", "libopus"),
    ],
)
def test_sound_files_keep_length_pitch_and_loudness(
    make_sound: MakeSound, name: str, codec: str
) -> None:
    rate = 48000 if codec == "libopus" else 44100
    path = make_sound(name, tone(2.0, rate), codec=codec, rate=rate)
    sound = heard(Media.file("audio", path))
    assert sound.rate == 16000
    assert sound.samples.dtype == np.float32
    assert sound.seconds == pytest.approx(2.0, abs=0.03)
    assert pitch(sound) == pytest.approx(440, abs=2)
    assert loudness(sound.samples) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_f32le"])
def test_channels_are_averaged(make_sound: MakeSound, codec: str) -> None:
    stereo = np.stack([tone(1.0), np.zeros(44100, np.float32)])
    sound = heard(Media.file("audio", make_sound(samples=stereo, codec=codec)), 44100)
    np.testing.assert_allclose(sound.samples, tone(1.0) / 2, atol=1e-4)
    loud = np.stack([np.ones(4410, np.float32)] * 2)
    full = heard(Media.file("audio", make_sound("full.wav", loud, codec=codec)), 44100)
    assert full.samples.max() <= 1.0
    assert full.samples.min() > 0.99


def test_a_soundtrack_and_its_absence(make_video: MakeVideo) -> None:
    video = Media.file("video", make_video(sound=tone(4.0)))
    assert heard(video).seconds == pytest.approx(4.0, abs=0.001)
    assert has_sound(video)
    mute = Media.file("video", make_video("mute.mp4"))
    assert waveform(mute) is None
    assert not has_sound(mute)
    with pytest.raises(MediaError, match=r"mute\.mp4: has no sound"):
        waveform(Media.file("audio", mute.path or ""))
    assert waveform(Media("image", data=Frames(grey_frames([1]), np.zeros(1)))) is None


def test_sound_only_file_given_as_video(make_sound: MakeSound) -> None:
    assert heard(Media.file("video", make_sound())).seconds == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4"])
def test_sound_that_starts_after_the_picture_is_preceded_by_zeros(
    make_video: MakeVideo, name: str
) -> None:
    path = make_video(name, sound=tone(2.0), sound_codec="aac", sound_delay=1.0)
    sound = heard(Media.file("video", path))
    assert sound.seconds == pytest.approx(3.0, abs=0.06)
    assert loudness(sound.samples[: int(0.9 * 16000)]) == 0.0
    assert loudness(sound.samples[int(1.1 * 16000) : int(2.9 * 16000)]) > 0.3
    after = heard(Media("video", path, start=1.5))
    assert loudness(after.samples[:1600]) > 0.3


def test_a_span_is_cut_to_the_sample(make_sound: MakeSound) -> None:
    ramp = np.linspace(-1, 1, 16000, dtype=np.float32)
    path = make_sound(samples=ramp, codec="pcm_f32le", rate=16000)
    sound = heard(Media.file("audio", path, start=0.25, end=0.75))
    np.testing.assert_array_equal(sound.samples, ramp[4000:12000])
    with pytest.raises(MediaError, match="has no sound"):
        waveform(Media.file("audio", path, start=2.0))


def test_a_video_span_after_its_sound_has_none(make_video: MakeVideo) -> None:
    video = Media.file("video", make_video(sound=tone(1.0)), start=2.0, end=3.0)
    assert waveform(video) is None


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 20000),
    rate=st.sampled_from([8000, 16000, 22050, 44100, 48000]),
    wanted=st.sampled_from([8000, 16000, 24000, 48000]),
)
def test_in_memory_sound_keeps_its_length(count: int, rate: int, wanted: Any) -> None:
    media = Media("audio", data=Waveform(tone(count / rate, rate), rate))
    sound = heard(media, wanted)
    assert len(sound.samples) == pytest.approx(max(1, count * wanted / rate), abs=0.501)
    assert np.abs(sound.samples).max() <= 1.0


def test_the_arrays_are_the_callers_own() -> None:
    media = Media("audio", data=Waveform(tone(0.1, 16000), 16000))
    heard(media).samples[:] = 9
    assert heard(media).samples.max() < 1


def test_effects(make_video: MakeVideo, make_sound: MakeSound) -> None:
    path = make_video(sound=tone(4.0, hertz=440.0))
    other = Media.file("audio", make_sound(samples=tone(1.5, hertz=880.0)))
    silent = heard(Media("video", path, silenced=True))
    assert len(silent.samples) == len(heard(Media("video", path)).samples)
    assert not silent.samples.any()
    swapped = heard(Media("video", path, sound=other))
    assert len(swapped.samples) == len(silent.samples)
    assert pitch(swapped) == pytest.approx(880, abs=2)
    assert loudness(swapped.samples[-16000:]) > 0.3  # repeated, not padded
    assert not heard(Media("video", path, sound=other, silenced=True)).samples.any()
    mute = Media.file("video", make_video("mute.mp4"))
    assert waveform(Media("video", mute.path, sound=other)) is None
    with pytest.raises(MediaError, match="has no sound to give"):
        waveform(Media("video", path, sound=mute))


def test_in_memory_frames_take_sound_as_it_is() -> None:
    data = Frames(grey_frames([1, 2]), np.arange(2.0))
    donor = Media("audio", data=Waveform(tone(0.5, 16000), 16000))
    assert waveform(Media("video", data=data)) is None
    assert heard(Media("video", data=data, sound=donor)).seconds == pytest.approx(0.5)
    part = Media("video", data=data, sound=donor, start=0.1, end=0.3)
    np.testing.assert_array_equal(heard(part).samples, tone(0.5, 16000)[1600:4800])


def test_truncated_sound_says_where_it_ends(
    make_sound: MakeSound, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, codec in (("a.wav", "pcm_s16le"), ("a.flac", "flac")):
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, 88200).astype(np.float32)
        cut = cut_file(make_sound(name, noise, codec=codec), 0.5)
        with pytest.raises(MediaError, match=rf"cut_{name}: .*ends at \d\.\d s of 2\.0 s"):
            waveform(Media.file("audio", cut))
    assert capfd.readouterr().err == ""


def test_a_streamed_wav_with_placeholder_length_is_whole(make_sound: MakeSound) -> None:
    path = make_sound()
    content = bytearray(path.read_bytes())
    begin = content.index(b"data") + 4
    content[begin : begin + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert heard(Media.file("audio", path)).seconds == pytest.approx(1.0, abs=0.001)


def test_wav_bytes_are_16_bit_mono() -> None:
    sound = Waveform(np.array([0.0, 1.0, -1.0, 0.5, 2.0], np.float32), 8000)
    with wave.open(io.BytesIO(wav_bytes(sound))) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 5)
        samples = np.frombuffer(file.readframes(5), "<i2")
    assert samples.tolist() == [0, 32767, -32767, 16384, 32767]


def test_wav_file_is_made_once_by_digest(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))
    video = Media.file("video", make_video(sound=tone(4.0)))
    path = wav_file(video, 8000)
    assert path is not None
    assert path.parent == tmp_path / "cache" / "wav"
    made = path.stat().st_mtime_ns
    assert wav_file(video, 8000) == path
    assert path.stat().st_mtime_ns == made
    assert wav_file(video, 16000, tmp_path / "here") != path
    silent = wav_file(Media("video", video.path, silenced=True), 8000)
    assert silent is not None
    assert silent != path
    assert sorted(path.parent.iterdir()) == sorted([path, silent])  # no partial files
    assert wav_file(Media.file("video", make_video("mute.mp4"))) is None


def test_threads_hear_the_same(make_video: MakeVideo) -> None:
    video = Media.file("video", make_video(sound=tone(4.0)))
    with ThreadPoolExecutor(4) as pool:
        sounds = list(pool.map(lambda _: heard(video).samples, range(8)))
    for samples in sounds[1:]:
        np.testing.assert_array_equal(samples, sounds[0])
