"""The AnyGPT adapter against a stand-in whose replies tell what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import image, reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

CHAT = "anygpt/src/infer/cli_infer_chat_model.py"


def place(folder: Path) -> Path:
    (folder / "seed_quantizer.pt").touch()
    return folder


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    with stand_in("anygpt", "anygpt_repo", place(tmp_path_factory.mktemp("anygpt"))) as opened:
        yield opened


def test_frames_are_images_and_sound_is_music(backend: SidecarBackend, clip_file: Path) -> None:
    reply, seen = told(backend, asked("What rings?", Media.file("video", clip_file)))
    frames = " ".join(2 * f"[{300_000 + n}]" for n in range(8))
    assert seen["prompt"] == f"[Human]: {frames} {4 * '[400000]'} What rings?<eoh>\n"
    assert seen["fp16"] is False  # on a CPU
    assert seen["EncodecModel"] == "facebook/encodec_32khz"
    assert (seen["do_sample"], seen["num_beams"]) == (False, 1)
    assert "min_new_tokens" not in seen  # of upstream's settings: it spoils short answers
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (8, 1, ())
    assert reply.usage.output_tokens == 3
    assert "extension" in reply.model


def test_five_seconds_of_one_sound(backend: SidecarBackend, clip_file: Path) -> None:
    video = Media.file("video", clip_file)
    reply, seen = told(backend, asked("Which?", video, sound(8.0), sound(1.0)))
    assert seen["music_seconds"] == [5.0]  # upstream would draw five of them
    assert reply.evidence.sound_seconds == 5.0
    assert reply.evidence.dropped == (
        "sound: the system takes one at a time",
        "soundtrack: the system takes one sound, and a separate one is given",
        "sound beyond 5 s: more than the model takes",
    )
    reply, seen = told(backend, asked("Which?", image(), image()))
    assert seen["prompt"].count("[30000") == 4
    assert reply.evidence.images == 2


def test_frames_as_many_as_asked_for_and_upstreams_decoding(
    tmp_path: Path, clip_file: Path
) -> None:
    options = {"frames": 3, "decoding": "upstream", "encodec": "/encodec"}
    with stand_in("anygpt", "anygpt_repo", place(tmp_path), **options) as backend:
        reply, seen = told(backend, asked("What?", Media.file("video", clip_file)))
    assert reply.evidence.frames == 3
    assert seen["EncodecModel"] == "/encodec"
    assert (seen["do_sample"], seen["num_beams"], seen["min_new_tokens"]) == (True, 5, 10)


def test_reasoning_goes_by_whole_steps(backend: SidecarBackend, clip_file: Path) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 25)
    reply, seen = told(backend, prompt)  # 1024 less 512 and the media
    assert "2. listen" in seen["prompt"]
    assert "3. listen" not in seen["prompt"]
    assert len(reply.evidence.dropped) == 2
    assert "earlier question" not in seen["prompt"]


def test_codes_of_pictures_and_music_are_taken_off_a_reply(
    backend: SidecarBackend, caplog: pytest.LogCaptureFixture
) -> None:
    reply, seen = told(backend, asked("Hello"))
    assert (seen["reply"], caplog.messages) == ([65, 65, 65], [])
    reply, seen = told(backend, asked("Please paint it."))
    assert seen["reply"] == [65]
    assert reply.usage.output_tokens == 3, "they were made"
    assert "2 codes of pictures or music in the reply: left out" in caplog.text


def test_codes_that_are_no_tokens_of_their_own_are_an_error(
    tmp_path: Path, clip_file: Path
) -> None:
    video = Media.file("video", clip_file)
    with (
        stand_in("anygpt", "anygpt_repo", place(tmp_path)) as backend,
        pytest.raises(BackendError, match=r"codes in the prompt: .*there should be"),
    ):
        told(backend, asked("A reader says <👀7>.", video))
    (tmp_path / "seed_quantizer.pt").unlink()
    with (
        stand_in("anygpt", "anygpt_repo", tmp_path) as backend,
        pytest.raises(ConfigError, match=r"0 of seed_quantizer\.pt; set seed="),
    ):
        told(backend, asked("Hello"))


def test_the_stand_in_has_upstreams_signatures() -> None:
    real, own = (
        signatures(folder / CHAT) for folder in (checkout("anygpt"), STUBS / "anygpt_repo")
    )
    name = "AnyGPTChatInference.preprocess"
    assert own[name] == real[name]
