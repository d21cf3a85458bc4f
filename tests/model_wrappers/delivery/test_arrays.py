from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import beep
from media.conftest import MakeVideo, grey_frames, tone

from aurelia_plugin.calling.backend import Message, Prompt, Sampling, Text
from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.clip import Frames, Media
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.delivery.arrays import Prepared, prepare

ALL = Capabilities(max_frames=4)
DEAF = ALL.model_copy(update={"soundtrack": "none", "sounds": 0})
PICTURE = Media("image", data=Frames(grey_frames([9], (32, 24)), np.zeros(1)))


def _prepare(*parts: Any, takes: Capabilities = ALL, sampling: Sampling | None = None) -> Prepared:
    return prepare(Prompt((Message("user", parts),), sampling=sampling), takes)


def _types(prepared: Prepared) -> list[str]:
    return [block["type"] for block in prepared.conversation[0]["content"]]


@pytest.fixture
def clip(clip_file: Path) -> Media:
    return Media.file("video", clip_file)


def test_a_video_is_followed_by_its_soundtrack(clip: Media) -> None:
    done = _prepare(clip, Text("Who?"))
    assert _types(done) == ["video", "audio", "text"]
    assert done.conversation[0]["content"][2]["text"] == "Who?"
    assert done.videos[0].shape == (4, 48, 64, 3)
    assert done.sounds[0].shape == (32_000,)
    assert np.abs(done.sounds[0]).max() > 0.1
    assert done.evidence.model_dump() == {
        "frames": 4,
        "images": 0,
        "sound_seconds": 2.0,
        "clips": 1,
        "soundtrack": ("after",),
        "dropped": (),
    }
    assert done.video_rates[0] == pytest.approx(2.0, abs=0.3)


def test_the_prompt_says_which_frames_if_it_does(clip: Media) -> None:
    assert _prepare(clip, sampling=Sampling("uniform", 7)).evidence.frames == 7
    keyed = _prepare(clip, sampling=Sampling("keyframes", 5)).evidence.frames
    assert 1 <= keyed <= 5


def test_every_medium_keeps_its_place(clip: Media) -> None:
    done = _prepare(Text("a"), beep(220), Text("b"), PICTURE, clip, beep(880))
    assert _types(done) == ["text", "audio", "text", "image", "video", "audio", "audio"]
    assert (done.evidence.clips, done.evidence.images, done.evidence.frames) == (3, 1, 4)
    assert done.evidence.sound_seconds == 3.0
    crossings = [int((np.diff(np.sign(s)) > 0).sum() / len(s) * 16_000) for s in done.sounds]
    assert crossings == pytest.approx([220, 440, 880], rel=0.1)


def test_a_model_without_video_gets_frames_as_images(clip: Media) -> None:
    done = _prepare(clip, PICTURE, takes=ALL.model_copy(update={"video": "images"}))
    assert _types(done) == ["image"] * 4 + ["audio", "image"]
    assert (len(done.images), done.videos) == (5, [])
    assert (done.evidence.frames, done.evidence.images) == (4, 1)


def test_a_deaf_model_is_told_of_once_for_each_sound(clip: Media) -> None:
    done = _prepare(clip, beep(), takes=DEAF)
    assert done.evidence.dropped == (
        "soundtrack: the model takes no sound",
        "sound: the model takes no sound",
    )
    assert (done.sounds, done.evidence.clips, _types(done)) == ([], 0, ["video"])


def test_a_blind_model_hears_the_soundtrack(clip: Media) -> None:
    done = _prepare(clip, PICTURE, takes=ALL.model_copy(update={"video": "none", "images": False}))
    assert done.evidence.dropped == (
        "video: the model takes no pictures",
        "image: the model takes no images",
    )
    assert _types(done) == ["audio"]


def test_a_video_without_soundtrack_is_not_short_of_anything(make_video: MakeVideo) -> None:
    silent = Media.file("video", make_video("silent.mp4"))
    for takes in (ALL, DEAF):
        done = _prepare(silent, takes=takes)
        assert (_types(done), done.evidence.dropped) == (["video"], ())


def test_sound_beyond_the_models_limit_is_cut_and_named(clip: Media) -> None:
    done = _prepare(clip, beep(), takes=ALL.model_copy(update={"sound_seconds": 1.5}))
    assert done.evidence.dropped == ("soundtrack beyond 1.5 s: more than the model takes",)
    assert [len(sound) for sound in done.sounds] == [24_000, 8_000]
    assert done.evidence.sound_seconds == 2.0


def test_a_very_short_sound_is_padded_and_counted_at_its_own_length() -> None:
    done = _prepare(beep(seconds=0.01))
    assert len(done.sounds[0]) == 1_600
    assert done.evidence.sound_seconds == 0.01
    assert not done.sounds[0][160:].any()


def test_pictures_are_reduced_to_the_models_size(clip: Media) -> None:
    done = _prepare(clip, PICTURE, takes=ALL.model_copy(update={"longest_side": 16}))
    assert done.videos[0].shape == (4, 12, 16, 3)
    assert done.images[0].shape == (12, 16, 3)


def test_the_sound_comes_at_the_models_rate(clip: Media) -> None:
    assert (
        len(_prepare(clip, takes=ALL.model_copy(update={"sound_rate": 8_000})).sounds[0]) == 16_000
    )


def test_messages_keep_their_roles() -> None:
    prompt = Prompt((Message("system", (Text("Be brief."),)), Message("user", (Text("Who?"),))))
    assert [m["role"] for m in prepare(prompt, ALL).conversation] == ["system", "user"]


def test_what_cannot_be_decoded_raises(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        _prepare(Media.file("video", broken))


def test_a_tone_of_any_length_is_delivered_whole(make_sound: Any) -> None:
    path = make_sound("long.wav", tone(3.25, 8_000), rate=8_000)
    assert _prepare(Media.file("audio", path)).evidence.sound_seconds == pytest.approx(3.25)
