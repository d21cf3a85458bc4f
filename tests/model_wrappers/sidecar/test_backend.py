"""Prompts as files and blocks, replies as evidence, errors as errors."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurelia_plugin.calling.backend import Message, Prompt, Sampling, Text
from aurelia_plugin.errors import BackendError, MediaError
from aurelia_plugin.media.clip import Clip, Frames, Media, Waveform
from aurelia_plugin.media.video import probe
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions
from aurelia_plugin.model_wrappers.sidecar.blocks import written

from .conftest import FAKE, Open, ask, asked


def _samples(path: str) -> np.ndarray[Any, Any]:
    with wave.open(path) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_a_video_goes_as_its_own_file_beside_a_wav_of_its_sound(clip_file: Path) -> None:
    video, text = written(asked("What?", Media.file("video", clip_file)))
    assert video["path"] == str(clip_file)
    assert video["seconds"] == pytest.approx(2.0, abs=0.1)
    assert np.abs(_samples(video["sound"])).max() > 10_000
    assert video["sound_seconds"] == pytest.approx(len(_samples(video["sound"])) / 16_000)
    assert text == {"type": "text", "text": "What?", "role": "user"}


def test_effects_are_in_the_files(clip_file: Path, make_sound: Any) -> None:
    clip = Clip((Media.file("video", clip_file),))
    muted = written(asked("", *clip.muted().media))[0]
    assert not _samples(muted["sound"]).any()
    assert muted["path"] != str(clip_file)
    blanked = written(asked("", *clip.blanked().media))[0]
    from aurelia_plugin.media.video import uniform_frames

    assert uniform_frames(Media.file("video", blanked["path"]), 3).pixels.max() < 10
    assert np.abs(_samples(blanked["sound"])).max() > 10_000
    other = Clip((Media("audio", data=Waveform(np.full(16_000, 0.25, np.float32), 16_000)),))
    swapped = written(asked("", *clip.with_sound_of(other).media))[0]
    assert set(_samples(swapped["sound"]).tolist()) == {8192}
    assert len(_samples(swapped["sound"])) == len(_samples(blanked["sound"]))
    part = written(asked("", Media.file("video", clip_file, start=0.5, end=1.0)))[0]
    assert part["seconds"] == pytest.approx(0.5, abs=0.1)
    assert part["sound_seconds"] == pytest.approx(0.5, abs=0.05)


def test_arrays_become_files_and_a_silent_video_has_no_sound(make_video: Any) -> None:
    pixels = np.zeros((3, 16, 16, 3), np.uint8)
    silent = Media("video", data=Frames(pixels, np.arange(3.0)))
    beep = Media("audio", data=Waveform(np.full(8_000, 0.5, np.float32), 8_000))
    image = Media("image", data=Frames(pixels[:1], np.zeros(1)))
    video, sound, picture = written(asked("", silent, beep, image))[:3]
    assert (video["sound"], video["sound_seconds"]) == (None, 0.0)
    assert sound["seconds"] == pytest.approx(1.0)
    assert len(_samples(sound["path"])) == 16_000
    assert Path(picture["path"]).read_bytes().startswith(b"\x89PNG")
    assert written(asked("", Media.file("video", make_video("quiet.mp4"))))[0]["sound"] is None


@pytest.mark.parametrize("kind", ["uniform", "keyframes"])
def test_frames_that_a_prompt_asks_for_are_the_video_that_is_handed_over(
    kind: Any, clip_file: Path
) -> None:
    message = Message("user", (Media.file("video", clip_file), Text("What?")))
    video = written(Prompt((message,), sampling=Sampling(kind, 2)))[0]
    info = probe(Media.file("video", video["path"]))
    assert info.seconds * info.frame_rate < 5  # of 20; the last one is shown to the end
    assert video["sound"] is not None


def test_roles_and_shorter_forms_travel(fake: Open) -> None:
    turns = (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text("1. a\n2. b\nWhat?", ("1. a\nWhat?", "What?")),)),
    )
    blocks = written(Prompt(turns))
    assert [block["role"] for block in blocks] == ["system", "user"]
    assert blocks[1]["shorter"] == ["1. a\nWhat?", "What?"]
    reply = asyncio.run(fake()(Prompt((*turns, Message("assistant", (Text("It."),))))))
    assert reply.text == "Be brief.\n\n1. a\n2. b\nWhat?\n\nYour reply was: It.|0"


def test_a_reply_has_text_evidence_usage_and_the_systems_name(fake: Open, clip_file: Path) -> None:
    backend = fake()
    video = Media.file("video", clip_file)
    beep = Media("audio", data=Waveform(np.full(8_000, 0.5, np.float32), 16_000))
    image = Media("image", data=Frames(np.zeros((1, 8, 8, 3), np.uint8), np.zeros(1)))
    reply = asyncio.run(backend(asked("say it", video, beep, image)))
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.images) == (2, 2, 1)
    assert evidence.sound_seconds == pytest.approx(2.5, abs=0.1)
    assert (reply.usage.input_tokens or 0) > 0
    assert reply.model == "Fake-1"
    assert (backend.memory_mb or 0) > 1
    assert ask(backend, "say STOP this", until=("STOP",)) == "say"


def test_draws_of_a_system_depend_on_the_seed_alone(fake: Open) -> None:
    backend = fake()
    first = ask(backend, "random", seed=1)
    assert ask(backend, "random", seed=2) != first
    assert ask(backend, "random", seed=1) == first


def test_a_worker_gets_no_keys_and_nothing_of_this_python(
    fake: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets: tuple[str, ...] = (
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "PYTHONPATH",
    )
    for name in secrets:
        monkeypatch.setenv(name, "very-secret")
    monkeypatch.setenv("HF_HOME", "/a/cache")
    monkeypatch.setenv("HF_TOKEN", "for-weights")
    monkeypatch.setenv("MY_LAB", "a-key-by-another-name")
    monkeypatch.setenv("THE_SAME", "x=a-key-by-another-name")
    OpenAIBackend("m", OpenAIOptions(server="vllm", key_env="MY_LAB"))
    secrets += ("MY_LAB", "THE_SAME")
    backend = fake()
    assert {ask(backend, f"environment {name}") for name in secrets} == {"not set"}
    assert ask(backend, "environment HF_HOME") == "/a/cache"
    assert ask(backend, "environment HF_TOKEN") == "for-weights"


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ("raise media", MediaError, "a.wav: is noise"),
        ("raise request", BackendError, "Too long.\nMake it shorter."),
        ("raise other", BackendError, "ValueError: upstream's own"),
    ],
)
def test_errors_of_an_adapter_are_errors_here_and_the_worker_goes_on(
    words: str, error: type[Exception], said: str, fake: Open
) -> None:
    backend = fake()
    before = ask(backend, "pid")
    with pytest.raises(error) as caught:
        ask(backend, words)
    assert said in str(caught.value)
    assert ask(backend, "pid") == before


@pytest.mark.parametrize("words", ["raise exit", "raise cuda"])
def test_errors_after_which_a_process_is_of_no_use_end_it(words: str, fake: Open) -> None:
    backend = fake()
    before = ask(backend, "pid")
    with pytest.raises(BackendError):
        ask(backend, words)
    assert ask(backend, "pid") != before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("lie", "1 of 1 sounds are neither in the prompt nor declared"),
        ("zeros", "1 sounds are said to be in the prompt, but no sound token was counted"),
    ],
)
def test_a_medium_that_an_adapter_says_nothing_about_is_an_error(
    words: str, said: str, fake: Open, clip_file: Path
) -> None:
    with pytest.raises(BackendError, match=said):
        ask(fake(), words, Media.file("video", clip_file))


def test_what_is_declared_as_left_out_is_evidence(fake: Open, clip_file: Path) -> None:
    reply = asyncio.run(fake()(asked("deaf", Media.file("video", clip_file))))
    assert reply.evidence.dropped == ("soundtrack: this one does not listen",)


def test_logits_travel_when_they_are_asked_for(fake: Open) -> None:
    backend = fake()
    logits = backend.next_token_logits(asked("say it"))
    assert logits is not None
    assert logits.tolist() == [0.0, 1.0]
    outcome = backend.pool.ask(written(asked("say it")), {}).result()
    assert "logits" not in outcome.reply


def test_a_tiny_instance_is_asked_for_by_an_option(fake: Open) -> None:
    assert ask(fake(tiny=True, seed=5), "say it") == "tiny 5: say it|0"


def test_the_identity_names_what_can_change_a_reply(fake: Open, tmp_path: Path) -> None:
    base = fake().identity
    assert base.startswith("sidecar:fake_system#")
    assert fake(workers=2, limit=5).identity == base
    others: list[dict[str, Any]] = [
        {"tiny": True},
        {"tiny": True, "seed": 1},
        {"decoding": "upstream"},
        {"prefix": "a"},
        {"max_new_tokens": 3},
        {"weights": str(tmp_path)},
        {"repo": str(tmp_path)},
    ]
    assert len({base, *(fake(**options).identity for options in others)}) == 1 + len(others)


def test_the_identity_knows_the_commit_of_a_checkout(fake: Open, tmp_path: Path) -> None:
    git = tmp_path / "repo" / ".git"
    git.mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{'a' * 40} refs/heads/main\n")
    packed = fake(repo=str(git.parent)).identity
    moved = tmp_path / "moved"
    shutil.copytree(git.parent, moved)
    assert fake(repo=str(moved)).identity == packed
    (moved / ".git" / "refs" / "heads").mkdir(parents=True)
    (moved / ".git" / "refs" / "heads" / "main").write_text("b" * 40)
    assert fake(repo=str(moved)).identity != packed


def _oldest_python() -> str:
    """Return the oldest interpreter from 3.8 on that really runs; a version manager's may not."""
    names = [os.environ.get("AURELIA_OLD_PYTHON", ""), *(f"python3.{n}" for n in range(8, 11))]
    for name in names:
        if name and shutil.which(name):
            done = subprocess.run([name, "-c", ""], capture_output=True, check=False)
            if done.returncode == 0:
                return name
    pytest.skip("no Python 3.8, 3.9 or 3.10 on the PATH, and AURELIA_OLD_PYTHON names none")


def test_the_worker_runs_in_older_pythons_with_the_standard_library_alone(tmp_path: Path) -> None:
    named = _oldest_python()
    worker = FAKE.parents[3] / "model_wrappers" / "sidecar" / "worker.py"
    lines = [
        '{"type": "load", "protocol": 1, "options": {"repo": "", "weights": "", "device": "cpu"}}',
        '{"type": "request", "id": "1", "blocks": [{"type": "text", "role": "user", '
        '"text": "say it"}], "generation": {}}',
        '{"type": "shutdown"}',
    ]
    process = subprocess.Popen(
        [named, "-I", "-S", str(worker), str(FAKE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(lines) + "\n")
    process.stdin.flush()
    said = process.stdout.read()  # to the end: it shuts down by itself
    assert '"text": "say it|0"' in said
    assert process.wait(timeout=20) == 0
