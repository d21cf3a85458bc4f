from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.media.parts import part_of, seconds_of
from aurelia_plugin.media.video import uniform_frames


@pytest.fixture
def video(clip_file: Path) -> Media:
    return Media.file("video", clip_file)


def samples(medium: Media | None) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    assert medium is not None
    sound = waveform(medium, 16_000)
    assert sound is not None
    return sound.samples


def test_a_part_is_what_the_whole_is_in_that_time(video: Media) -> None:
    whole = waveform(video, 16_000)
    assert whole is not None
    part = part_of(video, 0.5, 1.25, frames=3)
    assert part is not None
    assert seconds_of(part) == pytest.approx(0.75)
    assert np.array_equal(samples(part), whole.samples[8_000:20_000])
    shown = uniform_frames(part, 3).pixels
    assert np.array_equal(shown, uniform_frames(replace(video, start=0.5, end=1.25), 3).pixels)
    assert part.digest != part_of(video, 0.5, 1.25).digest  # type: ignore[union-attr]


def test_a_part_of_a_span_lies_in_the_span(video: Media) -> None:
    span = replace(video, start=0.5, end=1.5)
    part = part_of(span, 0.25, 9.0)
    assert part is not None
    assert (part.start, part.end) == (0.75, 1.5)


def test_the_sound_alone_is_a_sound_and_the_picture_alone_is_silent(video: Media) -> None:
    heard = part_of(video, 0.5, 1.0, only="sound")
    assert heard is not None
    assert heard.kind == "audio"
    assert np.array_equal(samples(heard), samples(part_of(video, 0.5, 1.0)))
    seen = part_of(video, 0.5, 1.0, only="picture")
    assert not samples(seen).any()


def test_what_a_media_mode_took_away_stays_away(video: Media) -> None:
    muted = replace(video, silenced=True)
    assert not samples(part_of(muted, 0.0, 1.0)).any()
    assert not samples(part_of(muted, 0.0, 1.0, only="sound")).any()
    black = part_of(replace(video, blanked=True), 0.0, 1.0)
    assert black is not None
    assert not uniform_frames(black, 2).pixels.any()


def test_another_clips_sound_is_cut_at_the_same_place(video: Media) -> None:
    ramp = Media("audio", data=Waveform(np.linspace(0, 1, 12_000, dtype=np.float32), 16_000))
    swapped = replace(video, sound=ramp)
    whole = samples(swapped)
    for only in (None, "sound"):
        part = part_of(swapped, 0.5, 1.5, only=only)  # type: ignore[arg-type]
        assert np.array_equal(samples(part), whole[8_000:24_000])


def test_frames_in_memory_and_their_sound_are_cut_too() -> None:
    sound = Media("audio", data=Waveform(np.linspace(0, 1, 32_000, dtype=np.float32), 16_000))
    pixels = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 8, 8, 3), dtype=np.uint8
    )
    medium = Media("video", data=Frames(pixels, np.arange(4) / 2), sound=sound)
    for only in (None, "sound"):
        part = part_of(medium, 0.5, 1.0, only=only)  # type: ignore[arg-type]
        assert np.allclose(samples(part), samples(sound)[8_000:16_000])


def test_where_there_is_nothing_there_is_no_part(video: Media) -> None:
    silent = Media("video", data=Frames(np.zeros((2, 8, 8, 3), dtype=np.uint8), np.arange(2) / 2))
    assert part_of(video, 2.5, 3.0) is None
    assert part_of(silent, 0.0, 1.0, only="sound") is None
    tone = part_of(video, 0.0, 1.0, only="sound")
    assert tone is not None
    assert part_of(tone, 0.0, 0.5, only="picture") is None
