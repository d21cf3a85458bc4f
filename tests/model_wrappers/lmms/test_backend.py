"""Models of lmms-eval behind the backend: stub models on the real base classes of the harness."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import lmms_eval.models
import numpy as np
import pytest
from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from lmms_eval.api.model import lmms
from lmms_eval.models import MODEL_REGISTRY_V2
from lmms_eval.models.chat._chat_base import ChatMixin
from making import beep
from PIL import Image

from aurelia_plugin.calling.backend import Backend, Generation, Message, Part, Prompt, Reply, Text
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Frames, Media
from aurelia_plugin.model_wrappers.lmms.backend import LmmsBackend, LmmsOptions, _Job
from aurelia_plugin.model_wrappers.lmms.forms import WrapperForm, form_of, forms, pack
from aurelia_plugin.model_wrappers.options import read_options


class Base(lmms):  # type: ignore[misc]
    """What a wrapper has before it answers; `calls` is what its model was given."""

    def __init__(self, batch_size: int = 1, voice: str = "plain", **_: Any) -> None:
        super().__init__()
        assert batch_size == 1
        self.batch_size = batch_size
        self.voice = voice
        self.calls: list[Any] = []
        self.batches: list[int] = []
        self.reply: Callable[[Any], Any] = lambda given: f"{self.voice} answer"

    def loglikelihood(self, requests: Any) -> Any:
        raise NotImplementedError

    generate_until_multi_round = loglikelihood


class ChatModel(ChatMixin, Base):  # type: ignore[misc]
    """Answers through the harness's own loop for chat wrappers."""

    def generate_until(self, requests: list[Instance]) -> list[str]:
        self.batches.append(len(requests))
        return list(super().generate_until(requests))

    def _infer_one(self, chat_messages: Any, gen_kwargs: dict[str, Any]) -> Any:
        blocks = [
            (block.type, getattr(block, "url", None) or block.text)
            for message in chat_messages.messages
            for block in message.content
        ]
        self.calls.append((blocks, dict(gen_kwargs)))
        gen_kwargs.clear()  # as wrappers do that pop what they have read
        return self.reply(blocks)


class SimpleModel(Base):
    """Reads its arguments as the bundled simple wrappers do."""

    def generate_until(self, requests: Sequence[Instance]) -> list[Any]:
        self.batches.append(len(requests))
        answers = []
        for request in requests:
            context, settings, doc_to_visual, doc_id, task, split = request.args
            visuals = doc_to_visual(self.task_dict[task][split][doc_id])
            self.calls.append((context, visuals, settings.pop("max_new_tokens")))
            answers.append(self.reply((context, visuals)))
        return answers


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., LmmsBackend]:
    def open_(model: str, **options: Any) -> LmmsBackend:
        def get_model(name: str, force_simple: bool = False) -> type:
            resolved = MODEL_REGISTRY_V2.resolve(name, force_simple=force_simple)
            return ChatModel if resolved.model_type == "chat" else SimpleModel

        monkeypatch.setattr(lmms_eval.models, "get_model", get_model)
        return LmmsBackend(model, read_options(LmmsOptions, options, model))

    return open_


def prompt(*parts: Part, tokens: int = 16, **settings: Any) -> Prompt:
    return Prompt((Message("user", parts),), Generation(max_new_tokens=tokens, **settings))


def ask(backend: Backend, *prompts: Prompt) -> list[Any]:
    async def together() -> list[Any]:
        return await asyncio.gather(*(backend(p) for p in prompts), return_exceptions=True)

    return asyncio.run(together())


def test_every_form_names_a_model_and_a_class_that_it_has() -> None:
    for model, form in forms().items():
        resolved = MODEL_REGISTRY_V2.resolve(model, force_simple=form.simple)
        assert (resolved.model_type == "simple") == form.simple, model


def test_a_chat_model_gets_video_and_sound_as_paths_in_order(
    opened: Callable[..., LmmsBackend], clip_file: Path
) -> None:
    backend = opened("qwen2_5_omni")
    parts = (Media.file("video", clip_file), Text("Audio A:"), beep(), Text("Which fits?"))
    reply = ask(backend, prompt(*parts, temperature=0.5))[0]
    assert reply.text == "plain answer"
    blocks, settings = backend.load().calls[0]
    assert [kind for kind, _ in blocks] == ["video", "audio", "text", "audio", "text"]
    assert blocks[0][1] == str(clip_file)
    assert all(Path(value).suffix == ".wav" for kind, value in blocks if kind == "audio")
    assert settings["max_new_tokens"] == 16
    assert (settings["temperature"], settings["do_sample"]) == (0.5, True)
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (20, 2, ())
    assert evidence.sound_seconds == pytest.approx(2.5, abs=0.1)


def test_requests_asked_together_go_in_one_call_and_do_not_mix(
    opened: Callable[..., LmmsBackend],
) -> None:
    backend = opened("qwen2_5_omni", gather=8)
    backend.load().reply = lambda blocks: f"about {blocks[-1][1]}"
    prompts = [prompt(Text(f"number {n}"), tokens=16 + n % 2) for n in range(6)]
    jobs = [_Job(pack(p, WrapperForm()), p.generation) for p in prompts]

    async def together() -> list[str]:
        return list(await asyncio.gather(*(backend._batcher(job) for job in jobs)))

    assert asyncio.run(together()) == [f"about number {n}" for n in range(6)]
    assert backend.load().batches == [6]
    # What the wrapper did to one request's settings did not reach the next.
    limits = sorted(settings["max_new_tokens"] for _, settings in backend.load().calls)
    assert limits == [16, 16, 16, 17, 17, 17]
    assert backend.load().task_dict == {}


