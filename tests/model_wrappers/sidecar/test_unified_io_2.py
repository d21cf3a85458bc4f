"""The Unified-IO-2 adapter: against a stand-in with upstream's signatures, and upstream itself."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurelia_plugin.calling.backend import Message, Prompt, Reply, Text
from aurelia_plugin.errors import BackendError, ConfigError, MediaError
from aurelia_plugin.media.clip import Clip, Frames, Media, Waveform
from aurelia_plugin.model_wrappers.providers import BackendPool

from .conftest import asked
from .upstream import STUBS, checkout, python_of, signatures

REPO = STUBS / "unified_io_2_repo"
PATH = os.environ["PATH"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The settings of the stand-in; programs named like those that upstream calls are there."""
    folder = tmp_path_factory.mktemp("uio2")
    (folder / "tokenizer.model").write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ffmpeg", "ffprobe"):
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        patch.setenv("PATH", f"{folder}{os.pathsep}{PATH}")
        yield {
            "repo": str(REPO),
            "python": sys.executable,
            "weights": str(folder),
            "device": "cpu",
        }


@pytest.fixture(scope="module")
def stub(place: dict[str, Any]) -> Iterator[Any]:
    pool = BackendPool("unified_io_2_l", place)
    yield pool.target
    asyncio.run(pool.close())


def told(backend: Any, prompt: Prompt) -> tuple[Reply, dict[str, Any]]:
    reply = asyncio.run(backend(prompt))
    return reply, json.loads(reply.text)


def once(place: dict[str, Any], prompt: Prompt, target: str = "unified_io_2_l") -> Reply:
    async def run() -> Reply:
        pool = BackendPool(target, place)
        try:
            return await pool.target(prompt)
        finally:
            await pool.close()

    return asyncio.run(run())


def sound(seconds: float, level: float = 0.5) -> Media:
    samples = np.full(round(16_000 * seconds), level, dtype=np.float32)
    return Media("audio", data=Waveform(samples, 16_000))


def image() -> Media:
    return Media("image", data=Frames(np.full((1, 8, 8, 3), 99, dtype=np.uint8), np.zeros(1)))


def test_video_and_soundtrack_go_to_upstreams_preprocessor(stub: Any, clip_file: Path) -> None:
    reply, seen = told(stub, asked("What rings?", Media.file("video", clip_file)))
    assert seen["text"] == "What rings?"
    assert Path(seen["video"]).suffix == ".mp4"
    assert (seen["use_video_audio"], seen["audio"], seen["image"]) == (True, None, None)
    assert seen["frame_as_image"] == -1
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (5, 1, ())
    assert evidence.sound_seconds == pytest.approx(2.0, abs=0.05)
    # 4 words and the end mark, 9 and 4 x 32 of the picture, 8 and 4 x 16 of the sound
    assert reply.usage.input_tokens == 5 + 9 + 4 * 32 + 8 + 4 * 16
    assert reply.usage.output_tokens == 2
    assert reply.model == "Unified-IO-2 (uio2-large)"


def test_what_upstream_is_loaded_and_called_with(stub: Any, place: dict[str, Any]) -> None:
    _, seen = told(stub, asked("Hello", max_new_tokens=9, seed=3))
    assert (seen["weights"], seen["targets"]) == (place["weights"], ["text"])
    assert (seen["do_sample"], seen["num_beams"], seen["max_new_tokens"]) == (False, 1, 9)
    assert seen["seeds"] == [3]  # TensorFlow's generator, which the worker does not know
    assert seen["hidden"] == ["GPU"]
    _, seen = told(stub, asked("Hello", temperature=0.7, top_p=0.8))
    assert (seen["do_sample"], seen["temperature"], seen["top_p"]) == (True, 0.7, 0.8)
    assert stub.next_token_logits(asked("Hello")).tolist() == [0.0, 1.0, 2.0, 3.0]


def test_a_separate_sound_takes_the_place_of_the_soundtrack(stub: Any, clip_file: Path) -> None:
    video = Media.file("video", clip_file)
    reply, seen = told(stub, asked("Which fits?", video, sound(6.0), sound(1.0)))
    assert (seen["use_video_audio"], Path(seen["audio"]).suffix) == (False, ".wav")
    assert reply.evidence.dropped == (
        "sound: the system takes one at a time",
        "soundtrack: the system takes one sound, and a separate one is given",
        "sound outside the windows: not heard",  # a tail of less than half a window
    )
    assert reply.evidence.clips == 1
    assert reply.evidence.sound_seconds == pytest.approx(4.08)
    reply, _ = told(stub, asked("What?", sound(60.0)))
    assert reply.evidence.sound_seconds == pytest.approx(20.4)
    assert reply.evidence.dropped == ("sound outside the windows: not heard",)


