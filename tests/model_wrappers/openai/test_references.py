"""Media are sent once to a server that keeps them, and never taken for known where they are not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fake_servers import Answer, Request, Server, completion, serving
from hypothesis import given, settings
from hypothesis import strategies as st
from making import QUICK, beep
from media.conftest import MakeVideo, grey_frames, tone

from aurelia_plugin.calling.backend import Message, Part, Prompt, Sampling, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend, OpenAIOptions
from aurelia_plugin.model_wrappers.openai.references import KnownMedia


@dataclass
class Keeping:
    """Plays vLLM's cache of named media: the last `room` of them.

    Attributes:
        answered: the names of each answered request, in order.
        sent: how often each medium's data came.
    """

    room: int = 10**9
    seconds: float = 0.0
    known: list[str] = field(default_factory=list)
    answered: list[list[str]] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Answer:
        parts = [part for turn in request.body["messages"] for part in turn["content"]]
        media = [part for part in parts if part["type"] != "text"]
        with self.lock:
            for part in media:
                if part[part["type"]] is not None:
                    self.sent[part["uuid"]] += 1
                elif part["uuid"] not in self.known:
                    said = "Cache miss for video at index 0 but data is not provided."
                    return Answer({"error": {"message": said, "code": 400}}, 400)
            names = [part["uuid"] for part in media]
            self.known = [name for name in self.known if name not in names] + names
            self.known = self.known[-self.room :]
            self.answered.append(names)
        time.sleep(self.seconds)
        return completion(f"{len(names)} media")


def _prompt(*parts: Part) -> Prompt:
    return Prompt((Message("user", parts),))


def _backend(*servers: Server, kind: str = "vllm", **options: object) -> OpenAIBackend:
    urls = "|".join(f"{server.url}/v1" for server in servers)
    values = {"server": kind, "base_url": urls, "max_frames": 3, "longest_side": 32, **options}
    return OpenAIBackend("m-1", OpenAIOptions.model_validate(values))


async def _ask(backend: OpenAIBackend, *prompts: Prompt) -> list[str]:
    caller = Caller(QUICK)
    return [(await caller.answer(backend, prompt)).text for prompt in prompts]


@pytest.fixture
def clip(clip_file: Path) -> Media:
    return Media.file("video", clip_file)


def test_each_medium_is_sent_once_and_named_afterwards(clip: Media) -> None:
    keeping = Keeping()
    lead = (clip, Text("Audio 1:"), beep(300), Text("Audio 2:"), beep(600))
    with serving(keeping) as server:
        prompts = [_prompt(*lead, Text(str(number))) for number in range(4)]
        assert asyncio.run(_ask(_backend(server), *prompts)) == ["4 media"] * 4
        sizes = [len(r.content) for r in server.requests if r.body.get("max_tokens") != 1]
    assert set(keeping.sent.values()) == {1}
    assert len({tuple(names) for names in keeping.answered}) == 1
    assert max(sizes[1:]) < 2_000 < sizes[0]


def test_what_is_read_otherwise_has_another_name(clip: Media, make_video: MakeVideo) -> None:
    moving = grey_frames(range(20, 60))
    other = Media.file("video", make_video("other.mp4", moving, sound=tone(4.0)))
    muted, blanked = replace(clip, silenced=True), replace(clip, blanked=True)
    keeping = Keeping()
    with serving(keeping) as server:
        backend = _backend(server)
        asked = [_prompt(medium, Text("?")) for medium in (clip, other, muted, blanked)]
        asked += [replace(asked[0], sampling=Sampling("uniform", 2))]
        asyncio.run(_ask(backend, *asked, *asked))
        asyncio.run(_ask(_backend(server, max_frames=2), asked[0]))
    names = [tuple(answered) for answered in keeping.answered]
    assert len(set(names[:5])) == 5
    assert names[:5] == names[5:10]
    assert names[10][0] != names[0][0]
    assert names[2][0] == names[0][0], "a muted clip shows the same frames"
    assert names[2][1] != names[0][1]


def test_a_server_that_forgot_is_sent_them_again_and_one_that_always_does_with_each(
    clip: Media,
) -> None:
    keeping = Keeping()
    sounds = [_prompt(beep(hertz), Text("?")) for hertz in range(200, 700, 100)]
    with serving(keeping) as server:
        backend = _backend(server)
        asyncio.run(_ask(backend, _prompt(clip, Text("a")), _prompt(clip, Text("b"))))
        keeping.known.clear()  # it was started anew
        replies = asyncio.run(_ask(backend, *[_prompt(clip, Text(t)) for t in "cde"]))
        assert replies == ["2 media"] * 3
        assert set(keeping.sent.values()) == {2}
        keeping.room = 1
        keeping.sent.clear()
        for _ in range(3):
            assert asyncio.run(_ask(backend, *sounds)) == ["1 media"] * 5
        server.requests.clear()
        asyncio.run(_ask(backend, *sounds))
        assert len(server.requests) == 5, "it is not asked in vain any more"


def _ignorant(request: Request) -> Answer:
    """A server that answers, whether it has got the media or not."""
    return completion()


def _other(request: Request) -> Answer:
    """A server that knows of no names: a medium without data is no medium."""
    parts = [part for turn in request.body["messages"] for part in turn["content"]]
    if any(part[part["type"]] is None for part in parts):
        return Answer({"error": {"message": "video_url: a string is required", "code": 400}}, 400)
    return completion()


def test_a_prompt_that_is_too_long_is_asked_once_and_no_medium_counts_as_forgotten(
    clip: Media,
) -> None:
    keeping = Keeping()

    def respond(request: Request) -> Answer:
        if b'"text":"long"' in request.content:
            said = "This model's maximum context length is 256 tokens."
            return Answer({"error": {"message": said, "code": 400}}, 400)
        return keeping(request)

    with serving(respond) as server:
        backend = _backend(server)
        asyncio.run(_ask(backend, _prompt(clip, Text("a")), _prompt(clip, Text("b"))))
        before = len(server.requests)
        for _ in range(12):
            with pytest.raises(BackendError, match="maximum context length"):
                asyncio.run(_ask(backend, _prompt(clip, Text("long"))))
        assert len(server.requests) == before + 12
        asyncio.run(_ask(backend, _prompt(clip, Text("c"))))
    assert set(keeping.sent.values()) == {1}


@pytest.mark.parametrize("respond", [_ignorant, _other])
@pytest.mark.parametrize("kind", ["vllm", "sglang", "transformers"])
def test_a_server_that_does_not_refuse_an_unknown_name_gets_the_data_each_time(
    respond: object, kind: str, clip: Media
) -> None:
    with serving(respond) as server:  # type: ignore[arg-type]
        prompts = [_prompt(clip, Text(text)) for text in "abc"]
        assert asyncio.run(_ask(_backend(server, kind=kind), *prompts)) == ["fine"] * 3
        questions = [r for r in server.requests if b'"max_tokens":1,' not in r.content]
        questions = [r for r in questions if r.body["messages"][0]["content"][-1]["text"] != "?"]
    assert len(questions) == 3
    for request in questions:
        for part in request.body["messages"][0]["content"]:
            assert part[part["type"]] is not None


def test_requests_at_once_do_not_send_the_same_medium_twice(clip: Media) -> None:
    keeping = Keeping(seconds=0.05)

    async def ask(backend: OpenAIBackend) -> None:
        caller = Caller(QUICK)
        parts = [(clip, beep(300)), (beep(300), clip), (clip,), (beep(300),)] * 2
        prompts = [_prompt(*media, Text(str(n))) for n, media in enumerate(parts)]
        await asyncio.gather(*(caller.answer(backend, prompt) for prompt in prompts))

    with serving(keeping) as server:
        asyncio.run(ask(_backend(server)))
    assert len([names for names in keeping.answered if names]) == 8
    assert set(keeping.sent.values()) == {1}


def test_of_several_servers_the_one_that_has_the_clip_is_asked(clip: Media) -> None:
    kept = [Keeping(), Keeping(), Keeping()]
    clips = [_prompt(beep(hertz), Text("?")) for hertz in (200, 400, 800)]
    with ExitStack() as stack:
        backend = _backend(*(stack.enter_context(serving(one)) for one in kept))
        for _ in range(3):
            asyncio.run(_ask(backend, *clips))
    assert sum((one.sent for one in kept), Counter()).most_common(1)[0][1] == 1
    assert [len(one.answered) for one in kept] == [3, 3, 3]


def test_an_interleaved_video_is_sent_each_time_under_its_name(clip: Media) -> None:
    """vLLM takes its soundtrack out of the data."""
    keeping = Keeping()
    with serving(keeping) as server:
        backend = _backend(server, soundtrack="interleaved")
        asyncio.run(_ask(backend, *[_prompt(clip, Text(text)) for text in "abc"]))
    assert list(keeping.sent.values()) == [3]


@given(st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_no_two_requests_under_way_send_the_same(wanted: list[set[int]]) -> None:
    media = KnownMedia("s")
    sent: Counter[str] = Counter()

    async def one(names: set[str]) -> None:
        async with media.lent(names) as loan:
            sent.update(names - loan.known)
            await asyncio.sleep(0)

    async def run() -> None:
        await asyncio.gather(*(one({str(n) for n in names}) for names in wanted))

    asyncio.run(run())
    assert set(sent.values()) == {1}


def test_the_form_of_requests_is_part_of_the_identity_where_it_has_changed() -> None:
    """Unknown models behind vLLM were interleaved once, and are not now."""
    plain = OpenAIBackend("m", OpenAIOptions(server="vllm"))
    after = OpenAIBackend("m", OpenAIOptions(server="vllm", soundtrack="after"))
    assert plain.identity != after.identity, "an option that is given is one"
    qwen = OpenAIBackend("qwen2.5-omni", OpenAIOptions(server="vllm"))
    assert qwen.takes.soundtrack != plain.takes.soundtrack
    assert qwen.identity.split("#")[1] != plain.identity.split("#")[1]
    # What kept traces have, made before the form was part of it.
    kept = {"sglang": "10d526526023", "transformers": "0dc4775cfce8", "vllm": "7bf4e1296d8d"}
    for kind, digest in kept.items():
        asked = OpenAIBackend("m", OpenAIOptions(server=kind))
        assert (asked.identity == f"{kind}:m#{digest}") == (kind != "vllm")