def test_a_simple_model_gets_arrays_of_sound_and_one_text(
    opened: Callable[..., LmmsBackend], clip_file: Path
) -> None:
    backend = opened("phi4_multimodal")
    image = Media("image", data=Frames(np.full((1, 8, 8, 3), 9, np.uint8), np.zeros(1)))
    reply = ask(backend, prompt(Media.file("video", clip_file), image, Text("What?")))[0]
    context, (video, sound, picture), limit = backend.load().calls[0]
    assert (context, video, limit) == ("What?", str(clip_file), 16)
    assert sound["sampling_rate"] == 16_000
    assert sound["array"].dtype == np.float32
    assert isinstance(picture, Image.Image)
    assert (reply.evidence.clips, reply.evidence.images) == (1, 1)


@pytest.mark.parametrize(
    ("model", "frames", "clips", "dropped"),
    [
        ("omnivinci", 20, 1, ("sound: several sounds break this model's code",)),
        ("ola", 20, 1, ("sound: the wrapper takes one medium a prompt",)),
        ("uni_moe_2_omni", 20, 1, ("sound: only the first of a kind gets a place in the prompt",)),
        ("qwen2_audio", 0, 2, ("video: the model takes no pictures",)),
        (
            "video_salmonn_2",
            20,
            0,
            (
                "soundtrack: the wrapper loads the model without its sound branch",
                "sound: the wrapper loads the model without its sound branch",
            ),
        ),
    ],
)
def test_what_a_wrapper_is_known_to_lose_is_declared(
    model: str, frames: int, clips: int, dropped: tuple[str, ...], clip_file: Path
) -> None:
    asked = prompt(Media.file("video", clip_file), beep(), Text("?"))
    evidence = pack(asked, form_of(model)).evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (frames, clips, dropped)


def test_effects_are_in_the_files_that_are_handed_over(clip_file: Path) -> None:
    from dataclasses import replace

    video = Media.file("video", clip_file)
    inside = WrapperForm(soundtrack="in_video")

    def handed(medium: Media, form: WrapperForm) -> Media:
        url = pack(prompt(medium), form).messages[0]["content"][0]["url"]
        return Media.file("video", url)

    assert handed(video, inside).path == clip_file
    assert (
        handed(replace(video, silenced=True), WrapperForm()).path == clip_file
    )  # its wav is silent
    silent = waveform(handed(replace(video, silenced=True), inside))
    assert silent is not None
    assert float(np.abs(silent.samples).max()) < 1e-3
    blank = handed(replace(video, blanked=True), WrapperForm())
    with av.open(str(blank.path)) as container:
        assert all(
            frame.to_ndarray(format="gray").max() < 24 for frame in container.decode(video=0)
        )
    payload = pack(prompt(replace(video, silenced=True)), WrapperForm())
    assert not np.any(payload.visuals[1]["array"])


@pytest.mark.parametrize(
    "output",
    ["", "  ", "[LMMS_EVAL_REQUEST_FAILED after 5 retries] x", "[SAFETY_BLOCKED] HARM"],
)
def test_what_stands_for_a_failure_is_one(output: str, opened: Callable[..., LmmsBackend]) -> None:
    backend = opened("gemini", gather=4)
    backend.load().reply = lambda blocks: output if "bad" in blocks[0][1] else "good"
    good, bad = ask(backend, prompt(Text("good")), prompt(Text("bad")))
    assert isinstance(good, Reply)
    assert isinstance(bad, BackendError)
    assert repr(output) in str(bad)


def test_an_exception_of_the_model_is_a_failure(opened: Callable[..., LmmsBackend]) -> None:
    def broken(_: Any) -> str:
        raise RuntimeError("out of memory")

    backend = opened("qwen2_5_omni")
    backend.load().reply = broken  # the harness's own loop turns this into ""
    assert isinstance(ask(backend, prompt(Text("?")))[0], BackendError)


def test_counted_tokens_and_stop_strings_are_taken_over(
    opened: Callable[..., LmmsBackend],
) -> None:
    backend = opened("ola")
    backend.load().reply = lambda _: GenerationResult("yes; no", TokenCounts(7, 3))
    reply = ask(backend, prompt(Text("?"), until=(";",)))[0]
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("yes", 7, 3)


def test_model_args_reach_the_wrapper_and_the_identity(opened: Callable[..., LmmsBackend]) -> None:
    own = opened("ola", model_args=json.dumps({"voice": "loud"}))
    assert ask(own, prompt(Text("?")))[0].text == "loud answer"
    assert own.identity != opened("ola").identity
    assert own.identity == opened("ola", model_args='{"voice":"loud"}', gather=2).identity
    with pytest.raises(ConfigError, match="model_args"):
        opened("ola", model_args="voice")


def test_a_model_that_cannot_be_had_says_why() -> None:
    with pytest.raises(ConfigError, match="no model 'no_such_model'"):
        LmmsBackend("no_such_model")
    with pytest.raises(ConfigError, match="own wrapper"):
        LmmsBackend("aurelia_embedded")
    failed = ask(LmmsBackend("ola"), prompt(Text("?")))[0]  # its code is not installed
    assert isinstance(failed, ConfigError)
    assert "ola cannot be loaded" in str(failed)
