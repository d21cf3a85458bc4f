"""The VideoLLaMA2 adapter: against a stand-in with upstream's call surface, and upstream itself."""

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

from aurelia_plugin.calling.backend import Message, Prompt, Reply, Text
from aurelia_plugin.errors import BackendError, ConfigError, MediaError
from aurelia_plugin.media.clip import Clip, Media, Waveform
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.sidecar import facts
from aurelia_plugin.model_wrappers.sidecar.blocks import written

from .conftest import asked
from .upstream import STUBS, checkout, python_of, signatures

REPO = STUBS / "videollama2_repo"


@pytest.fixture(scope="module")
def stub() -> Iterator[Any]:
    pool = BackendPool(
        "videollama2",
        {"repo": str(REPO), "python": sys.executable, "weights": str(REPO), "device": "cpu"},
    )
    yield pool.target
    asyncio.run(pool.close())


def told(backend: Any, prompt: Prompt) -> tuple[Reply, dict[str, Any]]:
    reply = asyncio.run(backend(prompt))
    return reply, json.loads(reply.text)


def sound(seconds: float, level: float = 0.5) -> Media:
    samples = np.full(round(16_000 * seconds), level, dtype=np.float32)
    return Media("audio", data=Waveform(samples, 16_000))


def test_video_and_soundtrack_go_into_upstreams_own_prompt(stub: Any, clip_file: Path) -> None:
    reply, seen = told(stub, asked("What rings?", Media.file("video", clip_file)))
    assert seen["prompt"] == "[user]<video>\nWhat rings?[assistant]"
    assert [medium[:2] for medium in seen["media"]] == [
        ["video", [16, 3, 4, 4]],
        ["audio", [1, 2998, 128]],
    ]
    assert seen["media"][1][2] > 0  # the sound itself, not the zeros of a failed decode
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (16, 1, ())
    assert evidence.sound_seconds == pytest.approx(2.0, abs=0.1)
    assert reply.usage.input_tokens == len("[user]") + 7 + 1496 + len("\nWhat rings?[assistant]")
    assert reply.model == "VideoLLaMA2.1-7B-AV"


def test_what_upstream_is_loaded_and_called_with(stub: Any) -> None:
    _, seen = told(stub, asked("Hello", max_new_tokens=9, seed=3))
    assert seen["loaded"] == {"path": str(REPO), "device": "cpu"}
    assert seen["do_sample"] is False
    assert seen["max_new_tokens"] == 9
    assert seen["stopping_criteria"] == [["<|im_end|>"]]
    assert seen["pad_token_id"] == 301
    assert seen["media"] == []
    _, seen = told(stub, asked("Hello", temperature=0.7, top_p=0.8))
    assert (seen["do_sample"], seen["temperature"], seen["top_p"]) == (True, 0.7, 0.8)


def test_a_muted_video_keeps_its_place_and_a_silent_file_has_none(
    stub: Any, clip_file: Path, make_video: Any
) -> None:
    muted = Clip((Media.file("video", clip_file),)).muted().media[0]
    reply, seen = told(stub, asked("What?", muted))
    assert seen["media"][1] == ["audio", [1, 2998, 128], 0.0]
    assert reply.evidence.clips == 1
    reply, seen = told(stub, asked("What?", Media.file("video", make_video("silent.mp4"))))
    assert [medium[0] for medium in seen["media"]] == ["video"]
    assert (reply.evidence.clips, reply.evidence.dropped) == (0, ())


def test_several_sounds_each_have_a_tag_in_their_own_place(stub: Any, clip_file: Path) -> None:
    video = Media.file("video", clip_file)
    parts: list[Any] = [video]
    for number in range(1, 5):
        parts += [Text(f"Audio {number}:"), sound(1.0, level=number / 10)]
    prompt = Prompt((Message("user", (*parts, Text("Which fits?"))),))
    reply, seen = told(stub, prompt)
    assert seen["prompt"] == (
        "[user]<video>\nAudio 1:\n<audio>\nAudio 2:\n<audio>\nAudio 3:\n<audio>\n"
        "Audio 4:\n<audio>\nWhich fits?[assistant]"
    )
    levels = [medium[2] for medium in seen["media"] if medium[0] == "audio"][1:]
    assert levels == sorted(levels)
    assert len(set(levels)) == 4
    assert reply.evidence.clips == 5


