"""The VITA adapter: against a stand-in with upstream's call surface, and VITA-1.5 itself."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loguru import logger

from aurelia_plugin.calling.backend import Prompt, Reply
from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.sidecar import facts
from aurelia_plugin.model_wrappers.sidecar.blocks import written

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
    assert seen["loaded"] == [str(REPO), "vita", "qwen2p5_instruct", "cpu"]
    assert (seen["do_sample"], seen["num_beams"], seen["max_new_tokens"]) == (False, 1, 9)
    assert seen["stopping_criteria"] == [["<|im_start|>"]]
    # Without media upstream wants a dummy of each, to which no tag refers.
    assert seen["prompt"] == "[lang][user]Hello[bot]"
    assert seen["images"] == [[1, 3, 8, 8], 0.0]
    assert seen["audio"] == [[1, 400, 80], 0.0]


def test_decoding_as_upstream_does_it() -> None:
    _, seen = told_once(asked("Hello", temperature=0.9), decoding="upstream")
    assert (seen["do_sample"], seen["num_beams"]) == (False, 1)
    assert "temperature" not in seen


def test_trained_vectors_before_the_sound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    reply, _ = told_once(asked("Hello", sound()))
    monkeypatch.setenv("STUB_CONFIG", json.dumps({"audio_prompt_num": 5}))
    more, _ = told_once(asked("Hello", sound()))
    assert more.usage.input_tokens == reply.usage.input_tokens + 5


@pytest.mark.parametrize("state", ["\u261c", "\u261e", "\u261f"])
def test_the_mark_before_a_reply_is_no_part_of_it(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setenv("STUB_CONFIG", json.dumps({"state": state}))
    sink = logger.add(said.append, level="WARNING")
    reply, seen = told_once(asked("Hello", sound()))
    logger.remove(sink)
    assert reply.text[0] == "{"
    assert seen["new tokens"] == reply.usage.output_tokens == 3
    assert any("as noise" in line for line in said) == (state == "\u261f")


def test_one_sound_a_prompt_and_the_rest_is_declared(stub: Any, clip_file: Path) -> None:
    reply, seen = told(stub, asked("Which?", Media.file("video", clip_file), sound(1.0)))
    assert seen["prompt"].count("<audio>") == 1
    assert reply.evidence.dropped == (
        "soundtrack: the system takes one sound, and a separate one is given",
    )
    assert reply.evidence.sound_seconds == 1.0
    reply, seen = told(stub, asked("Which?", sound(1.0), sound(3.0)))
    assert seen["audio"][0][1] == 100  # the first one
    assert reply.evidence.dropped == ("sound: the system takes one at a time",)


def test_images_are_cut_into_tiles_as_upstream_does_it(stub: Any) -> None:
    pixels = np.full((1, 8, 8, 3), 99, dtype=np.uint8)
    image = Media("image", data=Frames(pixels, np.zeros(1)))
    reply, seen = told(stub, asked("What?", image))
    assert seen["prompt"] == "[image][user]" + "<image>" * 3 + "\nWhat?[bot]"
    assert (reply.evidence.images, reply.evidence.frames) == (1, 0)
    reply, seen = told(stub, asked("Which?", image, image))
    assert seen["images"][0] == [6, 3, 8, 8]
    assert reply.evidence.images == 2


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


def test_the_stand_in_has_upstreams_signatures() -> None:
    folder = checkout("vita")
    parts: tuple[str, ...] = ("vita/util/data_utils_video_audio_neg_patch.py",)
    parts += ("vita/util/mm_utils.py",)
    parts += ("vita/model/builder.py", "vita/model/language_model/vita_qwen2.py")
    parts += ("vita/conversation.py", "video_audio_demo.py")
    parts += ("vita/model/multimodal_encoder/whale/init_model.py",)
    real = {name: given for part in parts for name, given in signatures(folder / part).items()}
    own = signatures(REPO)
    compared = [
        "load_pretrained_model",
        "tokenizer_image_audio_token",
        "KeywordsStoppingCriteria.__init__",
        "VITAQwen2ForCausalLM.generate",
        "VITAQwen2ForCausalLM.process_images",
        "audioEncoderProcessor.process",
        "dynamic_preprocess",
        "_get_rawvideo_dec",
        "Conversation.append_message",
        "Conversation.get_prompt",
    ]
    assert {name: own[name] for name in compared} == {name: real[name] for name in compared}


PARITY = """
import contextlib, io, os, runpy, sys
worker, adapter, repo, folder, video, sound = sys.argv[1:]
runpy.run_path(worker)["make_importable"]()
sys.path.insert(0, repo)
import importlib.util
spec = importlib.util.spec_from_file_location("adapter", adapter)
adapter = importlib.util.module_from_spec(spec); spec.loader.exec_module(adapter)
from aurelia_plugin.model_wrappers.sidecar.kit import Generation, Options, Text, Video
import torch
torch.manual_seed(0)
system = adapter.load_tiny(Options(repo, "", "cpu", 0, folder))
from vita.model import builder
seen, generate = [], system._model.generate
def noting(ids, images, audios, **named):
    seen.append((ids, images, audios["audios"], audios["lengths"], audios["lengths_for_llm"]))
    torch.manual_seed(0)  # upstream's sound encoder draws
    return generate(ids, images=images, audios=audios, **{**named, "max_new_tokens": 6})
