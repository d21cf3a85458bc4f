"""The Video-LLaMA adapter: against a stand-in with upstream's signatures, and upstream itself."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurelia_plugin.calling.backend import Message, Prompt, Reply, Text
from aurelia_plugin.errors import BackendError, ConfigError, MediaError
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.providers import BackendPool

from .conftest import asked
from .upstream import STUBS, checkout, python_of, signatures

REPO = STUBS / "video_llama_repo"


def place(folder: Path, llm: str = "llama-2-7b-chat-hf", **options: Any) -> dict[str, Any]:
    """Lay files out like the published weights; return the settings of the stand-in."""
    (folder / llm).mkdir()
    (folder / llm / "config.json").write_text("{}")
    for name in ("imagebind_huge.pth", "VL_tiny.pth", "AL_tiny.pth"):
        (folder / name).write_bytes(b"")
    where = {"repo": str(REPO), "python": sys.executable, "weights": str(folder)}
    return {**where, "device": "cpu", **options}


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pool = BackendPool("video_llama", place(tmp_path_factory.mktemp("video-llama")))
    yield pool.target
    asyncio.run(pool.close())


def told(backend: Any, prompt: Prompt) -> tuple[Reply, dict[str, Any]]:
    reply = asyncio.run(backend(prompt))
    return reply, json.loads(reply.text)


def once(options: dict[str, Any], prompt: Prompt) -> tuple[Reply, dict[str, Any]]:
    async def run() -> Reply:
        pool = BackendPool("video_llama", options)
        try:
            return await pool.target(prompt)
        finally:
            await pool.close()

    reply = asyncio.run(run())
    return reply, json.loads(reply.text)


def sound(seconds: float, level: float = 0.5) -> Media:
    samples = np.full(round(16_000 * seconds), level, dtype=np.float32)
    return Media("audio", data=Waveform(samples, 16_000))


def image() -> Media:
    return Media("image", data=Frames(np.full((1, 8, 8, 3), 99, dtype=np.uint8), np.zeros(1)))


def test_video_and_soundtrack_go_into_upstreams_own_prompt(stub: Any, clip_file: Path) -> None:
    reply, seen = told(stub, asked("What rings?", Media.file("video", clip_file)))
    prompt = "<s>USER:Hear <ImageHere>, see <Video><ImageHere></Video>. What rings?<s>ASSISTANT:"
    assert seen["prompt"] == prompt  # the system text is emptied, as in upstream's demo
    assert seen["sound"].endswith(".wav")  # the decoded track, not what torchaudio makes of an MP4
    assert seen["sound_seconds"] == pytest.approx(2.0, abs=0.1)
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (8, 1, ())
    assert evidence.sound_seconds == pytest.approx(2.0, abs=0.1)
    words = prompt.replace("<ImageHere>", "")
    assert reply.usage.input_tokens == len(words) + 8 + 32
    assert reply.usage.output_tokens == 3
    assert reply.model == "Video-LLaMA 7B (llama-2-7b-chat-hf)"


def test_what_upstream_is_loaded_and_called_with(stub: Any) -> None:
    reply, seen = told(stub, asked("Hello", max_new_tokens=9))
    weights = Path(seen["config"]["imagebind_ckpt_path"])
    assert seen["config"] == {
        "arch": "video_llama",
        "vit_precision": "fp32",  # on a CPU
        "llama_model": str(weights / "llama-2-7b-chat-hf"),
        "imagebind_ckpt_path": str(weights),
        "ckpt": str(weights / "VL_tiny.pth"),
        "ckpt_2": str(weights / "AL_tiny.pth"),
    }
    assert seen["prompt"] == "Help.<s>USER:Hello<s>ASSISTANT:"
    assert (seen["do_sample"], seen["num_beams"], seen["max_new_tokens"]) == (False, 1, 9)
    assert "top_p" not in seen
    assert seen["min_length"] == 1  # what upstream fixes beside sampling stays
    assert reply.evidence.clips == 0
    _, seen = told(stub, asked("Hello", temperature=0.7, top_p=0.8))
    assert (seen["do_sample"], seen["temperature"], seen["top_p"]) == (True, 0.7, 0.8)
    assert stub.next_token_logits(asked("Hello")).tolist() == [float(ord(":"))] * 4


def test_upstreams_decoding_and_its_other_template(tmp_path: Path) -> None:
    options = place(tmp_path, llm="vicuna-7b", decoding="upstream")
    _, seen = once(options, asked("Hello", max_new_tokens=9))
    assert seen["prompt"] == "###Human:Hello###Assistant:"
    assert (seen["do_sample"], seen["temperature"], seen["top_p"]) == (True, 1.0, 0.9)
    assert seen["max_new_tokens"] == 9


def test_a_separate_sound_takes_the_place_of_the_soundtrack(
    stub: Any, clip_file: Path, make_video: Any
) -> None:
    video = Media.file("video", clip_file)
    reply, seen = told(stub, asked("Which fits?", video, sound(4.0), sound(1.0)))
    assert seen["sound_seconds"] == 4.0
    assert reply.evidence.dropped == (
        "sound: the system takes one at a time",
        "soundtrack: the system takes one sound, and a separate one is given",
    )
    silent = Media.file("video", make_video("silent.mp4"))
    reply, seen = told(stub, asked("What?", silent, sound(40.0)))
    assert reply.evidence.sound_seconds == 16.0
    assert reply.evidence.dropped == ("sound outside the excerpts: not heard",)
    reply, seen = told(stub, asked("What?", silent))
    assert seen["prompt"] == "<s>USER:<Video><ImageHere></Video> What?<s>ASSISTANT:"
    assert (reply.evidence.frames, reply.evidence.clips) == (8, 0)


def test_sound_alone_and_images(stub: Any) -> None:
    reply, seen = told(stub, asked("What?", sound(1.0)))
    assert seen["prompt"] == "Help.<s>USER:<Video><ImageHere></Video> What?<s>ASSISTANT:"
    assert (reply.evidence.frames, reply.evidence.clips) == (0, 1)
    reply, seen = told(stub, asked("What?", image(), image(), sound(1.0)))
    assert seen["prompt"] == "Help.<s>USER:<Image><ImageHere></Image> What?<s>ASSISTANT:"
    assert (reply.evidence.images, reply.evidence.clips) == (1, 0)
    assert reply.evidence.dropped == (
        "image: more than the system takes in a prompt",
        "sound: the system hears it beside a video or alone",
    )


def test_reasoning_that_does_not_fit_goes_by_whole_steps(stub: Any, clip_file: Path) -> None:
    question = "What rings?"
    steps = [f"{number}. {'listen ' * 80}" for number in range(1, 5)]
    forms = ["\n".join([*steps[:count], question]) for count in range(len(steps), 0, -1)]
    message = Message("user", (Media.file("video", clip_file), Text(forms[0], (*forms[1:], "x"))))
    reply, seen = told(stub, Prompt((message,)))  # 2000 positions less 512 for the reply
    assert f". {forms[2]}<s>ASSISTANT:" in seen["prompt"]
    assert reply.usage.input_tokens <= 2000 - 512
    assert reply.evidence.dropped == 2 * (
        "text: one reasoning step at the end, more than the model takes",
    )
    with pytest.raises(BackendError, match="longer than this system takes"):
        told(stub, asked("why " * 500))


def test_sound_that_did_not_enter_the_prompt_is_an_error(stub: Any, clip_file: Path) -> None:
    video = Media.file("video", clip_file)
    with pytest.raises(MediaError, match="too short"):  # which the stand-in swallows, as upstream
        told(stub, asked("What?", video, sound(0.02)))
    with pytest.raises(BackendError, match=r"[0-7] positions of sound entered the prompt"):
        told(stub, asked("forget", video))
    told(stub, asked("What?", video))  # and the worker goes on


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    options = place(tmp_path, llm="somewhere")
    with pytest.raises(ConfigError, match="say with prompt=llama_2 or prompt=vicuna"):
        once(options, asked("What?"))
    (tmp_path / "AL_tiny.pth").unlink()
    with pytest.raises(ConfigError, match=r"0 of AL\*\.pth; set sound="):
        once({**options, "prompt": "vicuna"}, asked("What?"))


def test_the_stand_in_has_upstreams_signatures() -> None:
    real, own = signatures(checkout("video_llama") / "video_llama"), signatures(REPO)
    compared = [
        "Chat.__init__",
        "Chat.ask",
        "Chat.answer",
        "Chat.upload_video",
        "Chat.upload_video_without_audio",
        "Chat.upload_img",
        "Chat.get_context_emb",
        "VideoLLAMA.encode_videoQformer_visual",
        "VideoLLAMA.encode_audioQformer",
        "VideoLLAMA.from_config",
        "AlproVideoEvalProcessor.from_config",
    ]
    assert {name: own[name] for name in compared} == {name: real[name] for name in compared}


@pytest.mark.parametrize("prompt", ["llama_2", "vicuna"])
def test_upstream_itself_with_a_tiny_random_instance(
    prompt: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from aurelia_plugin.cli import main

    where = ["--tiny", "--repo", str(checkout("video_llama")), "--option", f"prompt={prompt}"]
    where += ["--python", python_of("video_llama")]
    assert main(["sidecar", "check", "video_llama", *where]) == 0
    said = capsys.readouterr().out
    assert "picture: reached: logits changed when blanked" in said
    assert "sound: reached: logits changed when muted and swapped" in said
    assert "8 frames, 0 images, 1 sounds" in said
    if prompt == "llama_2":
        assert main(["sidecar", "conformance", "video_llama", *where]) == 0
