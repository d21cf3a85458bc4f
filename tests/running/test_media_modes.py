from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from making import beep, question
from media.conftest import MakeVideo, grey_frames, tone

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.audio import has_sound, waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.video import uniform_frames
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.settings import MediaMode


def _samples(asked: Question) -> np.ndarray:
    sound = waveform(asked.clip.media[0])
    assert sound is not None
    return sound.samples


def _brightest(asked: Question) -> int:
    return int(uniform_frames(asked.clip.media[0], 2).pixels.max())


@pytest.mark.parametrize(
    ("mode", "heard", "seen"),
    [("full", True, True), ("muted", False, True), ("blanked", True, False)],
)
def test_what_each_mode_leaves(clip_file: Path, mode: MediaMode, heard: bool, seen: bool) -> None:
    asked = question("Who?", Media.file("video", clip_file))
    change = MediaChange(mode, seed=0)
    assert not change.collects
    changed = change.apply(asked)
    assert bool(np.abs(_samples(changed)).max() > 0.1) == heard
    assert (_brightest(changed) > 20) == seen
    assert len(_samples(changed)) == len(_samples(asked)), "the prompt keeps its form"
    assert (changed.key == asked.key) == (mode == "full"), "other evidence, other trace"
    assert changed.text == asked.text


def test_text_sends_no_media(clip_file: Path) -> None:
    asked = question("Who?", Media.file("video", clip_file), beep())
    assert MediaChange("text", seed=0).apply(asked).clip.media == ()


def test_swapped_exchanges_the_sounds_of_a_run(make_video: MakeVideo) -> None:
    pitches = (300.0, 600.0, 1200.0)
    asked = [
        question(
            "Who?",
            Media.file("video", make_video(f"{i}.mp4", sound=tone(2.0, hertz=hz))),
            id=f"q{i}",
        )
        for i, hz in enumerate(pitches)
    ]
    mute = question(
        "Who?", Media.file("video", make_video("mute.mp4", grey_frames([9, 99]))), id="m"
    )
    change = MediaChange("swapped", seed=0)
    assert change.collects
    for one in (*asked, mute):
        change.collect(one)
    change.finish_collecting(lambda items: items)
    heard = []
    for one in asked:
        changed = change.apply(one)
        samples = _samples(changed)
        heard.append(round(np.argmax(np.abs(np.fft.rfft(samples))) * 16_000 / len(samples), -2))
        assert len(samples) == len(_samples(one))
        assert changed.key != one.key
    assert sorted(heard) == list(pitches)
    assert all(new != old for new, old in zip(heard, pitches, strict=True))
    assert change.apply(mute) is mute
    assert not has_sound(mute.clip.media[0])


def test_swapped_needs_two_clips_with_sound() -> None:
    change = MediaChange("swapped", seed=0)
    change.collect(question("Who?", beep()))
    change.collect(question("What?", beep()))
    with pytest.raises(ConfigError, match="fewer than two"):
        change.finish_collecting(lambda items: items)