system._model.generate = noting
builder.load_pretrained_model = lambda *_: (system._tokenizer, system._model, None, 0)
torch.Tensor.to = (lambda to: lambda self, *given, **named: to(
    self, *given, **{**named, **({"device": "cpu"} if named.get("device") == "cuda" else {})}
))(torch.Tensor.to)
demo = ["demo", "--model_path", "vita", "--video_path", video]
demo += ["--model_type", "qwen2p5_instruct", "--conv_mode", "qwen2p5_instruct"]
cases = [(None, "What rings?", ["--question", "What rings?"]), (sound, "", ["--audio_path", sound])]
for track, question, more in cases:
    blocks = [Video("user", video, track, 2.0, 2.0), Text("user", question)]
    ours = system.answer(blocks, Generation(max_new_tokens=6)).text
    sys.argv, said = demo + more, io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path(os.path.join(repo, "video_audio_demo.py"), run_name="__main__")
    theirs = said.getvalue().rpartition("Time consume")[0].replace("<|im_end|>", "").strip()
    own, other = seen[-2:]
    assert all(map(torch.equal, own, other)), (own, other)
    assert ours.strip() == theirs, (ours, theirs)
    print("equal", len(own[0][0]))
"""


def test_upstreams_own_demo_gets_the_same_ids_media_and_text(
    clip_file: Path, tmp_path: Path
) -> None:
    block = written(asked("", Media.file("video", clip_file)))[0]
    worker = Path(facts.__file__).with_name("worker.py")
    python = python_of("vita")
    where = [worker, facts.adapters()["vita"], checkout("vita"), tmp_path]
    command = [python, "-c", PARITY, *where, block["path"], block["sound"]]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert [line.split()[0] for line in done.stdout.splitlines()[-2:]] == ["equal"] * 2, done.stderr


def test_upstream_itself_with_a_tiny_random_instance(capsys: pytest.CaptureFixture[str]) -> None:
    from aurelia_plugin.cli import main

    where = ["--tiny", "--repo", str(checkout("vita"))]
    where += ["--python", python_of("vita")]
    assert main(["sidecar", "check", "vita", *where]) == 0
    said = capsys.readouterr().out
    assert "system: VITA-1.5 (soundtrack as query)" in said
    assert "picture: reached: logits changed when blanked" in said
    assert "sound: reached: logits changed when muted and swapped" in said
    assert "4 frames, 0 images, 1 sounds" in said
    assert main(["sidecar", "conformance", "vita", *where]) == 0
