"""The OneLLM adapter against a stand-in whose replies tell what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

VIDEO = f"[-9]{30 * '[-10]'}[-11]"
SOUND = f"[-29]{30 * '[-30]'}[-31]"


def place(folder: Path) -> Path:
    part = {"llma.layers.0.bias": torch.zeros(4)}
    torch.save(part, folder / "consolidated.00-of-01.pth")
    return folder


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    with stand_in("onellm", "onellm_repo", place(tmp_path_factory.mktemp("onellm"))) as opened:
        yield opened


def test_both_media_stand_between_their_own_marks(backend: SidecarBackend, clip_file: Path) -> None:
    reply, seen = told(backend, asked("What rings?", Media.file("video", clip_file)))
    assert seen["prompt"] == f"{VIDEO}{SOUND}%%%Human:What rings?%%%Assistant:"
    assert seen["modal"] == ["both"]
    assert (seen["temperature"], seen["top_p"]) == (0.0, 1.0)
    assert (reply.evidence.frames, reply.evidence.clips, reply.evidence.dropped) == (5, 1, ())
    assert reply.usage.input_tokens == 1 + 64 + len("%%%Human:What rings?%%%Assistant:")
    assert reply.model == "OneLLM-7B (joint, extension)"


@pytest.mark.parametrize(
    ("media", "prompt", "dropped", "name"),
    [
        ("video", VIDEO, "soundtrack: media=video", "OneLLM-7B (video only)"),
        ("audio", SOUND, "video: media=audio", "OneLLM-7B (audio only)"),
    ],
)
def test_one_medium_as_published(
    media: str, prompt: str, dropped: str, name: str, tmp_path: Path, clip_file: Path
) -> None:
    options = {"media": media, "decoding": "upstream"}
    with stand_in("onellm", "onellm_repo", place(tmp_path), **options) as backend:
        reply, seen = told(backend, asked("What?", Media.file("video", clip_file)))
    assert seen["prompt"] == f"{prompt}%%%Human:What?%%%Assistant:"
    assert seen["modal"] == [media]
    assert (seen["temperature"], seen["top_p"]) == (0.1, 0.75)
    assert reply.evidence.dropped == (dropped,)
    assert reply.model == name


def test_words_alone_and_a_long_sound(backend: SidecarBackend) -> None:
    reply, seen = told(backend, asked("Hello", max_new_tokens=2))
    assert seen["prompt"] == "%%%Human:Hello%%%Assistant:"
    assert reply.usage.output_tokens == 2
    reply, seen = told(backend, asked("Hello", sound(12.0)))
    assert seen["modal"] == ["audio"]
    assert reply.evidence.sound_seconds == 10.24
    assert reply.evidence.dropped == ("sound beyond 10.24 s: more than the model takes",)


def test_reasoning_goes_by_whole_steps(backend: SidecarBackend, clip_file: Path) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 80)
    reply, seen = told(backend, prompt)
    assert "2. listen" in seen["prompt"]
    assert "3. listen" not in seen["prompt"]
    assert len(reply.evidence.dropped) == 2


def test_a_sound_that_did_not_enter_is_an_error(backend: SidecarBackend, clip_file: Path) -> None:
    with pytest.raises(BackendError, match="0 positions of sound entered the prompt"):
        told(backend, asked("forget", Media.file("video", clip_file)))


def test_an_unknown_medium_is_named(tmp_path: Path) -> None:
    with (
        stand_in("onellm", "onellm_repo", place(tmp_path), media="touch") as backend,
        pytest.raises(ConfigError, match="media=touch: choose one of joint, video, audio"),
    ):
        told(backend, asked("Hello"))


def test_the_stand_in_has_upstreams_signatures() -> None:
    real, own = (
        signatures(folder / "model") for folder in (checkout("onellm"), STUBS / "onellm_repo")
    )
    assert own["MetaModel.__init__"] == real["MetaModel.__init__"]
    assert own["MetaModel.generate"] == real["MetaModel.generate"]
    for name in ("encode_image", "forward_inference"):
        assert own[f"Llama.{name}"] == real[f"Transformer.{name}"]
