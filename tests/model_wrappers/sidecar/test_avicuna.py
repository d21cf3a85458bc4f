"""The AVicuna adapter against a stand-in whose replies tell what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

SEEN = 75 * [-20]


def place(folder: Path) -> Path:
    """Lay files out as upstream's README does."""
    for stage in (1, 2, 3, 4):
        (folder / f"avicuna-vicuna-v1-5-7b-stage{stage}").mkdir()
    for name in ("ViT-L-14.pt", "630k-fusion-best.pt"):
        (folder / name).touch()
    return folder


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    with stand_in("avicuna", "avicuna_repo", place(tmp_path_factory.mktemp("avicuna"))) as opened:
        yield opened


def test_upstreams_function_gets_the_features_of_both(
    backend: SidecarBackend, clip_file: Path
) -> None:
    reply, seen = told(
        backend, asked("What rings?", Media.file("video", clip_file), max_new_tokens=256)
    )
    assert seen["prompt"] == "A chat. USER:<video>\n What rings? ASSISTANT:"
    assert seen["media"] == [*25 * [-30], *SEEN]
    assert seen["places"]["model_base"] == "lmsys/vicuna-7b-v1.5"
    assert seen["places"]["pretrain_mm_mlp_adapter"].endswith("stage1/mm_projector.bin")
    assert [Path(stage).name[-6:] for stage in seen["stages"]] == ["stage3", "stage4"]
    assert seen["clap"][0].endswith("630k-fusion-best.pt")
    assert (seen["decoding"]["do_sample"], seen["decoding"]["max_new_tokens"]) == (False, 256)
    assert "temperature" not in seen["decoding"]
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (75, 1, ())
    assert reply.usage.output_tokens == 3
    assert reply.usage.input_tokens == 100 + len(seen["prompt"]) + 1 - len("<video>")


@pytest.mark.parametrize(
    ("seconds", "windows", "heard", "dropped"),
    [
        (3.0, 1, 3.0, ()),
        (10.5, 1, 10.0, ()),
        (20.0, 3, 18.0, ("sound outside the windows: not heard",)),
        (29.0, 6, 29.0, ()),
        (130.0, 25, 106.0, ("sound outside the windows: not heard",)),
    ],
)
def test_windows_of_ten_seconds_begin_every_four(
    seconds: float, windows: int, heard: float, dropped: tuple[str, ...], backend: SidecarBackend
) -> None:
    reply, seen = told(backend, asked("What?", sound(seconds), max_new_tokens=9))
    assert seen["media"] == [-30 - n for n in range(windows)]
    assert reply.evidence.sound_seconds == heard
    assert reply.evidence.dropped == dropped


def test_few_windows_are_repeated_the_first_ones_most(
    backend: SidecarBackend, clip_file: Path
) -> None:
    video = Media.file("video", clip_file)
    _, seen = told(backend, asked("What?", video, sound(20.0), max_new_tokens=9))
    assert seen["media"][:25] == [*9 * [-30], *8 * [-31], *8 * [-32]]


def test_a_sound_of_a_second_is_declared_as_left_out(backend: SidecarBackend) -> None:
    reply, seen = told(backend, asked("What?", sound(0.9), max_new_tokens=9))
    assert seen["prompt"] == "A chat. USER:What? ASSISTANT:"
    assert reply.evidence.dropped == (
        "sound: of sounds of a second or less upstream keeps nothing",
    )


def test_a_silent_video_has_zeros_in_the_place_of_sound(
    backend: SidecarBackend, make_video: Callable[[str], Path]
) -> None:
    video = Media.file("video", make_video("silent.mp4"))
    reply, seen = told(backend, asked("What?", video, max_new_tokens=9))
    assert seen["media"] == SEEN
    assert (reply.evidence.frames, reply.evidence.clips) == (75, 0)
    assert reply.usage.input_tokens == 100 + len(seen["prompt"]) + 1 - len("<video>")


def test_what_does_not_fit_or_did_not_enter(
    backend: SidecarBackend, clip_file: Path, tmp_path: Path
) -> None:
    video = Media.file("video", clip_file)
    options = {"max_new_tokens": 256}
    with stand_in("avicuna", "avicuna_repo", place(tmp_path), **options) as small:
        reply, seen = told(small, reasoned(video, "What rings?", 4, "listen " * 8))
    assert "1. listen" in seen["prompt"]
    assert "2. listen" not in seen["prompt"]
    assert len(reply.evidence.dropped) == 3
    with pytest.raises(BackendError, match="A question holds <video>"):
        told(backend, asked("Is <video> a tag?"))
    with pytest.raises(BackendError, match="5 positions of sound entered the prompt"):
        told(backend, asked("deaf", video, max_new_tokens=9))


def test_upstreams_decoding(tmp_path: Path) -> None:
    options = {"decoding": "upstream"}
    with stand_in("avicuna", "avicuna_repo", place(tmp_path), **options) as backend:
        _, seen = told(backend, asked("What?", sound(2.0), max_new_tokens=9))
    assert (seen["decoding"]["temperature"], seen["decoding"]["max_new_tokens"]) == (0.05, 9)


def test_the_stand_in_has_upstreams_signatures() -> None:
    real, own = (
        signatures(one / "avicuna") for one in (checkout("avicuna"), STUBS / "avicuna_repo")
    )
    names = ["inference", "audio_feat_extraction", "load_pretrained_model"]
    for name in [*names, "tokenizer_image_token", "VideoExtractor.extract"]:
        assert own[name] == real[name], name
