from __future__ import annotations

import asyncio
import base64
import functools
import io
import logging
import sys
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from fake_servers import Answer, Gemini, Request, Server, said, serving
from making import QUICK, beep, question, score, steps

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Sampling, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import BackendError, ConfigError, TransientError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.gemini.backend import GeminiBackend, GeminiOptions
from aurelia_plugin.model_wrappers.providers import BackendPool
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.traces.store import TraceStore

pytest.importorskip("google.genai", reason="needs the extra `gemini`: google-genai")

SECRET = "AIza-very-secret-1"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.setenv("GOOGLE_API_KEY", SECRET)


class Running(NamedTuple):
    service: Gemini
    server: Server
    backend: GeminiBackend

    def ask(self, prompt: Prompt) -> Reply:
        return asyncio.run(self.backend(prompt))

    def parts(self) -> list[dict[str, Any]]:
        """The parts of the last message that was sent."""
        body = self.server.asked(":generateContent")[-1].body
        parts: list[dict[str, Any]] = body["contents"][-1]["parts"]
        return parts

    def uploads(self) -> list[Request]:
        return [
            r
            for r in self.server.asked("/upload/")
            if r.headers["x-goog-upload-command"] == "start"
        ]


@pytest.fixture
def run() -> Iterator[Callable[..., Running]]:
    with ExitStack() as stack:

        def start(service: Gemini | None = None, **options: Any) -> Running:
            service = service or Gemini()
            server = stack.enter_context(serving(service))
            service.url = server.url
            backend = GeminiBackend("g-1", GeminiOptions(base_url=server.url, **options))
            backend._files.poll = 0.01
            return Running(service, server, backend)

        yield start


@pytest.fixture
def clip(clip_file: Path) -> Media:
    return Media.file("video", clip_file)


def _prompt(*parts: Any, **fields: Any) -> Prompt:
    return Prompt((Message("user", parts or (Text("What?"),)),), **fields)


def _samples(wav: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(wav)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def _inline(part: dict[str, Any]) -> bytes:
    data = part["inlineData"]["data"]
    return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))


def test_a_small_video_travels_inside_the_request(run: Any, clip: Media) -> None:
    running = run()
    reply = running.ask(_prompt(clip, Text("What?")))
    video, text = running.parts()
    assert video["inlineData"]["mime_type"] == "video/mp4"
    assert clip.path is not None
    assert _inline(video) == clip.path.read_bytes()
    assert text == {"text": "What?"}
    assert running.uploads() == []
    assert (reply.text, reply.model) == ("a bell", "g-1")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (100, 12)
    assert reply.evidence.model_dump() == {
        "frames": 2,  # the service looks once a second
        "images": 0,
        "sound_seconds": 2.0,
        "clips": 1,
        "soundtrack": ("interleaved",),
        "dropped": (),
    }
    request = running.server.requests[0]
    assert request.path.endswith("/models/g-1:generateContent")
    assert request.headers["x-goog-api-key"] == SECRET


def test_a_large_video_is_uploaded_once_and_deleted_at_the_end(run: Any, clip: Media) -> None:
    running = run(Gemini(("PROCESSING", "PROCESSING", "ACTIVE")), inline_mb=0)

    async def roles() -> None:
        await asyncio.gather(*(running.backend(_prompt(clip, Text(t))) for t in "abc"))

    asyncio.run(roles())
    running.ask(_prompt(clip, Text("d")))  # in another event loop
    assert len(running.uploads()) == 1
    start = running.uploads()[0]
    assert start.headers["x-goog-upload-header-content-type"] == "video/mp4"
    assert "clip.mp4" not in f"{start.headers}{start.content!r}"
    assert clip.path is not None
    assert running.service.contents == [clip.path.read_bytes()]
    assert running.service.files == {"files/f0": 2}
    asked = running.server.asked(":generateContent")
    assert len(asked) == 4
    for request in asked:
        data = request.body["contents"][0]["parts"][0]["fileData"]
        assert data["file_uri"].endswith("/files/f0")
        assert data["mime_type"] == "video/mp4"
    assert running.service.deleted == []
    asyncio.run(running.backend.close())
    assert running.service.deleted == ["files/f0"]


