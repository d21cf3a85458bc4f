"""The Macaw-LLM adapter against a stand-in whose replies tell what it was asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.catalogue import row
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.model_wrappers.readiness import lacks
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import image, reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

SOUND = "<audio>[-30][-30]</audio>"


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    with stand_in("macaw_llm", "macaw_llm_repo", tmp_path_factory.mktemp("macaw")) as opened:
        yield opened


def test_media_stand_between_their_marks_in_front_of_the_words(
    backend: SidecarBackend, clip_file: Path
) -> None:
    video = Media.file("video", clip_file)
    reply, seen = told(backend, asked("What rings?", video, image()))
    prompt = f"<image>[-40]</image>{SOUND}<video>[-20][-20][-20]</video>Do: What rings?\nDone:"
    assert seen["prompt"] == prompt
    assert seen["video"] == [1, 6, 3, 8, 8]
    assert seen["audio"] == [1, 80, 3000]
    assert (seen["do_sample"], seen["eos_token_id"]) == (False, 2)
    evidence = reply.evidence
    assert (evidence.frames, evidence.images, evidence.clips) == (6, 1, 1)
    assert reply.usage.output_tokens == 3


def test_a_missing_medium_is_left_out_and_its_own_limits_hold(backend: SidecarBackend) -> None:
    reply, seen = told(backend, asked("Hello", sound(31.0), max_new_tokens=2))
    assert seen["prompt"] == f"{SOUND}Do: Hello\nDone:"
    assert seen["max_new_tokens"] == 2  # upstream fixes 128
    assert reply.evidence.dropped == ("sound beyond 30 s: more than the model takes",)
    assert reply.usage.output_tokens == 2


def test_reasoning_goes_by_whole_steps(backend: SidecarBackend, clip_file: Path) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 80)
    reply, seen = told(backend, prompt)
    assert "2. listen" in seen["prompt"]
    assert "3. listen" not in seen["prompt"]
    assert len(reply.evidence.dropped) == 2


def test_a_sound_that_did_not_enter_whole_is_an_error(
    backend: SidecarBackend, clip_file: Path
) -> None:
    told(backend, asked("What?", Media.file("video", clip_file)))
    with pytest.raises(BackendError, match="1 positions of sound entered the prompt"):
        told(backend, asked("\N{SNOWMAN}", Media.file("video", clip_file), sound(1.0)))


@pytest.mark.parametrize("system", ["macaw_llm", "bay_cat"])
def test_no_weights_exist_and_the_catalogue_says_so(system: str) -> None:
    assert row(system).status == "code-only"
    assert "no weights exist" in [lack.what for lack in lacks(row(system))]


def test_without_somebodys_own_weights_it_does_not_load() -> None:
    where = {"repo": str(STUBS / "macaw_llm_repo"), "python": sys.executable, "device": "cpu"}
    pool = BackendPool("macaw_llm", where)
    try:
        with pytest.raises(ConfigError, match="no weights of Macaw-LLM were ever published"):
            asyncio.run(pool.target(asked("Hello")))
    finally:
        asyncio.run(pool.close())


def test_the_stand_in_has_upstreams_signatures() -> None:
    real = signatures(checkout("macaw_llm") / "modeling.py")
    own = signatures(STUBS / "macaw_llm_repo" / "modeling.py")
    for name in ("forward", "prepare_inputs_for_generation"):
        assert own[f"MM_LLMs.{name}"] == real[f"MM_LLMs.{name}"]