def test_sound_alone_images_and_turns(stub: Any, clip_file: Path) -> None:
    image = Media("image", data=_frame())
    reply, seen = told(stub, asked("What?", image))
    assert seen["media"] == [["video", [16, 3, 4, 4], 16 * 48 * 2.0]]  # one picture, 16 times
    assert (reply.evidence.images, reply.evidence.frames) == (1, 0)
    _, seen = told(stub, asked("What?", sound(1.0)))
    assert seen["prompt"] == "[user]<audio>\nWhat?[assistant]"
    turns = (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("One?"),)),
        Message("assistant", (Text("One."),)),
        Message("user", (Text("Again."),)),
    )
    _, seen = told(stub, Prompt(turns))
    assert seen["prompt"] == "[system]Be brief.[user]One?[assistant]One.[user]Again.[assistant]"


def test_what_is_too_long_is_declared(stub: Any, make_video: Any) -> None:
    reply, _ = told(stub, asked("What?", sound(40.0), sound(1.0)))
    assert reply.evidence.dropped == ("sound beyond 30 s: more than the model takes",)
    assert reply.evidence.sound_seconds == pytest.approx(31.0)
    rising = np.linspace(0.0, 0.9, 20 * 44_100, dtype=np.float32)
    long = make_video("long.mp4", times=[n / 2 for n in range(40)], sound=rising)
    reply, _ = told(stub, asked("What?", Media.file("video", long)))
    assert reply.evidence.dropped == ("soundtrack beyond 16 s: upstream takes 8 windows of 2 s",)
    assert reply.evidence.sound_seconds == 16.0


def test_reasoning_that_does_not_fit_goes_by_whole_steps(stub: Any) -> None:
    question = "What rings?"
    steps = [f"{number}. {'listen ' * 1500}" for number in range(1, 5)]
    forms = ["\n".join([*steps[:count], question]) for count in range(len(steps), 0, -1)]
    prompt = Prompt((Message("user", (Text(forms[0], (*forms[1:], question)),)),))
    reply, seen = told(stub, prompt)
    assert seen["prompt"] == f"[user]{forms[1]}[assistant]"
    assert reply.evidence.dropped == (
        "text: one reasoning step at the end, more than the model takes",
    )
    with pytest.raises(BackendError, match="longer than this system takes"):
        told(stub, asked("why " * 10_000))


def test_tags_in_a_question_are_words_and_the_private_character_is_refused(stub: Any) -> None:
    _, seen = told(stub, asked("Is <audio> a tag?", sound(1.0)))
    assert seen["prompt"] == "[user]<audio>\nIs <audio> a tag?[assistant]"
    with pytest.raises(BackendError, match=r"U\+E000"):
        told(stub, asked("a \ue000 b"))


def test_logits_of_the_first_token(stub: Any) -> None:
    logits = stub.next_token_logits(asked("Hello"))
    assert logits.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_sound_that_became_another_number_of_tokens_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STUB_CONFIG", json.dumps({"sound_tokens": 0}))
    with pytest.raises(BackendError, match="1 sounds became 0 tokens"):
        _once(asked("What?", sound(1.0)))
    monkeypatch.setenv("STUB_CONFIG", json.dumps({"model_type": "videollama2_mistral"}))
    with pytest.raises(ConfigError, match=r"is a videollama2_mistral, not VideoLLaMA2\.1-7B-AV"):
        _once(asked("What?"))


