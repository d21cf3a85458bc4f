"""The VITA adapter: against a stand-in with lmms-eval's call surface, and VITA-1.0 itself."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurelia_plugin.backend import Prompt, Reply
from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.providers import BackendPool

from .conftest import asked
from .upstream import STUBS, checkout, python_of, signatures

REPO = STUBS / "vita_repo"
OPTIONS = {"repo": str(REPO), "python": sys.executable, "weights": str(REPO), "device": "cpu"}


@pytest.fixture(scope="module")
def stub() -> Iterator[Any]:
    pool = BackendPool("vita", OPTIONS)
    yield pool.target
    asyncio.run(pool.close())


def told(backend: Any, prompt: Prompt) -> tuple[Reply, dict[str, Any]]:
    reply = asyncio.run(backend(prompt))
    return reply, json.loads(reply.text)


def sound(seconds: float = 1.0, level: float = 0.5) -> Media:
    samples = np.full(round(16_000 * seconds), level, dtype=np.float32)
    return Media("audio", data=Waveform(samples, 16_000))


def test_frames_and_soundtrack_are_in_one_prompt(stub: Any, clip_file: Path) -> None:
    reply, seen = told(stub, asked("What rings?", Media.file("video", clip_file)))
    assert seen["prompt"] == "[video][user]" + "<image>" * 4 + "\nWhat rings?<audio>[bot]"
    assert seen["images"] == [[4, 3, 8, 8], 4 * 3 * 64]  # the frames, not a picture of zeros
    assert seen["audio"][0][2] == 80
    assert seen["audio"][1] > 0
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (4, 1, ())
    assert evidence.sound_seconds == pytest.approx(2.0, abs=0.1)
    assert reply.model == "VITA-1.5 (soundtrack as query)"
    words = len("[video][user]\nWhat rings?[bot]")
    assert reply.usage.input_tokens == words + 4 * 256 + seen["audio"][0][1] // 8


def test_what_upstream_is_called_with(stub: Any) -> None:
    _, seen = told(stub, asked("Hello", max_new_tokens=9))
    assert seen["loaded"] == [str(REPO), "vita_repo", "qwen2p5_instruct", "cpu"]
    assert (seen["do_sample"], seen["num_beams"], seen["max_new_tokens"]) == (False, 1, 9)
    assert seen["shared_v_pid_stride"] is None
    assert seen["stopping_criteria"] == [["<|im_start|>"]]
    # Without media upstream wants a dummy of each, to which no tag refers.
    assert seen["prompt"] == "[lang][user]Hello[bot]"
    assert seen["images"] == [[1, 3, 8, 8], 0.0]
    assert seen["audio"] == [[1, 400, 80], 0.0]


def test_decoding_as_upstream_does_it() -> None:
    _, seen = told_once(asked("Hello", temperature=0.9), decoding="upstream")
    assert (seen["do_sample"], seen["temperature"]) == (False, 0.01)


def test_vita_1_0_gives_the_prompt_back_and_has_another_template() -> None:
    reply, seen = told_once(asked("Hello", sound()), model_type="mixtral-8x7b")
    assert seen["given back"] == 3
    assert "shared_v_pid_stride" not in seen
    assert seen["stopping_criteria"] == [["</s>"]]
    assert reply.model == "VITA-1.0 (soundtrack as query)"
    assert reply.usage.output_tokens == 3


def test_one_sound_a_prompt_and_the_rest_is_declared(stub: Any, clip_file: Path) -> None:
    reply, seen = told(stub, asked("Which?", Media.file("video", clip_file), sound(1.0)))
    assert seen["prompt"].count("<audio>") == 1
    assert reply.evidence.dropped == ("soundtrack: VITA takes one sound in a prompt",)
    assert reply.evidence.sound_seconds == 1.0
    reply, seen = told(stub, asked("Which?", sound(1.0), sound(3.0)))
    assert seen["audio"][0][1] == 100  # the first one
    assert reply.evidence.dropped == ("sound: VITA takes one sound in a prompt",)


def test_images_are_cut_into_tiles_as_upstream_does_it(stub: Any) -> None:
    pixels = np.full((1, 8, 8, 3), 99, dtype=np.uint8)
    image = Media("image", data=Frames(pixels, np.zeros(1)))
    reply, seen = told(stub, asked("What?", image))
    assert seen["prompt"] == "[image][user]" + "<image>" * 3 + "\nWhat?[bot]"
    assert (reply.evidence.images, reply.evidence.frames) == (1, 0)


def test_tags_in_a_question_are_refused_and_too_long_a_one_too(stub: Any) -> None:
    with pytest.raises(BackendError, match="holds one of VITA's tags"):
        told(stub, asked("What is <audio>?"))
    with pytest.raises(BackendError, match="longer than this system takes"):
        told(stub, asked("why " * 3000))


def test_lost_sound_tokens_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_CONFIG", json.dumps({"lost": 12}))
    with pytest.raises(BackendError, match="12 sound tokens became 0"):
        told_once(asked("What?", sound(1.0)))


def told_once(prompt: Prompt, **options: Any) -> tuple[Reply, dict[str, Any]]:
    async def run() -> Reply:
        pool = BackendPool("vita", {**OPTIONS, **options})
        try:
            return await pool.target(prompt)
        finally:
            await pool.close()

    reply = asyncio.run(run())
    return reply, json.loads(reply.text)


def test_the_stand_in_has_the_signatures_of_vita_1_0() -> None:
    folder = checkout("vita")
    patch = folder / "vita" / "util" / "data_utils_video_audio_neg_patch.py"
    real = {**signatures(folder), **signatures(patch)}
    own = signatures(REPO)
    compared = [
        "load_pretrained_model",
        "get_model_name_from_path",
        "tokenizer_image_audio_token",
        "KeywordsStoppingCriteria.__init__",
        "dynamic_preprocess",
        "_get_rawvideo_dec",
        "Conversation.append_message",
        "Conversation.get_prompt",
    ]
    assert {name: own[name] for name in compared} == {name: real[name] for name in compared}


def test_vita_1_0_itself_with_a_tiny_random_instance(capsys: pytest.CaptureFixture[str]) -> None:
    from aurelia_plugin.cli import main

    where = ["--tiny", "--repo", str(checkout("vita")), "--option", "max_new_tokens=4"]
    python = python_of("vita")
    where += ["--python", python] if python else []
    assert main(["sidecar", "check", "vita", *where]) == 0
    said = capsys.readouterr().out
    assert "system: VITA-1.0 (soundtrack as query)" in said
    assert "picture: reached: logits changed when blanked" in said
    assert "sound: reached: logits changed when muted and swapped" in said