def test_all_roles_and_iterations_share_one_upload(run: Any, clip: Media, tmp_path: Path) -> None:
    scores = iter((3, 9))

    def reply(request: Request) -> Answer:
        form = request.body["generationConfig"].get("responseJsonSchema", {}).get("properties", {})
        if "steps" in form:
            return said(steps("Listen.", answers=["A bell."], final="bell"))
        return said(score(next(scores), "More.")) if "score" in form else said("A bell rings.")

    running = run(Gemini(reply=reply), inline_mb=0)
    roles: dict[Any, Any] = dict.fromkeys(ROLES, running.backend)
    names: dict[Any, str] = dict.fromkeys(ROLES, running.backend.identity)
    plan = LoopPlan(PromptSet(), names, threshold=6, max_iterations=3)
    agents = Agents(roles, plan, TraceStore(tmp_path / "traces"), Caller(QUICK))
    trace = asyncio.run(agents.trace(question("What rings?", clip)))
    running.ask(_prompt(clip, Text("What rings?")))  # the target, in a loop of its own
    assert (trace.stop, [i.score for i in trace.iterations]) == ("accepted", [3, 9])
    assert len(running.server.asked(":generateContent")) == 7
    assert len(running.uploads()) == 1


def test_the_provider_is_found_by_its_name() -> None:
    pool = BackendPool("gemini:g-1?timeout=9", {"max_frames": 3})
    assert pool.target.identity.startswith("gemini:g-1#")
    assert pool.target.concurrency == 8


def test_only_what_does_not_fit_is_uploaded(run: Any, clip: Media) -> None:
    running = run(inline_mb=0.02)
    running.ask(_prompt(beep(seconds=0.1), beep(500, seconds=2.0), Text("What?")))
    assert [set(part) for part in running.parts()] == [{"inlineData"}, {"fileData"}, {"text"}]


def test_a_file_that_cannot_be_processed_fails_and_is_deleted_too(run: Any, clip: Media) -> None:
    running = run(Gemini(("PROCESSING", "FAILED")), inline_mb=0)
    with pytest.raises(BackendError, match="could not process an uploaded video") as caught:
        running.ask(_prompt(clip))
    assert not isinstance(caught.value, TransientError)
    assert running.server.asked(":generateContent") == []
    asyncio.run(running.backend.close())
    assert running.service.deleted == ["files/f0"]


def test_a_file_that_is_never_ready_is_not_waited_for_for_ever(run: Any, clip: Media) -> None:
    running = run(Gemini(("PROCESSING",)), inline_mb=0, upload_timeout=0.05)
    with pytest.raises(TransientError, match="not ready after"):
        running.ask(_prompt(clip))


def test_a_call_that_is_repeated_does_not_upload_again(run: Any, clip: Media) -> None:
    class Stumbling(Gemini):
        stumbled = False

        def __call__(self, request: Request) -> Answer:
            if request.method == "GET" and not self.stumbled:
                self.stumbled = True
                return Answer({"error": {"message": "later", "status": "X"}}, 503)
            return super().__call__(request)

    running = run(Stumbling(), inline_mb=0)
    with pytest.raises(TransientError, match="HTTP 503"):
        running.ask(_prompt(clip))
    assert running.ask(_prompt(clip)).text == "a bell"
    assert len(running.uploads()) == 1


