from __future__ import annotations

import asyncio
import base64
import io
import logging
import sys
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_servers import Answer, Request, Server, completion, serving
from making import QUICK, beep
from media.conftest import MakeVideo, grey_frames, tone
from PIL import Image

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Sampling, Text, Usage
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import BackendError, ConfigError, TransientError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions
from aurelia_plugin.model_wrappers.reka.backend import RekaOptions
from aurelia_plugin.model_wrappers.reka.backend import open_backend as open_reka

SECRET = "sk-very-secret-1"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "REKA_API_KEY", "VLLM_API_KEY"):
        monkeypatch.setenv(name, SECRET)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server that gives these answers in turn, the last one for ever."""
    with ExitStack() as stack:

        def start(*answers: Answer | Callable[[Request], Answer]) -> Server:
            left = list(answers or [completion()])

            def respond(request: Request) -> Answer:
                answer = left.pop(0) if len(left) > 1 else left[0]
                return answer(request) if callable(answer) else answer

            return stack.enter_context(serving(respond))

        yield start


@pytest.fixture
def clip(clip_file: Path) -> Media:
    return Media.file("video", clip_file)


def _prompt(*parts: Any, **fields: Any) -> Prompt:
    return Prompt((Message("user", parts or (Text("What?"),)),), **fields)


def _backend(server: Server, kind: str = "openai", **options: Any) -> OpenAIBackend:
    values = {"server": kind, "base_url": f"{server.url}/v1", **options}
    return OpenAIBackend("m-1", OpenAIOptions(**values))


def _ask(backend: OpenAIBackend, prompt: Prompt) -> Reply:
    return asyncio.run(backend(prompt))


def _content(server: Server) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = server.requests[-1].body["messages"][-1]["content"]
    return content


def _decoded(url: str) -> bytes:
    return base64.b64decode(url.split(",", 1)[1])


def _samples(wav: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_frames_go_as_jpegs_and_sound_as_wav(serve: Any, clip: Media) -> None:
    server = serve()
    reply = _ask(_backend(server, max_frames=3, longest_side=32), _prompt(clip, Text("What?")))
    content = _content(server)
    assert [part["type"] for part in content] == ["image_url"] * 3 + ["input_audio", "text"]
    picture = Image.open(io.BytesIO(_decoded(content[0]["image_url"]["url"])))
    assert (picture.format, picture.size) == ("JPEG", (32, 24))
    sound = content[3]["input_audio"]
    assert sound["format"] == "wav"
    assert np.abs(_samples(base64.b64decode(sound["data"]))).max() > 5_000
    assert (reply.text, reply.model) == ("fine", "m-1")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (11, 3)
    assert reply.evidence.model_dump() == {
        "frames": 3,
        "images": 0,
        "sound_seconds": 2.0,
        "clips": 1,
        "soundtrack": ("after",),
        "dropped": (),
    }
    request = server.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {SECRET}"


def test_a_muted_clip_is_silent_and_a_blanked_one_black_in_what_is_sent(
    serve: Any, clip: Media
) -> None:
    server = serve()
    _ask(_backend(server), _prompt(replace(clip, silenced=True)))
    samples = _samples(base64.b64decode(_content(server)[-1]["input_audio"]["data"]))
    assert len(samples) == 32_000
    assert not samples.any()
    _ask(_backend(server), _prompt(replace(clip, blanked=True)))
    picture = Image.open(io.BytesIO(_decoded(_content(server)[0]["image_url"]["url"])))
    assert np.asarray(picture).max() == 0
    assert _samples(base64.b64decode(_content(server)[-1]["input_audio"]["data"])).any()


def test_four_sounds_and_a_video_keep_their_order_and_labels(serve: Any, clip: Media) -> None:
    server = serve()
    parts: list[Any] = [Text("Video:"), clip]
    for index, hertz in enumerate((200, 400, 800, 1600)):
        parts += [Text(f"Audio {index}:"), beep(hertz)]
    reply = _ask(_backend(server, max_frames=1), _prompt(*parts))
    content = _content(server)
    pairs = ["text", "input_audio"] * 4
    assert [p["type"] for p in content] == ["text", "image_url", "input_audio", *pairs]
    assert [p["text"] for p in content if p["type"] == "text"][1:] == [
        f"Audio {index}:" for index in range(4)
    ]
    heard = [_samples(base64.b64decode(content[i]["input_audio"]["data"])) for i in (4, 6, 8, 10)]
    crossings = [(np.diff((s > 0).astype(int)) > 0).sum() / len(s) * 16_000 for s in heard]
    assert crossings == pytest.approx([200, 400, 800, 1600], rel=0.1)
    assert (reply.evidence.clips, reply.evidence.sound_seconds) == (5, 4.0)


def _untrusting(request: Request) -> Answer:
    """What vLLM 0.32 answers unless it was started with --trust-request-mm-kwargs."""
    resources = {
        "mm_processor_kwargs": "multimodal preprocessing resource usage",
        "media_io_kwargs": "multimodal media loading resource usage",
    }
    for field, usage in resources.items():
        if request.body.get(field):
            said = (
                f"Per-request {field} are disabled by default because they can change {usage}. "
                "Start the server with --trust-request-mm-kwargs only when clients are trusted. "
                f"(parameter={field})"
            )
            error = {"message": said, "type": "BadRequestError", "param": field, "code": 400}
            return Answer({"error": error}, 400)
    return completion()


def _frames(url: str) -> list[np.ndarray]:
    """The pictures of a sequence, split as vLLM splits them."""
    kind, data = url.split(",", 1)
    assert kind == "data:video/jpeg;base64"
    frames = [Image.open(io.BytesIO(base64.b64decode(part))) for part in data.split(",")]
    assert all(frame.format == "JPEG" for frame in frames)
    return [np.asarray(frame) for frame in frames]


@pytest.mark.parametrize("soundtrack", ["after", "before", "none"])
def test_vllm_as_it_starts_by_default_takes_a_video_and_four_sounds(
    serve: Any, clip: Media, soundtrack: str
) -> None:
    server = serve(_untrusting)
    backend = _backend(server, "vllm", max_frames=4, longest_side=32, soundtrack=soundtrack)
    sounds = [beep(hertz) for hertz in (200, 400, 800, 1600)]
    reply = _ask(backend, _prompt(clip, *sounds, Text("What?")))
    assert reply.text == "fine"
    types = [part["type"] for part in _content(server)]
    track = {"after": ["video_url", "audio_url"], "before": ["audio_url", "video_url"]}
    assert types == [*track.get(soundtrack, ["video_url"]), *["audio_url"] * 4, "text"]
    video = next(part for part in _content(server) if part["type"] == "video_url")
    assert [frame.shape for frame in _frames(video["video_url"]["url"])] == [(24, 32, 3)] * 4
    assert (reply.evidence.frames, reply.evidence.clips) == (4, 4 + (soundtrack != "none"))


def test_a_sequence_is_in_the_order_of_time_and_blanked_with_its_video(
    serve: Any, make_video: MakeVideo
) -> None:
    server = serve(_untrusting)
    clip = Media.file("video", make_video("ramp.mp4", grey_frames(range(20, 220, 10))))
    for medium in (clip, replace(clip, blanked=True)):
        _ask(_backend(server, "vllm", max_frames=5), _prompt(medium))
        means = [frame.mean() for frame in _frames(_content(server)[0]["video_url"]["url"])]
        steps = np.diff([float(mean) for mean in means])
        assert steps == pytest.approx([0.0 if medium.blanked else 40.0] * 4, abs=8)


def test_more_frames_than_vllm_takes_of_itself_are_asked_for(
    serve: Any, make_video: MakeVideo
) -> None:
    """It keeps the first 32 pictures of a sequence and says nothing of the others."""
    server = serve()
    clip = Media.file("video", make_video("long.mp4", grey_frames(range(20, 120))))
    _ask(_backend(server, "vllm", max_frames=32), _prompt(clip))
    assert "media_io_kwargs" not in server.requests[-1].body
    _ask(_backend(server, "vllm", max_frames=33), _prompt(clip))
    told = server.requests[-1].body["media_io_kwargs"]["video"]
    assert told["num_frames"] == len(_frames(_content(server)[0]["video_url"]["url"])) == 33


def test_vllm_gets_the_file_itself_where_that_is_asked_for(serve: Any, clip: Media) -> None:
    server = serve()
    backend = _backend(server, "vllm", max_frames=4, video="file")
    reply = _ask(backend, _prompt(clip, beep(), Text("What?")))
    content = _content(server)
    assert [p["type"] for p in content] == ["video_url", "audio_url", "audio_url", "text"]
    url = content[0]["video_url"]["url"]
    assert url.startswith("data:video/mp4;base64,")
    assert clip.path is not None
    assert _decoded(url) == clip.path.read_bytes()
    assert len(_samples(_decoded(content[1]["audio_url"]["url"]))) == 32_000
    body = server.requests[0].body
    told = body["media_io_kwargs"]["video"]
    assert (told["num_frames"], told["max_frames"]) == (4, 4)
    assert told["fps"] == pytest.approx(4 / 2.0, rel=0.01)
    assert (reply.evidence.frames, reply.evidence.clips) == (4, 2)
    assert reply.evidence.soundtrack == ("after",)


@pytest.mark.parametrize("kind", ["openai", "vllm", "sglang", "transformers"])
@pytest.mark.parametrize("soundtrack", ["after", "before", "none"])
def test_a_soundtrack_goes_in_where_it_is_asked_for(
    serve: Any, clip: Media, kind: str, soundtrack: str
) -> None:
    """The forms that OpenAI, vLLM, SGLang and transformers document for pictures and sound."""
    server = serve()
    reply = _ask(_backend(server, kind, max_frames=2, soundtrack=soundtrack), _prompt(clip))
    types = [part["type"] for part in _content(server)]
    sound = "audio_url" if kind in ("vllm", "sglang") else "input_audio"
    picture = ["video_url"] if kind == "vllm" else ["image_url"] * 2
    expected = {"after": [*picture, sound], "before": [sound, *picture], "none": picture}
    assert types == expected[soundtrack]
    assert "mm_processor_kwargs" not in server.requests[-1].body
    if soundtrack == "none":
        assert reply.evidence.clips == 0
        assert reply.evidence.dropped == ("soundtrack: left out by soundtrack=none",)
    else:
        assert reply.evidence.soundtrack == (soundtrack,)
        assert (reply.evidence.clips, reply.evidence.sound_seconds) == (1, 2.0)


def test_vllm_interleaves_where_a_question_has_one_sound_for_each_video(
    serve: Any, clip: Media, make_video: MakeVideo
) -> None:
    server = serve()
    backend = _backend(server, "vllm", soundtrack="interleaved")
    reply = _ask(backend, _prompt(clip, Text("What?")))
    assert [part["type"] for part in _content(server)] == ["video_url", "text"]
    told = server.requests[-1].body["mm_processor_kwargs"]
    assert told["use_audio_in_video"] is True
    rate = reply.evidence.frames / 2.0
    assert told["fps"] == pytest.approx(rate, rel=0.01)
    assert told["second_per_grid_ts"] == pytest.approx([2 / rate], rel=0.01)
    assert (reply.evidence.clips, reply.evidence.soundtrack) == (1, ("interleaved",))
    silent = Media.file("video", make_video("silent.mp4", grey_frames(range(20, 120, 10))))
    for more in (beep(), silent):
        reply = _ask(backend, _prompt(clip, more))
        assert "mm_processor_kwargs" not in server.requests[-1].body
        assert reply.evidence.soundtrack == ("after",)


def test_interleaved_videos_have_one_name_as_long_as_they_are_read_alike(
    serve: Any, clip: Media, make_video: MakeVideo
) -> None:
    """vLLM keeps picture and sound under it, and fails where it has kept only the sound."""
    server = serve()
    backend = _backend(server, "vllm", soundtrack="interleaved")

    def name(medium: Media, asked: OpenAIBackend = backend) -> str:
        _ask(asked, _prompt(medium, Text("What?")))
        return str(_content(server)[0]["uuid"])

    moving = grey_frames(range(20, 60))
    other = Media.file("video", make_video("other.mp4", moving, sound=tone(4.0)))
    fewer = _backend(server, "vllm", soundtrack="interleaved", max_frames=7)
    muted = replace(clip, silenced=True), replace(other, silenced=True)
    assert name(clip) == name(clip)
    assert len({name(clip), name(clip, fewer), *map(name, muted)}) == 4
    _ask(_backend(server, "transformers"), _prompt(clip))
    assert "uuid" not in _content(server)[0]


def test_a_models_family_says_how_its_soundtracks_go_in(serve: Any, clip: Media) -> None:
    server = serve()
    for model, kind, expected in (
        ("Qwen/Qwen3-Omni-30B-A3B-Instruct", "vllm", "interleaved"),
        ("Qwen/Qwen3-Omni-30B-A3B-Instruct", "sglang", "after"),
        ("embedded", "vllm", "after"),
    ):
        backend = OpenAIBackend(model, OpenAIOptions(server=kind, base_url=f"{server.url}/v1"))
        assert _ask(backend, _prompt(clip)).evidence.soundtrack == (expected,)
    with pytest.raises(ConfigError, match="cannot be asked of server=sglang"):
        _backend(server, "sglang", soundtrack="interleaved")
    with pytest.raises(ConfigError, match="with video=frames"):
        _backend(server, "vllm", soundtrack="interleaved", video="frames")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"soundtrack": "interleaved"}, "mm_processor_kwargs"),
        ({"max_pixels": 3136}, "mm_processor_kwargs"),
        ({"video": "file"}, "media_io_kwargs"),
    ],
)
def test_a_server_that_refuses_a_field_is_asked_once_and_its_flag_named(
    serve: Any, clip: Media, options: dict[str, Any], field: str
) -> None:
    server = serve(_untrusting)
    backend = _backend(server, "vllm", **options)
    for _ in range(3):
        with pytest.raises(BackendError, match=f"Per-request {field}") as caught:
            _ask(backend, _prompt(clip))
        assert next(iter(options)) in caught.value.what
        assert "--trust-request-mm-kwargs" in caught.value.fix
        assert "soundtrack=after" in caught.value.fix
        assert not isinstance(caught.value, TransientError)
    assert len(server.requests) == 1
    assert _ask(backend, _prompt(beep())).text == "fine"  # no video, so nothing to allow


@pytest.mark.parametrize(
    ("said", "flag", "option"),
    [
        (
            "At most 1 audio(s) may be provided in one prompt. Set `--limit-mm-per-prompt` to "
            "increase this limit. (parameter=audio)",
            "--limit-mm-per-prompt",
            "media_per_prompt",
        ),
        (
            "This model's maximum context length is 256 tokens. However, your prompt contains 412 "
            "input tokens, which exceeds this limit even without any output tokens.",
            "--max-model-len",
            "max_frames",
        ),
        (
            "The decoder prompt (length 412) is longer than the maximum model length of 256. Make "
            "sure that `max_model_len` is no smaller than the number of text tokens plus "
            "multimodal tokens.",
            "--max-model-len",
            "max_new_tokens",
        ),
        (
            "The decoder prompt contains a(n) video item with 9216 embedding tokens, which exceeds "
            "the pre-allocated encoder cache size 8192. Please reduce the input size or increase "
            "the encoder cache size by setting --limit-mm-per-prompt at startup.",
            "--max-num-batched-tokens",
            "longest_side",
        ),
        ("The model `m-1` does not exist.", "--served-model-name", "/v1/models"),
    ],
)
def test_what_vllm_refuses_names_its_flag_and_the_option(
    serve: Any, clip: Media, said: str, flag: str, option: str
) -> None:
    """In the words of 0.32."""
    server = serve(lambda request: Answer({"error": {"message": said, "code": 400}}, 400))
    with pytest.raises(BackendError) as caught:
        _ask(_backend(server, "vllm"), _prompt(clip))
    assert caught.value.what.startswith("vllm:m-1: HTTP 400: ")
    assert said in caught.value.what
    assert caught.value.what.count("vllm:m-1") == 1
    assert flag in caught.value.fix
    assert option in caught.value.fix
    assert not isinstance(caught.value, TransientError)
    assert len(server.requests) == 1


def test_a_question_that_cannot_be_interleaved_needs_no_flag(serve: Any, clip: Media) -> None:
    backend = _backend(serve(_untrusting), "vllm", soundtrack="interleaved")
    assert _ask(backend, _prompt(clip, beep())).evidence.soundtrack == ("after",)


def test_a_video_shorter_than_a_step_of_frames_is_not_interleaved(
    serve: Any, clip: Media, make_video: MakeVideo
) -> None:
    """vLLM 0.32 divides by the number of steps; frames beyond the last step it does not show."""
    short = make_video("short.mp4", grey_frames([90]), sound=tone(0.1))
    backend = _backend(serve(_untrusting), "vllm", soundtrack="interleaved")
    for video in (Media.file("video", short), replace(Media.file("video", short), silenced=True)):
        assert _ask(backend, _prompt(video)).evidence.soundtrack == ("after",)
    server = serve()
    for most, frames, form in ((1, 1, "after"), (2, 2, "interleaved"), (5, 4, "interleaved")):
        backend = _backend(server, "vllm", soundtrack="interleaved", max_frames=most)
        evidence = _ask(backend, _prompt(clip)).evidence
        assert (evidence.frames, evidence.soundtrack) == (frames, (form,))
    assert server.requests[-1].body["media_io_kwargs"]["video"]["num_frames"] == 4


def test_pixels_are_those_asked_for(serve: Any, clip: Media) -> None:
    server = serve()
    _ask(_backend(server, max_frames=1, max_pixels=400), _prompt(clip))
    small = Image.open(io.BytesIO(_decoded(_content(server)[0]["image_url"]["url"])))
    assert 300 <= small.width * small.height <= 420
    _ask(_backend(server, max_frames=1, min_pixels=20_000), _prompt(clip))
    large = Image.open(io.BytesIO(_decoded(_content(server)[0]["image_url"]["url"])))
    assert large.width * large.height == pytest.approx(20_000, rel=0.03)
    _ask(_backend(server, "vllm", min_pixels=9, max_pixels=99), _prompt(clip))
    kwargs = server.requests[-1].body["mm_processor_kwargs"]
    assert (kwargs["min_pixels"], kwargs["max_pixels"]) == (9, 99)
    shown = _frames(_content(server)[0]["video_url"]["url"])
    assert kwargs["fps"] == pytest.approx(len(shown) / 2.0, rel=0.1)


def test_an_effect_is_in_the_file_that_vllm_gets(serve: Any, clip: Media, tmp_path: Path) -> None:
    server = serve()
    _ask(_backend(server, "vllm", video="file"), _prompt(replace(clip, silenced=True)))
    sent = tmp_path / "sent.mp4"
    sent.write_bytes(_decoded(_content(server)[0]["video_url"]["url"]))
    sound = waveform(Media.file("video", sent))
    assert sound is not None
    assert np.abs(sound.samples).max() < 1e-3
    assert sound.seconds == pytest.approx(2.0, abs=0.1)


def test_a_video_without_sound_is_not_said_to_have_any(serve: Any, make_video: MakeVideo) -> None:
    silent = Media.file("video", make_video("silent.mp4", grey_frames(range(20, 120, 10))))
    sounding = Media.file("video", make_video("s.mp4", sound=tone(4.0)))
    server = serve()
    reply = _ask(_backend(server, "vllm"), _prompt(silent))
    assert [p["type"] for p in _content(server)] == ["video_url"]
    assert (reply.evidence.clips, reply.evidence.soundtrack) == (0, ())
    _ask(_backend(server, "vllm", max_frames=2), _prompt(silent, sounding))
    assert [p["type"] for p in _content(server)] == ["video_url", "video_url", "audio_url"]


def test_frames_that_a_prompt_asks_for_go_as_pictures_everywhere(serve: Any, clip: Media) -> None:
    server = serve()
    _ask(_backend(server, "vllm"), _prompt(clip, sampling=Sampling("uniform", 2)))
    assert [p["type"] for p in _content(server)] == ["image_url", "image_url", "audio_url"]


def test_reka_gets_videos_and_its_deafness_is_declared(serve: Any, clip: Media) -> None:
    server = serve()
    backend = open_reka("m-1", RekaOptions(base_url=f"{server.url}/v1"))
    reply = _ask(backend, _prompt(clip, beep(), Text("What?")))
    assert [part["type"] for part in _content(server)] == ["video_url", "text"]
    assert reply.evidence.clips == 0
    assert reply.evidence.dropped == (
        "soundtrack: sent inside the video, which the service is not known to hear",
        "sound: the model takes no sound",
    )
    assert "max_tokens" in server.requests[0].body


def test_a_deaf_or_blind_model_is_sent_less_and_that_is_declared(serve: Any, clip: Media) -> None:
    server = serve()
    reply = _ask(_backend(server, sound="none", max_frames=1), _prompt(clip))
    assert [part["type"] for part in _content(server)] == ["image_url"]
    assert reply.evidence.dropped == ("soundtrack: the model takes no sound",)
    reply = _ask(_backend(server, video="none"), _prompt(clip))
    assert [part["type"] for part in _content(server)] == ["input_audio"]
    assert reply.evidence.dropped == ("video: the model takes no pictures",)
    reply = _ask(_backend(server, "vllm", sound="none"), _prompt(clip))
    assert "mm_processor_kwargs" not in server.requests[-1].body
    assert (reply.evidence.clips, len(reply.evidence.dropped)) == (0, 1)


def test_decoding_settings_are_sent_as_the_server_takes_them(serve: Any) -> None:
    server = serve()
    _ask(_backend(server), _prompt(generation=Generation(max_new_tokens=9)))
    body = server.requests[-1].body
    assert (body["temperature"], body["max_completion_tokens"]) == (0.0, 9)
    assert not {"seed", "top_p", "top_k", "stop", "max_tokens"} & set(body)
    warm = Generation(temperature=0.5, top_p=0.9, top_k=7, seed=3)
    _ask(_backend(server, "vllm", max_new_tokens=5), _prompt(generation=warm))
    body = server.requests[-1].body
    assert [body[key] for key in ("temperature", "top_p", "top_k", "seed")] == [0.5, 0.9, 7, 3]
    assert body["max_tokens"] == 5
    _ask(_backend(server, fixed_temperature=True, room_for_thinking=90), _prompt(generation=warm))
    body = server.requests[-1].body
    assert "temperature" not in body
    assert body["max_completion_tokens"] == 512 + 90


def test_the_reply_ends_where_the_task_says(serve: Any) -> None:
    server = serve(completion("one\n\ntwo"))
    prompt = _prompt(generation=Generation(until=("\n\n",)))
    assert _ask(_backend(server), prompt).text == "one"


def test_a_schema_is_sent_and_a_server_that_ignores_it_is_noticed_once(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(completion('{"a": "b"}'), completion("prose"))
    backend = _backend(server)
    _ask(backend, _prompt(schema=SCHEMA))
    sent = server.requests[0].body["response_format"]
    assert (sent["type"], sent["json_schema"]["schema"]) == ("json_schema", SCHEMA)
    assert not caplog.records
    for _ in range(2):
        _ask(backend, _prompt(schema=SCHEMA))
    assert [r.getMessage() for r in caplog.records if "ignores" in r.getMessage()] == [
        "openai:m-1: a JSON schema was asked for, and the service ignores it"
    ]


@pytest.mark.parametrize(("kind", "options"), [("transformers", {}), ("vllm", {"json_schema": 0})])
def test_a_server_without_schemas_is_sent_none(serve: Any, kind: str, options: Any) -> None:
    server = serve(completion("prose"))
    _ask(_backend(server, kind, **options), _prompt(schema=SCHEMA))
    assert "response_format" not in server.requests[0].body


@pytest.mark.parametrize(
    ("served", "told"), [("m-1-2026-08-06", False), ("m-1", False), ("m-1-mini", True)]
)
def test_another_model_than_the_one_asked_for_is_news(
    serve: Any, caplog: pytest.LogCaptureFixture, served: str, told: bool
) -> None:
    backend = _backend(serve(completion(model=served)))
    assert _ask(backend, _prompt()).model == served
    _ask(backend, _prompt())
    assert [f"answered with {served}" in r.getMessage() for r in caplog.records] == [True] * told


def test_a_cut_reply_is_kept_and_noted(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert _ask(_backend(serve(completion("half a", finish="length"))), _prompt()).text == "half a"
    assert "ended at max_new_tokens" in caplog.text


@pytest.mark.parametrize("body", [b"<html>", b'{"choices": [{"mess', b"\xff\xfe", b""])
def test_a_reply_that_was_cut_on_its_way_may_pass_and_may_have_to_be_paid(
    serve: Any, body: bytes
) -> None:
    with pytest.raises(TransientError, match=r"not JSON|cannot be read") as caught:
        _ask(_backend(serve(Answer(body))), _prompt())
    assert caught.value.charged


@pytest.mark.parametrize(
    "choice", [{}, {"message": None}, {"message": {}}, {"message": {"content": ["a"]}}, {"a": 1}]
)
def test_a_choice_without_a_text_is_a_failure(serve: Any, choice: dict[str, Any]) -> None:
    with pytest.raises(BackendError, match="no text") as caught:
        _ask(_backend(serve(completion(choices=[choice]))), _prompt())
    assert not isinstance(caught.value, TransientError)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -5}, {"prompt_tokens": "many"}])
def test_numbers_of_tokens_that_are_none_count_as_none(serve: Any, usage: Any) -> None:
    reply = _ask(_backend(serve(completion(usage=usage))), _prompt())
    assert (reply.text, reply.usage) == ("fine", Usage())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (completion("no", finish="content_filter"), "refused: content filter"),
        (completion(None, refusal="I can't."), "refused: I can't."),
        (completion(None, finish="length"), "no text .finish reason length"),
        (completion(choices=[]), "no choice"),
        (Answer({"detail": "x"}), "no choice"),
        (Answer({"error": {"message": "bad field"}}, 400), "HTTP 400: .*bad field"),
        (Answer({"error": {"code": "insufficient_quota", "message": "pay"}}, 429), "HTTP 429"),
    ],
)
def test_what_is_no_answer_is_a_failure_that_is_not_repeated(
    serve: Any, answer: Answer, said: str
) -> None:
    server = serve(answer)
    with pytest.raises(BackendError, match=said) as caught:
        _ask(_backend(server), _prompt())
    assert not isinstance(caught.value, TransientError)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_what_may_pass_is_transient_and_tried_once_here(serve: Any, status: int) -> None:
    server = serve(Answer({"error": {"message": "later"}}, status, {"Retry-After": "7"}))
    with pytest.raises(TransientError, match=f"HTTP {status}") as caught:
        _ask(_backend(server), _prompt())
    assert caught.value.retry_after == 7.0
    assert len(server.requests) == 1


def test_a_timeout_and_a_dead_server_are_transient(serve: Any) -> None:
    def slow(request: Request) -> Answer:
        server.released.wait(20)
        return completion()

    server = serve(slow)
    with pytest.raises(TransientError, match=r"no reply within 0\.2 s"):
        _ask(_backend(server, timeout=0.2), _prompt())
    nobody = OpenAIOptions(server="transformers", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(TransientError, match="Connect"):
        _ask(OpenAIBackend("m-1", nobody), _prompt())


def test_the_key_is_in_no_error_log_or_identity(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (401, 400, 429, 500):
        echo = Answer({"error": {"message": f"bad key {SECRET}"}}, status)
        backend = _backend(serve(echo))
        with pytest.raises(BackendError) as caught:
            _ask(backend, _prompt())
        error: BaseException | None = caught.value
        assert "[key]" in str(error)
        assert error is not None
        assert SECRET not in f"{error}{error!r}{error.__cause__}{backend.identity}{vars(error)}"
        assert error.__suppress_context__
    assert SECRET not in caplog.text


def test_a_missing_key_or_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ConfigError, match="Set OPENAI_API_KEY"):
        OpenAIBackend("m-1")
    own = OpenAIOptions(base_url="http://127.0.0.1:9/v1")
    OpenAIBackend("m-1", own)  # a server of the user's own may need none
    with pytest.raises(ConfigError, match="Set MY_KEY"):
        OpenAIBackend("m-1", own.model_copy(update={"key_env": "MY_KEY"}))
    with pytest.raises(ConfigError, match="user name"):
        OpenAIBackend("m-1", OpenAIOptions(base_url=f"http://u:{SECRET}@127.0.0.1:9/v1"))
    with pytest.raises(ConfigError, match="no kind of server 'x'"):
        OpenAIBackend("m-1", OpenAIOptions(server="x"))
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ConfigError, match=r'pip install "aurelia-lmms-eval\[openai\]"'):
        OpenAIBackend("m-1", own)


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/v1",
        "http://h:99999/v1",
        "http://h:x/v1",
        "127.0.0.1:9/v1",
        "ftp://h/v1",
        "http:///v1",
    ],
)
def test_an_address_that_is_none_is_named_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match=r"base_url[\s\S]*http://HOST:PORT/v1"):
        OpenAIBackend("m-1", OpenAIOptions(base_url=url))


def test_the_identity_holds_what_changes_replies() -> None:
    def identity(**options: Any) -> str:
        return OpenAIBackend("m-1", OpenAIOptions(**options)).identity

    assert identity() == identity(timeout=3, concurrency=2)
    others = [
        identity(soundtrack="before"),
        identity(max_frames=3),
        identity(server="vllm"),
        identity(base_url="http://h/v1"),
    ]
    assert len({identity(), *others}) == 5


def test_calls_are_bounded_and_every_run_may_have_its_own_loop(serve: Any) -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def count(request: Request) -> Answer:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        server.released.wait(0.05)
        with lock:
            under_way -= 1
        return completion()

    server = serve(count)
    backend = _backend(server, concurrency=2)
    caller = Caller(QUICK)

    async def many() -> None:
        prompts = (_prompt(Text(str(n))) for n in range(6))
        await asyncio.gather(*(caller.answer(backend, prompt) for prompt in prompts))

    for _ in range(2):
        asyncio.run(many())
    asyncio.run(backend.close())
    assert len(server.requests) == 12
    assert most == 2


def test_roles_of_messages_are_kept(serve: Any) -> None:
    server = serve()
    system = Message("system", (Text("Be brief."),))
    prompt = Prompt((system, *_prompt().messages)).asking_again("", "Again.")
    _ask(_backend(server), prompt)
    messages = server.requests[0].body["messages"]
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
    assert messages[2]["content"][0]["text"] == "(no text)"
