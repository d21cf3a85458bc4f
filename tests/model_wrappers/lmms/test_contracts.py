"""lmms-eval's own wrappers, run on stand-ins for the model packages that they import.

What counts as delivered, and what is declared as dropped, has to be what the upstream model is
given: no more and no less.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from lmms_eval.models import get_model
from lmms_libraries import Given, wrappers
from lmms_models import ANSWER, STAND_INS, Log
from making import beep
from media.conftest import MakeVideo, grey_frames

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Reply, Text
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.clip import Frames, Media
from aurelia_plugin.model_wrappers.catalogue import Row, rows
from aurelia_plugin.model_wrappers.lmms.backend import LmmsBackend, LmmsOptions, _Job
from aurelia_plugin.model_wrappers.lmms.forms import form_of, pack
from aurelia_plugin.model_wrappers.options import read_options

__all__ = ["wrappers"]


class Target:
    """One row of the catalogue on its stand-in."""

    def __init__(self, row: Row, patch: pytest.MonkeyPatch) -> None:
        assert row.backend is not None
        self.row = row
        self.model = row.backend.partition(":")[2]
        self.log = Log()
        STAND_INS[self.model](patch, self.log)
        self.backend = LmmsBackend(self.model, read_options(LmmsOptions, row.options, row.id))

    def ask(self, *prompts: tuple[Part, ...]) -> list[Reply]:
        async def together() -> list[Reply]:
            asked = [
                Prompt((Message("user", parts),), Generation(max_new_tokens=7)) for parts in prompts
            ]
            return await asyncio.gather(*(self.backend(one) for one in asked))

        return asyncio.run(together())


@pytest.fixture(params=sorted(STAND_INS))
def target(request: pytest.FixtureRequest, wrappers: pytest.MonkeyPatch) -> Target:
    return Target(rows()[request.param], wrappers)


def agrees(given: Given, reply: Reply) -> None:
    """What was counted is what the model has."""
    assert given.sounds == reply.evidence.clips, (given, reply.evidence)
    assert bool(given.pictures) == bool(reply.evidence.frames + reply.evidence.images), given


def test_video_and_sound_reach_the_model_or_are_declared_as_dropped(
    target: Target, clip_file: Path
) -> None:
    reply = target.ask((Media.file("video", clip_file), Text("What rings?")))[0]
    given = target.log[0]
    assert reply.text == ANSWER
    assert "What rings?" in given.text
    assert given.settings["max_new_tokens"] == 7
    agrees(given, reply)
    declared = {entry.partition(":")[0] for entry in reply.evidence.dropped}
    sees, hears = "video" in target.row.sees, target.row.hears.soundtrack
    assert (given.pictures > 0) is sees is ("video" not in declared)
    assert (given.sounds > 0) is hears is ("soundtrack" not in declared)


def test_several_sounds_reach_the_model_or_are_declared_as_dropped(
    target: Target, clip_file: Path
) -> None:
    video = Media.file("video", clip_file)
    reply = target.ask((video, Text("A:"), beep(300), Text("B:"), beep(500), Text("Which?")))[0]
    agrees(target.log[0], reply)
    assert reply.evidence.clips + len(reply.evidence.dropped) == 3 + (not target.row.sees)


def test_several_pictures_reach_the_model_or_are_declared_as_dropped(target: Target) -> None:
    bright = [picture(level) for level in (90, 150, 210)]
    reply = target.ask((*bright, Text("Which is brightest?")))[0]
    given = target.log[0]
    assert given.pictures == reply.evidence.images
    assert reply.evidence.images + len(reply.evidence.dropped) == 3


def picture(level: int) -> Media:
    return Media("image", data=Frames(np.full((1, 32, 32, 3), level, np.uint8), np.zeros(1)))


def test_muted_blanked_and_no_media_at_all(target: Target, clip_file: Path) -> None:
    video = Media.file("video", clip_file)
    target.ask((replace(video, silenced=True), Text("?")))
    assert target.log[-1].sounds == 0
    target.ask((replace(video, blanked=True), Text("?")))
    assert target.log[-1].pictures == 0
    reply = target.ask((Text("Only words."),))[0]
    assert "Only words." in target.log[-1].text
    assert (target.log[-1].pictures, target.log[-1].sounds) == (0, 0)
    assert (reply.evidence.images, reply.evidence.clips, reply.evidence.dropped) == (0, 0, ())


def test_prompts_of_one_call_keep_their_own_media(target: Target, clip_file: Path) -> None:
    """Some wrappers carry a kind of media from one request of a call to the next."""
    video = Media.file("video", clip_file)
    asked = {
        "first and longest": (video,),
        "second": (),
        "the third": (picture(90),),
    }
    jobs = {}
    for text, media in asked.items():
        prompt = Prompt((Message("user", (*media, Text(text))),), Generation(max_new_tokens=7))
        jobs[text] = _Job(pack(prompt, form_of(target.model)), prompt.generation)

    async def at_once() -> list[str]:
        calls = (target.backend._batcher(job) for job in jobs.values())
        return list(await asyncio.gather(*calls))

    assert asyncio.run(at_once()) == [ANSWER] * 3
    for text, job in jobs.items():
        (given,) = (given for given in target.log if text in given.text)
        agrees(given, Reply(text=text, evidence=job.payload.evidence))


SIGNATURES = yaml.safe_load(Path(__file__).with_name("signatures.yaml").read_text())


def test_the_wrapper_is_the_one_that_was_read(
    wrappers: pytest.MonkeyPatch, wrapper_id: str
) -> None:
    """A change upstream is noticed here: read the wrapper again, then write down what it is now."""
    if wrapper_id in STAND_INS:
        STAND_INS[wrapper_id](wrappers, Log())
    kind = get_model(wrapper_id, force_simple=form_of(wrapper_id).simple)
    assert described(kind) == SIGNATURES[wrapper_id]


def test_the_weights_of_a_row_are_those_that_its_wrapper_loads() -> None:
    for name, read in SIGNATURES.items():
        given = json.loads(rows()[name].options.get("model_args", "{}"))
        default = read["arguments"]["pretrained"].strip("'")
        assert rows()[name].weights == given.get("pretrained", default), name


def described(kind: type) -> dict[str, Any]:
    """Return the constructor's arguments, and a digest of the code that reads the requests."""
    own = [base for base in kind.__mro__ if base.__module__.startswith("lmms_eval.models.")]
    arguments = {
        name: None if parameter.default is inspect.Parameter.empty else repr(parameter.default)
        for base in own
        for name, parameter in inspect.signature(base.__init__).parameters.items()  # type: ignore[misc]
        if name not in ("self", "args", "kwargs")
    }
    source = "".join(inspect.getsource(sys.modules[base.__module__]) for base in own)
    return {"arguments": arguments, "source": hashlib.sha256(source.encode()).hexdigest()[:16]}