def test_images_stand_beside_a_video_or_before_each_other(stub: Any, clip_file: Path) -> None:
    reply, seen = told(stub, asked("What?", Media.file("video", clip_file), image(), image()))
    assert seen["frame_as_image"] is None
    assert (reply.evidence.frames, reply.evidence.images, reply.evidence.clips) == (4, 1, 1)
    assert reply.evidence.dropped == ("image: more than the system takes in a prompt",)
    reply, seen = told(stub, asked("What?", *[image() for _ in range(3)], sound(4.0)))
    assert len(seen["image_history"]) == 2
    assert (reply.evidence.frames, reply.evidence.images, reply.evidence.clips) == (0, 3, 1)


def test_silence_is_declared_and_a_video_without_sound_has_none(
    stub: Any, clip_file: Path, make_video: Any
) -> None:
    muted = Clip((Media.file("video", clip_file),)).muted().media[0]
    reply, _ = told(stub, asked("What?", muted))
    why = "soundtrack: digital silence, which the system masks out"
    assert (reply.evidence.clips, reply.evidence.dropped) == (0, (why,))
    reply, seen = told(stub, asked("What?", Media.file("video", make_video("silent.mp4"))))
    assert seen["use_video_audio"] is False
    assert (reply.evidence.clips, reply.evidence.dropped) == (0, ())


def test_reasoning_goes_by_whole_steps_at_512_tokens(stub: Any) -> None:
    question = "What rings?"
    steps = [f"{number}. {'listen ' * 148}" for number in range(1, 5)]
    forms = ["\n".join([*steps[:count], question]) for count in range(len(steps), 0, -1)]
    prompt = Prompt((Message("user", (Text(forms[0], (*forms[1:], question)),)),))
    reply, seen = told(stub, prompt)
    assert seen["text"] == forms[1]
    assert reply.evidence.dropped == (
        "text: one reasoning step at the end, more than the model takes",
    )
    exact = " ".join(["why"] * 509)  # with upstream's two marks before it and one after it
    assert told(stub, asked(exact))[1]["text"] == exact
    with pytest.raises(BackendError, match="longer than this system takes"):
        told(stub, asked(exact + " why"))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"deaf": True}, "upstream's loader found no sound"),
        ({"lost": 1}, "4 windows of sound entered the prompt, and not 5"),
        ({"forgotten": 3}, "66 positions of sound, and not 72"),
    ],
)
def test_sound_that_did_not_enter_the_prompt_is_an_error(
    stub: Any, broken: dict[str, Any], message: str, clip_file: Path
) -> None:
    with pytest.raises((BackendError, MediaError), match=message):
        told(stub, asked(f"What? {json.dumps(broken)}", Media.file("video", clip_file)))


def test_other_weights_than_the_row_says_are_an_error(place: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="is not uio2-xl"):
        once(place, asked("What?"), "unified_io_2_xl")
    with pytest.raises(ConfigError, match=r"name LLaMA's tokenizer\.model as tokenizer=FILE"):
        once({**place, "tokenizer": "/nowhere/tokenizer.model"}, asked("What?"))


def test_the_stand_in_has_upstreams_signatures() -> None:
    real, own = signatures(checkout("unified_io_2") / "uio2"), signatures(REPO / "uio2")
    compared = [
        "UnifiedIOPreprocessor.from_config",
        "UnifiedIOPreprocessor.__call__",
        "UnifiedIOModel.__init__",
        "UnifiedIOModel.generate",
        "UnifiedIOModel.set_modalities",
        "build_batch",
    ]
    assert {name: own[name] for name in compared} == {name: real[name] for name in compared}


@pytest.mark.parametrize("size", ["l", "xl"])
def test_upstream_itself_with_a_tiny_random_instance(
    size: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from aurelia_plugin.cli import main

    where = ["--tiny", "--repo", str(checkout("unified_io_2"))]
    where += ["--python", python_of("unified_io_2")]
    monkeypatch.setenv("PATH", PATH)
    assert shutil.which("ffmpeg"), "upstream reads videos with ffmpeg and ffprobe"
    assert main(["sidecar", "check", f"unified_io_2_{size}", *where]) == 0
    said = capsys.readouterr().out
    assert "picture: reached: logits changed when blanked" in said
    assert "sound: reached: logits changed when muted and swapped" in said
    assert "5 frames, 0 images, 1 sounds" in said
    if size == "l":
        assert main(["sidecar", "conformance", "unified_io_2_l", *where]) == 0
