"""X-InstructBLIP and CREMA: against stand-ins whose replies tell what they were asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from aurelia_plugin.errors import BackendError, ConfigError, MediaError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

SOUND, PICTURE = 64 * [-30], 128 * [-20]


def place(folder: Path) -> Path:
    """Lay files out like the weights of both."""
    (folder / "vicuna").mkdir()
    (folder / "vicuna" / "config.json").write_text("{}")
    for name in ("audio_qformer.pth", "video_qformer.pth", "BEATs_iter3_plus_AS2M.pt"):
        (folder / name).touch()
    own = {"model": {"t5_proj_rgb.bias": torch.zeros(2)}}
    torch.save(own, folder / "crema_pretrained.pth")
    return folder


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    weights = place(tmp_path_factory.mktemp("blip"))
    with stand_in("x_instructblip", "x_instructblip_repo", weights) as opened:
        yield opened


@pytest.fixture(scope="module")
def crema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    with stand_in("crema", "crema_repo", place(tmp_path_factory.mktemp("crema"))) as opened:
        yield opened


def test_x_instructblip_hears_first_and_is_asked_as_in_its_evaluation(
    blip: SidecarBackend, clip_file: Path
) -> None:
    reply, seen = told(blip, asked("What rings?", Media.file("video", clip_file)))
    assert seen["media"] == [*SOUND, *PICTURE]
    assert seen["prompt"] == "Question: What rings? Answer:"
    config = seen["config"]
    assert config["modalities"] == ["audio", "video"]
    assert config["llm_model"].endswith("vicuna")
    assert config["pretrained_audio_qformer"].endswith("audio_qformer.pth")
    assert config["audio_encoder_kwargs"]["checkpoint_path"].endswith("AS2M.pt")
    assert (config["load_pretrained"], config["video_precision"]) == (False, "fp32")
    assert seen["decoding"] == {"max_new_tokens": 512, "do_sample": False, "num_beams": 1}
    assert (reply.evidence.frames, reply.evidence.clips, reply.evidence.dropped) == (4, 1, ())
    assert reply.usage.output_tokens == 3


def test_crema_is_asked_in_upstreams_words(crema: SidecarBackend, clip_file: Path) -> None:
    reply, seen = told(crema, asked("What rings?", Media.file("video", clip_file)))
    assert seen["media"] == [*SOUND, *PICTURE]
    assert seen["text"] == (
        "Question: What rings? Based on the frames and audio information, answer the question "
        "using a single word or phase."
    )
    config = seen["config"]
    assert (config["modalities"], config["task"]) == ("audio_rgb", "concat")
    assert (config["load_finetuned"], config["load_pretrained"]) == (False, True)
    assert seen["beats"].endswith("BEATs_iter3_plus_AS2M.pt")  # not on the author's drive
    assert (reply.evidence.frames, reply.evidence.clips, reply.evidence.dropped) == (4, 1, ())
    assert reply.model == "CREMA 4B (audio and rgb), crema_pretrained.pth"


@pytest.mark.parametrize("system", ["blip", "crema"])
def test_one_medium_words_alone_and_a_long_sound(
    system: str, make_video: object, request: pytest.FixtureRequest
) -> None:
    backend = request.getfixturevalue(system)
    silent = Media.file("video", request.getfixturevalue("make_video")("silent.mp4"))
    _, seen = told(backend, asked("What?", silent))
    assert seen["media"] == PICTURE
    reply, seen = told(backend, asked("What?", sound(12.0)))
    assert seen["media"] == SOUND
    assert reply.evidence.dropped == ("sound beyond 10.24 s: more than the model takes",)
    reply, seen = told(backend, asked("What?"))
    assert seen["media"] == []
    assert reply.evidence.clips == 0


@pytest.mark.parametrize("system", ["blip", "crema"])
def test_sound_that_became_zeros_or_did_not_enter_is_an_error(
    system: str, clip_file: Path, request: pytest.FixtureRequest
) -> None:
    backend = request.getfixturevalue(system)
    with pytest.raises(MediaError, match="upstream's processor cannot take it in"):
        told(backend, asked("What?", sound(0.02)))
    with pytest.raises(BackendError, match="10 positions of sound entered the prompt"):
        told(backend, asked("deaf", Media.file("video", clip_file)))


def test_crema_has_as_many_tokens_of_text_as_t5_was_trained_with(
    crema: SidecarBackend, clip_file: Path
) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 130)
    reply, seen = told(crema, prompt)
    assert "3. listen" in seen["text"]
    assert "4. listen" not in seen["text"]
    assert len(reply.evidence.dropped) == 1
    with pytest.raises(BackendError, match="longer than this system takes"):
        told(crema, asked("why " * 520))


def test_x_instructblip_shows_the_q_formers_the_end_of_a_long_question(
    blip: SidecarBackend, clip_file: Path
) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 90)
    reply, seen = told(blip, prompt)
    assert "3. listen" not in seen["prompt"]
    assert len(reply.evidence.dropped) == 2


@pytest.mark.parametrize("system", ["x_instructblip", "crema"])
def test_upstreams_decoding(system: str, tmp_path: Path) -> None:
    options = {"decoding": "upstream"}
    with stand_in(system, f"{system}_repo", place(tmp_path), **options) as backend:
        _, seen = told(backend, asked("What?", sound(1.0), max_new_tokens=9))
    assert (seen["decoding"]["num_beams"], seen["decoding"]["max_new_tokens"]) == (5, 9)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    place(tmp_path)
    torch.save({"model": {"other": torch.zeros(1)}}, tmp_path / "crema_pretrained.pth")
    with (
        stand_in("crema", "crema_repo", tmp_path) as backend,
        pytest.raises(ConfigError, match="a checkpoint of another model"),
    ):
        told(backend, asked("What?"))


@pytest.mark.parametrize(
    ("system", "file", "model"),
    [
        (
            "x_instructblip",
            "lavis/models/blip2_models/blip2_vicuna_xinstruct.py",
            "Blip2VicunaXInstruct",
        ),
        ("crema", "lavis/models/crema_models/crema.py", "CREMA"),
    ],
)
def test_the_stand_ins_have_upstreams_signatures(system: str, file: str, model: str) -> None:
    real, own = (
        signatures(folder / file) for folder in (checkout(system), STUBS / f"{system}_repo")
    )
    for name in (f"{model}.generate", f"{model}.from_config"):
        assert own[name] == real[name]