@pytest.fixture(params=sorted(SIGNATURES))
def wrapper_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".MOV"])
def test_videos_of_other_containers_and_without_sound(
    target: Target, ending: str, make_video: MakeVideo
) -> None:
    silent = make_video(f"clip{ending}", grey_frames(range(60, 200, 10)))
    reply = target.ask((Media.file("video", silent), Text("What is it?")))[0]
    agrees(target.log[0], reply)
    assert (target.log[0].pictures > 0) is ("video" in target.row.sees)
    assert reply.evidence.clips == 0


def test_every_row_has_a_stand_in_or_an_upstream_run() -> None:
    from .test_upstream import UPSTREAM

    models = {row.id for row in rows().values() if (row.backend or "").startswith("lmms:")}
    assert models == {*STAND_INS, *UPSTREAM} == {*SIGNATURES}


def test_arguments_that_would_lose_a_medium_are_refused() -> None:
    assert form_of("uni_moe_2_omni").model_args == {"use_audio_in_video": True}
    options: dict[str, Any] = {"model_args": '{"use_audio_in_video": false}'}
    with pytest.raises(ConfigError, match="loses a medium"):
        LmmsBackend("uni_moe_2_omni", read_options(LmmsOptions, options, "x"))


def test_the_openai_class_gets_its_sounds_as_files(
    wrappers: pytest.MonkeyPatch, clip_file: Path
) -> None:
    """Arrays of sound are dropped by it without a word."""
    backend = LmmsBackend("openai", LmmsOptions(model_args='{"api_key": "none"}'))
    sent: list[dict[str, Any]] = []

    def create(**payload: Any) -> Any:
        sent.append(payload)
        message = SimpleNamespace(content=ANSWER)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)], usage=None)

    completions = SimpleNamespace(completions=SimpleNamespace(create=create))
    wrappers.setattr(backend.load(), "client", SimpleNamespace(chat=completions))
    parts = (Media.file("video", clip_file), beep(), Text("Which?"))
    reply = asyncio.run(backend(Prompt((Message("user", parts),), Generation(max_new_tokens=7))))
    assert reply.text == ANSWER
    kinds = [block["type"] for block in sent[0]["messages"][0]["content"]]
    assert kinds.count("input_audio") == reply.evidence.clips == 2
    assert kinds.count("image_url") > 0


def test_a_wrapper_that_nobody_looked_into_is_said_to_be_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    LmmsBackend("llava_hf")
    assert "was not looked into" in caplog.text
    caplog.clear()
    LmmsBackend("qwen2_5_omni")
    assert not caplog.text


def test_a_missing_module_that_would_lose_a_medium_is_said(
    wrappers: pytest.MonkeyPatch, clip_file: Path
) -> None:
    target = Target(rows()["minicpm_o"], wrappers)
    wrappers.delitem(sys.modules, "decord")
    with pytest.raises(ConfigError, match="decord cannot be imported"):
        target.ask((Media.file("video", clip_file), Text("?")))
