"""PandaGPT and NExT-GPT: against stand-ins whose replies tell what they were asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from aurelia_plugin.calling.backend import Message, Prompt, Text
from aurelia_plugin.errors import BackendError, ConfigError, MediaError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import image, reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

CUT = "text: one reasoning step at the end, more than the model takes"


def place(folder: Path) -> Path:
    """Lay files out like the published weights."""
    (folder / "vicuna").mkdir()
    (folder / "vicuna" / "config.json").write_text("{}")
    (folder / "imagebind_huge.pth").write_bytes(b"")
    torch.save({"own.bias": torch.zeros(2)}, folder / "pytorch_model.pt")
    return folder


@pytest.fixture(scope="module")
def panda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    with stand_in("pandagpt", "pandagpt_repo", place(tmp_path_factory.mktemp("panda"))) as backend:
        yield backend


@pytest.fixture(scope="module")
def next_gpt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    with stand_in("next_gpt", "next_gpt_repo", place(tmp_path_factory.mktemp("next"))) as backend:
        yield backend


def test_pandagpt_sums_picture_and_sound_in_upstreams_prompt(
    panda: SidecarBackend, clip_file: Path
) -> None:
    reply, seen = told(panda, asked("What rings?", Media.file("video", clip_file)))
    assert seen["prompt"] == "%%% Human: <Img>[-301]</Img> What rings?\n%%% Assistant:"
    assert seen["stops"] == [[2277]]
    assert seen["args"]["vicuna_ckpt_path"].endswith("vicuna")
    assert seen["args"]["lora_r"] == 32
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (10, 1, ())
    assert evidence.sound_seconds == pytest.approx(2.0, abs=0.1)
    assert reply.usage.output_tokens == 3  # without the mark of the beginning
    assert reply.usage.input_tokens == 1 + len("%%% Human: <Img>") + 1 + len(
        "</Img> What rings?\n%%% Assistant:"
    )


def test_pandagpt_is_greedy_unless_asked_otherwise(panda: SidecarBackend) -> None:
    _, seen = told(panda, asked("Hello", max_new_tokens=9))
    assert seen["prompt"] == "%%% Human: <Img></Img> Hello\n%%% Assistant:"
    assert (seen["do_sample"], seen["max_new_tokens"]) == (False, 9)
    assert "top_p" not in seen
    logits = panda.next_token_logits(asked("Hello"))
    assert logits is not None
    assert logits.tolist() == [float(ord(":"))] * 4


def test_pandagpt_takes_one_of_each(panda: SidecarBackend, clip_file: Path) -> None:
    video = Media.file("video", clip_file)
    reply, seen = told(panda, asked("Which?", video, image(), sound(20.0), sound(1.0)))
    assert "[-321]" in seen["prompt"]
    assert seen["sound_seconds"] == 20.0
    assert reply.evidence.sound_seconds == 6.0
    assert reply.evidence.dropped == (
        "sound: the system takes one at a time",
        "soundtrack: the system takes one sound, and a separate one is given",
        "sound outside the excerpts: not heard",
    )


def test_pandagpt_shortens_reasoning_by_whole_steps(panda: SidecarBackend, clip_file: Path) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 80)
    reply, seen = told(panda, prompt)  # 2048 positions less 512 for the reply
    assert "\n2. listen" in seen["prompt"]
    assert "3. listen" not in seen["prompt"]
    assert reply.evidence.dropped == (CUT, CUT)
    with pytest.raises(BackendError, match="longer than this system takes"):
        told(panda, asked("why " * 500))


def test_pandagpt_without_its_vector_in_the_prompt_fails(
    panda: SidecarBackend, clip_file: Path
) -> None:
    with pytest.raises(BackendError, match="vector of picture and sound is not in the prompt"):
        told(panda, asked("forget", Media.file("video", clip_file)))


def test_a_part_that_is_of_another_model_is_refused(tmp_path: Path) -> None:
    place(tmp_path)
    torch.save({"other.bias": torch.zeros(2)}, tmp_path / "pytorch_model.pt")
    with (
        stand_in("pandagpt", "pandagpt_repo", tmp_path) as backend,
        pytest.raises(ConfigError, match=r"of another model: it holds other\.bias"),
    ):
        told(backend, asked("What?"))


def test_next_gpt_keeps_each_medium_in_its_place(next_gpt: SidecarBackend, clip_file: Path) -> None:
    video = Media.file("video", clip_file)
    reply, seen = told(next_gpt, asked("Is 1 < 2 and 3 > 2?", video))
    # One chunk: upstream's own function would take the question apart at its signs.
    prompt = "%%% Human:{[-1]}and{[-300]}Is 1 < 2 and 3 > 2?\n%%% Assistant:"
    assert seen["prompt"] == prompt
    assert seen["args"]["settings"] == "legacy"
    assert seen["stops"] == [[[835]]]
    assert (reply.evidence.frames, reply.evidence.clips, reply.evidence.dropped) == (10, 1, ())
    turns = Message("user", (Text("A:"), sound(1.0), Text("B:"), sound(1.0), Text("Which?")))
    reply, seen = told(next_gpt, Prompt((turns,)))
    assert seen["prompt"] == "%%% Human: A:{[-300]}B:{[-300]}Which?\n%%% Assistant:"
    assert reply.evidence.clips == 2


def test_next_gpt_declares_what_is_too_much(next_gpt: SidecarBackend, clip_file: Path) -> None:
    sounds = [sound(1.0) for _ in range(5)]
    reply, seen = told(next_gpt, asked("Which?", *sounds))
    assert seen["prompt"].count("[-300]") == reply.evidence.clips == 4
    assert reply.evidence.dropped == ("sound: more than the system takes in a prompt",)
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 80)
    reply, _ = told(next_gpt, prompt)
    assert reply.evidence.dropped == (CUT, CUT)


@pytest.mark.parametrize("system", ["pandagpt", "next_gpt"])
def test_upstreams_decoding(system: str, tmp_path: Path) -> None:
    options = {"decoding": "upstream"}
    with stand_in(system, f"{system}_repo", place(tmp_path), **options) as backend:
        _, seen = told(backend, asked("Hello", max_new_tokens=9))
    top_p, temperature = {"pandagpt": (0.01, 1.0), "next_gpt": (1.0, 0.4)}[system]
    assert (seen["do_sample"], seen["top_p"], seen["temperature"]) == (True, top_p, temperature)


def test_silence_is_no_error_and_unreadable_sound_is(panda: SidecarBackend) -> None:
    reply, _ = told(panda, asked("What?", sound(1.0, level=0.0)))
    assert reply.evidence.clips == 1
    with pytest.raises(MediaError):
        told(panda, asked("What?", sound(0.0)))


@pytest.mark.parametrize(
    ("system", "folder", "names"),
    [
        (
            "pandagpt",
            "code/model/openllama.py",
            ["extract_multimodal_feature", "prepare_generation_embedding", "generate"],
        ),
        (
            "next_gpt",
            "NExT-GPT-Lagacy/code/model/anyToImageVideoAudio.py",
            ["_prepare_image_embed", "_prepare_video_embed", "_prepare_audio_embed"],
        ),
    ],
)
def test_the_stand_ins_have_upstreams_signatures(
    system: str, folder: str, names: list[str]
) -> None:
    real = signatures(checkout(system) / folder)
    own = signatures(STUBS / f"{system}_repo" / folder)
    model = {"pandagpt": "OpenLLAMAPEFTModel", "next_gpt": "NextGPTModel"}[system]
    compared = [f"{model}.{name}" for name in ("__init__", *names)]
    assert {name: own[name] for name in compared} == {name: real[name] for name in compared}
    assert real["StoppingCriteriaSub.__init__"] == own.get(
        "StoppingCriteriaSub.__init__", ["self", "stops", "encounters"]
    )