def test_a_muted_clip_is_silent_in_the_file_that_is_sent(
    run: Any, clip: Media, tmp_path: Path
) -> None:
    running = run()
    for effect in ({"silenced": True}, {"blanked": True}, {"start": 0.5, "end": 1.5}):
        running.ask(_prompt(replace(clip, **effect)))
        sent = tmp_path / f"{next(iter(effect))}.mp4"
        sent.write_bytes(_inline(running.parts()[0]))
        sound = waveform(Media.file("video", sent))
        assert sound is not None
        loud = np.abs(sound.samples).max() > 0.1
        assert loud == ("silenced" not in effect)
        assert sound.seconds == pytest.approx(1.0 if "start" in effect else 2.0, abs=0.1)


def test_four_sounds_and_a_video_keep_their_order_and_labels(run: Any, clip: Media) -> None:
    running = run()
    parts: list[Any] = [Text("Video:"), clip]
    for index, hertz in enumerate((200, 400, 800, 1600)):
        parts += [Text(f"Audio {index}:"), beep(hertz)]
    reply = running.ask(_prompt(*parts, Text("Which fits?")))
    sent = running.parts()
    kinds = [part["inlineData"]["mime_type"] if "inlineData" in part else "text" for part in sent]
    assert kinds == ["text", "video/mp4", *["text", "audio/wav"] * 4, "text"]
    assert [part["text"] for part in sent[2:-1:2]] == [f"Audio {index}:" for index in range(4)]
    heard = [_samples(_inline(part)) for part in sent[3:-1:2]]
    crossings = [(np.diff((s > 0).astype(int)) > 0).sum() / len(s) * 16_000 for s in heard]
    assert crossings == pytest.approx([200, 400, 800, 1600], rel=0.1)
    assert (reply.evidence.clips, reply.evidence.sound_seconds) == (5, 4.0)


def test_a_soundtrack_goes_in_as_it_is_asked_for(run: Any, clip: Media, tmp_path: Path) -> None:
    """Apart from the file only if the file itself has nothing to hear."""
    for soundtrack, expected in (
        ("after", ["video/mp4", "audio/wav"]),
        ("before", ["audio/wav", "video/mp4"]),
        ("none", ["video/mp4"]),
    ):
        running = run(soundtrack=soundtrack)
        reply = running.ask(_prompt(clip))
        parts = running.parts()
        assert [part["inlineData"]["mime_type"] for part in parts] == expected
        sent = tmp_path / f"{soundtrack}.mp4"
        sent.write_bytes(_inline(parts[expected.index("video/mp4")]))
        heard = waveform(Media.file("video", sent))
        assert heard is None or np.abs(heard.samples).max() < 1e-3
        assert reply.evidence.clips == (soundtrack != "none")
        assert reply.evidence.soundtrack == (() if soundtrack == "none" else (soundtrack,))
    with pytest.raises(ConfigError, match="needs video=file"):
        run(soundtrack="interleaved", video="frames")


def test_frames_that_a_prompt_asks_for_go_as_pictures_with_the_sound(run: Any, clip: Media) -> None:
    running = run()
    reply = running.ask(_prompt(clip, sampling=Sampling("uniform", 3)))
    kinds = [part["inlineData"]["mime_type"] for part in running.parts()]
    assert kinds == ["image/jpeg"] * 3 + ["audio/wav"]
    assert (reply.evidence.frames, reply.evidence.clips) == (3, 1)