def test_a_damaged_video_is_an_error_before_upstream_sees_it(stub: Any, clip_file: Path) -> None:
    broken = clip_file.with_name("broken.mp4")
    broken.write_bytes(clip_file.read_bytes()[:2000])
    with pytest.raises(MediaError):
        told(stub, asked("What?", Media.file("video", broken)))


def _once(prompt: Prompt) -> Reply:
    async def run() -> Reply:
        options = {"repo": str(REPO), "python": sys.executable, "weights": str(REPO)}
        pool = BackendPool("videollama2", {**options, "device": "cpu"})
        try:
            return await pool.target(prompt)
        finally:
            await pool.close()

    return asyncio.run(run())


def _frame() -> Any:
    from aurelia_plugin.media.clip import Frames

    return Frames(np.full((1, 8, 8, 3), 99, dtype=np.uint8), np.zeros(1))


def test_the_stand_in_has_upstreams_signatures() -> None:
    real = signatures(checkout("videollama2") / "videollama2")
    real["Model.generate"] = real["Videollama2Qwen2ForCausalLM.generate"]
    own = signatures(REPO)
    compared = [
        "model_init",
        "process_image",
        "process_audio_file",
        "load_audio_from_video",
        "process_video",
        "KeywordsStoppingCriteria.__init__",
        "Model.generate",
    ]
    assert {name: own[name] for name in compared} == {name: real[name] for name in compared}


PARITY = """
import runpy, sys
worker, adapter, repo, folder, video, sound = sys.argv[1:]
runpy.run_path(worker)["make_importable"]()
sys.path.insert(0, repo)
import importlib.util
spec = importlib.util.spec_from_file_location("adapter", adapter)
adapter = importlib.util.module_from_spec(spec); spec.loader.exec_module(adapter)
from aurelia_plugin.model_wrappers.sidecar.kit import Generation, Options, Text, Video
import torch, videollama2
torch.manual_seed(0)
system = adapter.load_tiny(Options(repo, "", "cpu", 0, folder))
seen, generate = [], system.model.generate
def noting(ids, images=None, **named):
    seen.append((ids, images[0][0]))
    return generate(ids, images=images, **named)
system.model.generate = noting
question = "What rings?"
blocks = [Video("user", video, sound, 2.0, 2.0), Text("user", question)]
ours = system.answer(blocks, Generation(max_new_tokens=6)).text
both = system.processor["video"](video, va=True)
theirs = videollama2.mm_infer(
    both, question, system.model, system.tokenizer, modal="video", max_new_tokens=6
)
(own_ids, own_media), (ids, media) = seen
assert torch.equal(own_ids, ids), (own_ids, ids)
assert all(torch.equal(own_media[key], media[key]) for key in ("video", "audio"))
assert ours.strip() == theirs, (ours, theirs)
print("equal", len(ids[0]))
"""


def test_upstreams_own_inference_gets_the_same_ids_media_and_text(
    clip_file: Path, tmp_path: Path
) -> None:
    block = written(asked("", Media.file("video", clip_file)))[0]
    worker = Path(facts.__file__).with_name("worker.py")
    adapter = facts.adapters()["videollama2"]
    python = python_of("videollama2")
    (tmp_path / "tiny").mkdir()
    where = [worker, adapter, checkout("videollama2"), tmp_path / "tiny"]
    command = [python, "-c", PARITY, *where, block["path"], block["sound"]]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["equal 70"], done.stderr


def test_upstream_itself_with_a_tiny_random_instance(capsys: pytest.CaptureFixture[str]) -> None:
    from aurelia_plugin.cli import main

    where = ["--tiny", "--repo", str(checkout("videollama2"))]
    where += ["--python", python_of("videollama2")]
    assert main(["sidecar", "check", "videollama2", *where]) == 0
    said = capsys.readouterr().out
    assert "picture: reached: logits changed when blanked" in said
    assert "sound: reached: logits changed when muted and swapped" in said
    assert "16 frames, 0 images, 1 sounds" in said
    assert main(["sidecar", "conformance", "videollama2", *where]) == 0
