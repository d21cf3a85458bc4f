"""What OpenAI's models and SGLang's server take, by stand-ins that refuse all else.

OpenAI: https://developers.openai.com/api/docs/models/gpt-audio-1.5 (text and sound, no pictures, no
structured outputs) and docs/guides/audio (`input_audio`, base64, wav or mp3); SGLang:
https://docs.sglang.io/docs/basic_usage/openai_api_vision and its protocol.py.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from fake_servers import Answer, Request, Server, completion, serving
from making import beep
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Text
from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Words(Strict):
    type: Literal["text"]
    text: str


class Sound(Strict):
    data: str
    format: Literal["wav", "mp3"]


class InputAudio(Strict):
    type: Literal["input_audio"]
    input_audio: Sound


class Url(Strict):
    url: str


class ImageUrl(Strict):
    type: Literal["image_url"]
    image_url: Url


class VideoUrl(Strict):
    type: Literal["video_url"]
    video_url: Url


class AudioUrl(Strict):
    type: Literal["audio_url"]
    audio_url: Url


class HearingMessage(Strict):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Words | InputAudio]


class HearingRequest(Strict):
    """Chat completions of gpt-audio."""

    model: str
    modalities: list[Literal["text", "audio"]] = ["text"]
    messages: list[HearingMessage]
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_completion_tokens: int


class SeeingMessage(Strict):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Words | ImageUrl]


class SeeingRequest(Strict):
    """Chat completions of models that see."""

    model: str
    messages: list[SeeingMessage]
    temperature: float | None = None
    max_completion_tokens: int
    response_format: dict[str, object] | None = None


class SGLangMessage(Strict):
    role: Literal["user"]
    content: str | list[Words | ImageUrl | VideoUrl | AudioUrl]


class SGLangWords(Strict):
    role: Literal["system", "assistant", "tool", "developer"]
    content: str | list[Words] | None


class SGLangRequest(Strict):
    """Chat completions of SGLang; it ignores fields that it does not know."""

    model_config = ConfigDict(extra="ignore")
    model: str
    messages: list[SGLangMessage | SGLangWords]
    temperature: float | None = None
    top_k: int = -1
    max_tokens: int
    response_format: dict[str, object] | None = None
    mm_processor_kwargs: None = Field(None, description="vLLM's; it has none")


@contextmanager
def taking(form: type[BaseModel]) -> Iterator[Server]:
    def respond(request: Request) -> Answer:
        try:
            form.model_validate(request.body)
        except ValidationError as error:
            said = {"message": str(error), "type": "invalid_request_error", "code": None}
            return Answer({"error": said}, 400)
        return completion('{"a": "b"}')

    with serving(respond) as server:
        yield server


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")


@pytest.fixture
def clip(clip_file: Path) -> Media:
    return Media.file("video", clip_file)


def ask(
    server: Server,
    model: str,
    parts: Sequence[Media | Text],
    kind: str = "openai",
    **options: object,
) -> Reply:
    values = {"server": kind, "base_url": f"{server.url}/v1", **options}
    backend = OpenAIBackend(model, OpenAIOptions.model_validate(values))
    messages = (Message("system", (Text("Be brief."),)), Message("user", tuple(parts)))
    warm = Generation(temperature=0.5, top_k=3)
    generation = warm if kind == "sglang" else Generation()
    return asyncio.run(backend(Prompt(messages, generation, schema=SCHEMA)))


def kinds(server: Server) -> list[str]:
    return [part["type"] for part in server.requests[-1].body["messages"][-1]["content"]]


@pytest.mark.parametrize(
    "model",
    ["gpt-audio", "gpt-audio-1.5", "gpt-audio-mini-2025-12-15", "gpt-4o-audio-preview"],
)
def test_a_model_that_hears_gets_sound_and_no_pictures_and_that_is_declared(
    clip: Media, model: str
) -> None:
    sounds = [beep(440.0)]
    with taking(HearingRequest) as server:
        reply = ask(server, model, [clip, *sounds, Text("What?")])
    assert kinds(server) == ["input_audio", "input_audio", "text"]
    sent = server.requests[-1].body
    assert sent["modalities"] == ["text"]
    assert "response_format" not in sent
    data = base64.b64decode(sent["messages"][-1]["content"][0]["input_audio"]["data"])
    assert data[:4] == b"RIFF"
    assert reply.evidence.dropped == ("video: the model takes no pictures",)
    assert (reply.evidence.frames, reply.evidence.clips) == (0, 2)


@pytest.mark.parametrize("model", ["gpt-5.5", "gpt-4.1-mini", "gpt-4o", "o4-mini"])
def test_a_model_that_sees_gets_frames_and_its_deafness_is_declared(
    clip: Media, model: str
) -> None:
    with taking(SeeingRequest) as server:
        reply = ask(server, model, [clip, Text("What?")], max_frames=2)
    assert kinds(server) == ["image_url", "image_url", "text"]
    assert "response_format" in server.requests[-1].body
    assert reply.evidence.dropped == ("soundtrack: the model takes no sound",)


def test_a_form_that_is_asked_for_goes_before_the_models_own(clip: Media) -> None:
    with taking(HearingRequest) as server, pytest.raises(BackendError, match="image_url"):
        ask(server, "gpt-audio", [clip, Text("What?")], video="frames")
    with taking(SeeingRequest) as server, pytest.raises(BackendError, match="input_audio"):
        ask(server, "gpt-5.5", [clip, Text("What?")], sound="input_audio")


def test_another_model_at_such_a_place_is_sent_both(clip: Media) -> None:
    with serving(lambda _: completion('{"a": "b"}')) as server:
        ask(server, "google/gemini-3.5-flash", [clip, Text("What?")], max_frames=1)
    assert kinds(server) == ["image_url", "input_audio", "text"]


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"max_frames": 2}, ["image_url", "image_url", "audio_url"]),
        ({"video": "file"}, ["video_url", "audio_url"]),
        ({"video": "file", "soundtrack": "before"}, ["audio_url", "video_url"]),
    ],
)
def test_sglang_takes_frames_or_files_with_any_number_of_sounds(
    clip: Media, options: dict[str, object], sent: list[str]
) -> None:
    four = [beep(220.0 * n) for n in range(1, 5)]
    with taking(SGLangRequest) as server:
        reply = ask(server, "qwen", [clip, *four, Text("Which?")], "sglang", **options)
    assert kinds(server) == [*sent, *["audio_url"] * 4, "text"]
    assert server.requests[-1].body["top_k"] == 3
    assert (reply.evidence.clips, reply.evidence.dropped) == (5, ())