def test_a_schema_is_sent_and_a_reply_that_ignores_it_is_noticed(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = run(Gemini(reply=lambda request: said('{"a": "b"}')))
    running.ask(_prompt(schema=SCHEMA))
    config = running.server.requests[0].body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"] == SCHEMA
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    deaf = run(Gemini(reply=lambda request: said("prose")))
    for _ in range(2):
        deaf.ask(_prompt(schema=SCHEMA))
    assert sum("ignores" in record.getMessage() for record in caplog.records) == 1


def test_decoding_settings_are_sent_only_when_asked_for(run: Any) -> None:
    running = run(room_for_thinking=100)
    system = Message("system", (Text("Be brief."),))
    running.ask(Prompt((system, *_prompt().messages), Generation(max_new_tokens=9)))
    body = running.server.requests[-1].body
    assert body["generationConfig"] == {"maxOutputTokens": 109}
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert [content["role"] for content in body["contents"]] == ["user"]
    warm = Generation(temperature=0.5, top_p=0.9, top_k=7, seed=3)
    running.ask(_prompt(generation=warm).asking_again("", "Again."))
    body = running.server.requests[-1].body
    sent = body["generationConfig"]
    assert [sent[key] for key in ("temperature", "topP", "topK", "seed")] == [0.5, 0.9, 7, 3]
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Answer({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "g-1"}),
            "prompt was blocked: SAFETY",
        ),
        (Answer({"modelVersion": "g-1"}), "no candidate"),
        (said("half", finish="SAFETY"), "blocked or broke off: SAFETY"),
        (said("half", finish="RECITATION"), "broke off: RECITATION"),
        (said(None, finish="SPII"), "broke off: SPII"),
        (Answer({"candidates": []}), "no candidate"),
        (
            Answer({"candidates": None, "promptFeedback": {"blockReason": "OTHER"}}),
            "blocked: OTHER",
        ),
        (Answer({"candidates": [{"finishReason": "STOP"}]}), "no text"),
        (said(None, finish="MAX_TOKENS"), "no text .finish reason MAX_TOKENS"),
        (said(" "), "no text"),
        (Answer({"error": {"message": "bad", "status": "INVALID_ARGUMENT"}}, 400), "HTTP 400"),
    ],
)
def test_what_is_no_answer_is_a_failure_that_is_not_repeated(
    run: Any, answer: Answer, words: str
) -> None:
    running = run(Gemini(reply=lambda request: answer))
    with pytest.raises(BackendError, match=words) as caught:
        running.ask(_prompt())
    assert not isinstance(caught.value, TransientError)
    assert len(running.server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [said("half", finish="OTHER"), said(None, finish="MALFORMED_RESPONSE"), Answer(b"<h>")],
)
def test_a_reply_that_broke_off_may_pass(run: Any, answer: Answer) -> None:
    running = run(Gemini(reply=lambda request: answer))
    with pytest.raises(TransientError, match=r"broke the reply off|not JSON"):
        running.ask(_prompt())


