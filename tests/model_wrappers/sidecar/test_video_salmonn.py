"""The video-SALMONN adapter against a stand-in whose replies tell what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import image, reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

MEDIA = 30 * "[-7]"
DELTA = "pytorch_model_4_5001.pt"


def place(folder: Path) -> Path:
    """Lay files out like the published weights."""
    (folder / "vicuna").mkdir()
    (folder / "vicuna" / "config.json").write_text("{}")
    (folder / "BEATs_own.pt").touch()
    part = {"own.bias": torch.zeros(2)}
    for name in (DELTA, "instruct_blip_vicuna13b_trimmed.pth", "eva_vit_g.pth"):
        torch.save(part, folder / name)
    return folder


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    weights = place(tmp_path_factory.mktemp("salmonn"))
    with stand_in("video_salmonn", "video_salmonn_repo", weights) as opened:
        yield opened


def test_picture_and_sound_share_the_positions(backend: SidecarBackend, clip_file: Path) -> None:
    reply, seen = told(backend, asked("What rings?", Media.file("video", clip_file)))
    assert seen["prompt"] == f"USER: <Img>{MEDIA}</Img> What rings?\nASSISTANT:"
    assert seen["modality"] == "audiovideoimage"
    assert seen["heard"].endswith(".wav")
    assert seen["args"]["vicuna_ckpt_path"].endswith("vicuna")
    assert seen["args"]["delta_ckpt_path"].endswith(DELTA)
    assert seen["args"]["cache_dir"] is None  # the hub's own cache
    assert seen["beats"] == "BEATs_own.pt"  # under the name that upstream looks for
    assert seen["max_new_tokens"] == 512
    assert (seen["do_sample"], seen["num_beams"]) == (False, 1)
    assert "repetition_penalty" not in seen
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (4, 1, ())
    assert reply.usage.output_tokens == 3
    assert reply.usage.input_tokens == 1 + len("USER: <Img></Img> What rings?\nASSISTANT:") + 30


def test_one_medium_and_none(backend: SidecarBackend, make_video: Callable[[str], Path]) -> None:
    reply, seen = told(backend, asked("What?", Media.file("video", make_video("silent.mp4"))))
    assert seen["heard"] == "./dummy/silence.flac"  # which upstream masks out
    assert (reply.evidence.frames, reply.evidence.clips) == (4, 0)
    reply, seen = told(backend, asked("What?", sound(40.0)))
    assert (seen["modality"], reply.evidence.sound_seconds) == ("audio", 30.0)
    assert reply.evidence.dropped == ("sound beyond 30 s: more than the model takes",)
    reply, seen = told(backend, asked("What?", image(), sound(2.0)))
    assert seen["modality"] == "audioimage"
    assert (reply.evidence.images, reply.evidence.clips) == (1, 1)
    reply, seen = told(backend, asked("What?"))
    assert seen["prompt"] == "USER: <Img></Img> What?\nASSISTANT:"
    assert reply.evidence.clips == 0


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("forget", "10 of 30 positions of media entered the prompt"),
        ("cut", "could not read a part of the video"),
        ("deaf", "masked the sound"),
    ],
)
def test_what_upstream_loses_is_an_error(
    question: str, said: str, backend: SidecarBackend, clip_file: Path
) -> None:
    with pytest.raises(BackendError, match=said):
        told(backend, asked(question, Media.file("video", clip_file)))


def test_a_question_that_names_a_task_is_refused(backend: SidecarBackend) -> None:
    with pytest.raises(BackendError, match="Upstream puts other words in the place"):
        told(backend, asked("<asr>"))


def test_the_cue_to_answer_is_never_cut(backend: SidecarBackend, clip_file: Path) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 20)
    reply, seen = told(backend, prompt)
    assert seen["prompt"].endswith("What rings?\nASSISTANT:")
    assert "3. listen" in seen["prompt"]
    assert "4. listen" not in seen["prompt"]
    assert len(reply.evidence.dropped) == 1


def test_upstreams_decoding(tmp_path: Path) -> None:
    options = {"decoding": "upstream"}
    weights = place(tmp_path)
    with stand_in("video_salmonn", "video_salmonn_repo", weights, **options) as backend:
        _, seen = told(backend, asked("What?", sound(1.0), max_new_tokens=9))
    assert (seen["num_beams"], seen["repetition_penalty"], seen["max_new_tokens"]) == (5, 1.5, 9)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    torch.save({"other": torch.zeros(1)}, place(tmp_path) / DELTA)
    with (
        stand_in("video_salmonn", "video_salmonn_repo", tmp_path) as backend,
        pytest.raises(ConfigError, match="a checkpoint of another model"),
    ):
        told(backend, asked("What?"))


def test_the_stand_in_has_upstreams_signatures() -> None:
    folder, stub = checkout("video_salmonn"), STUBS / "video_salmonn_repo"
    model, items = signatures(folder / "model" / "openllama.py"), "sft_dataset_nomix.py"
    real = {**model, **signatures(folder / "datasets" / items)}
    own = {**signatures(stub / "model" / "openllama.py"), **signatures(stub / "datasets.py")}
    names = ["build_one_instance", "process_batch_instance"]
    names += [f"OpenLLAMAPEFTModel.{name}" for name in ("forward", "prompt_wrap")]
    own_set = "SupervisedAudioVisualDataset4Test"
    names += [f"{own_set}.{name}" for name in ("__init__", "get_clip_timepoints", "collate")]
    for name in names:
        assert own[name] == real[name], name