def test_thoughts_are_not_part_of_the_reply_and_a_cut_one_is_noted(
    run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    running = run(Gemini(reply=lambda request: said("half a", finish="MAX_TOKENS")))
    assert running.ask(_prompt()).text == "half a"
    assert "ended at max_new_tokens" in caplog.text


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_transient_and_tried_once_here(run: Any, status: int) -> None:
    error = {"code": status, "message": "later", "status": "RESOURCE_EXHAUSTED"}
    answer = Answer({"error": error}, status, {"Retry-After": "7"})
    running = run(Gemini(reply=lambda request: answer))
    with pytest.raises(TransientError, match=f"HTTP {status}") as caught:
        running.ask(_prompt())
    assert caught.value.retry_after == 7.0
    assert len(running.server.requests) == 1


def test_the_wait_in_googles_own_details_is_kept(run: Any) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"}
    error = {"code": 429, "message": "later", "status": "X", "details": [info]}
    running = run(Gemini(reply=lambda request: Answer({"error": error}, 429)))
    with pytest.raises(TransientError) as caught:
        running.ask(_prompt())
    assert caught.value.retry_after == 12.5


def test_a_timeout_and_a_dead_service_are_transient(run: Any) -> None:
    def slow(request: Request) -> Answer:
        running.server.released.wait(20)
        return said()

    running = run(Gemini(reply=slow), timeout=0.3)
    with pytest.raises(TransientError, match="Timeout"):
        running.ask(_prompt())
    nobody = GeminiBackend("g-1", GeminiOptions(base_url="http://127.0.0.1:9"))
    with pytest.raises(TransientError, match="Connect"):
        asyncio.run(nobody(_prompt()))


@pytest.mark.parametrize(
    ("served", "told"), [("g-1", False), ("models/g-1-001", False), ("g-2", True)]
)
def test_a_silent_rerouting_is_flagged_once_and_recorded(
    run: Any, caplog: pytest.LogCaptureFixture, served: str, told: bool
) -> None:
    running = run(Gemini(reply=lambda request: said(modelVersion=served)))
    for _ in range(2):
        assert running.ask(_prompt()).model == served.removeprefix("models/")
    news = [r for r in caplog.records if "answered with" in r.getMessage()]
    assert len(news) == int(told)


def _always(answer: Answer, request: object) -> Answer:
    return answer


def test_the_key_is_in_no_error_log_or_identity(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (401, 400, 429, 500):
        error = {"code": status, "message": f"bad key {SECRET}", "status": "X"}
        answer = Answer({"error": error}, status)
        running = run(Gemini(reply=functools.partial(_always, answer)))
        with pytest.raises(BackendError, match=r"bad key \[key\]") as caught:
            running.ask(_prompt())
        shown = f"{caught.value!r}{vars(caught.value)}{caught.value.__cause__}"
        assert SECRET not in shown + running.backend.identity
        assert caught.value.__suppress_context__
    assert SECRET not in caplog.text


def test_a_missing_key_or_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", SECRET)
    monkeypatch.delenv("GOOGLE_API_KEY")
    GeminiBackend("g-1")
    monkeypatch.delenv("GEMINI_API_KEY")
    with pytest.raises(ConfigError, match="Set GOOGLE_API_KEY"):
        GeminiBackend("g-1")
    monkeypatch.setitem(sys.modules, "google.genai", None)
    monkeypatch.delattr("google.genai", raising=False)
    with pytest.raises(ConfigError, match=r'pip install "aurelia-lmms-eval\[gemini\]"'):
        GeminiBackend("g-1")


def test_a_file_that_cannot_be_deleted_does_not_spoil_the_end(
    run: Any, clip: Media, caplog: pytest.LogCaptureFixture
) -> None:
    class Keeping(Gemini):
        def __call__(self, request: Request) -> Answer:
            if request.method == "DELETE":
                return Answer({"error": {"message": "no", "status": "X"}}, 403)
            return super().__call__(request)

    running = run(Keeping(("ACTIVE",)), inline_mb=0)
    running.ask(_prompt(clip))
    asyncio.run(running.backend.close())
    assert "files/f0 was not deleted" in caplog.text
    asyncio.run(running.backend.close())  # nothing is left to close


def test_the_identity_holds_what_changes_replies() -> None:
    def identity(**options: Any) -> str:
        return GeminiBackend("g-1", GeminiOptions(**options)).identity

    assert identity() == identity(timeout=3, concurrency=2, inline_mb=1)
    assert len({identity(), identity(video="frames"), identity(media_resolution="low")}) == 3


def test_two_models_of_one_account_share_an_upload(run: Any, clip: Media) -> None:
    running = run(inline_mb=0)
    options = running.backend.options
    other, elsewhere = GeminiBackend("g-2", options), run(inline_mb=0)
    other._files.poll = 0.01

    async def both() -> None:
        await asyncio.gather(running.backend(_prompt(clip)), other(_prompt(clip, Text("b"))))

    asyncio.run(both())
    elsewhere.ask(_prompt(clip))
    assert len(running.uploads()) == 1
    assert len(elsewhere.uploads()) == 1  # another address is another account
    asyncio.run(running.backend.close())
    assert running.service.deleted == []  # the other one still uses it
    assert asyncio.run(other(_prompt(clip, Text("c")))).text == "a bell"
    assert len(running.uploads()) == 1
    asyncio.run(other.close())
    assert running.service.deleted == ["files/f0"]
