"""Context caching at Gemini: when a clip is kept, what that costs, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from fake_servers import Answer, Gemini, Request, Server, refused, said, serving

from aurelia_plugin.calling.backend import Message, Prompt, Reply, Sampling, Text, Usage
from aurelia_plugin.calling.budget import Limits
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.gemini.backend import GeminiBackend, GeminiOptions

TOKENS = 2000
"""Of every request, as the stand-in counts; more than any model's minimum but `LARGE`."""

LARGE = 4096
SYSTEM = Message("system", (Text("Be brief."),))


def counted(request: Request) -> Answer:
    usage = {"promptTokenCount": TOKENS, "candidatesTokenCount": 5}
    return said(usageMetadata=usage)


class Running(NamedTuple):
    service: Gemini
    server: Server
    backend: GeminiBackend

    def ask(self, prompt: Prompt) -> Reply:
        return asyncio.run(self.backend(prompt))

    def orders(self) -> list[Request]:
        return self.server.asked("/cachedContents", "POST")

    def asked(self) -> list[Request]:
        return self.server.asked(":generateContent")


Start = Callable[..., Running]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-1")
    with ExitStack() as stack:

        def begin(
            reply: Callable[[Request], Answer] = counted, least: int | None = 10, **options: object
        ) -> Running:
            service = Gemini(reply=reply, least=least)
            server = stack.enter_context(serving(service))
            service.url = server.url
            values = GeminiOptions.model_validate({"base_url": server.url, **options})
            return Running(service, server, GeminiBackend("gemini-3.5-flash", values))

        yield begin


@pytest.fixture
def clip(clip_file: Path) -> Media:
    return Media.file("video", clip_file)


def about(clip: Media, text: str = "What?", *before: Message) -> Prompt:
    return Prompt((*before, Message("user", (clip, Text(text)))))


def test_a_clip_is_kept_once_calls_about_it_have_cost_their_full_price(
    start: Start, clip: Media
) -> None:
    running = start(cache_after=2)
    replies = [running.ask(about(clip, f"Question {n}?")) for n in range(5)]
    (order,) = running.orders()
    assert running.server.requests.index(order) == 2  # before the third question
    (kept,) = order.body["contents"]
    assert [list(part) for part in kept["parts"]] == [["inlineData"]]
    assert (order.body["ttl"], kept["role"]) == ("300s", "user")
    assert order.body["model"] == "models/gemini-3.5-flash"
    for request in running.asked()[2:]:
        assert request.body["cachedContent"] == "cachedContents/c0"
        parts = [part for content in request.body["contents"] for part in content["parts"]]
        assert [list(part) for part in parts] == [["text"]]
    read = [reply.usage.input_tokens for reply in replies]
    assert read == [TOKENS, TOKENS, TOKENS + 90, TOKENS, TOKENS]  # the third ordered it
    assert [reply.usage.cached_tokens for reply in replies] == [0, 0, 90, 90, 90]
    assert replies[2].usage.stored_token_hours == pytest.approx(90 * 300 / 3600)
    assert {reply.evidence.clips for reply in replies} == {1}  # heard, though not sent
    asyncio.run(running.backend.close())
    assert running.service.deleted == ["cachedContents/c0"]


def test_other_frames_another_system_and_text_first_are_not_taken_for_the_kept_one(
    start: Start, clip: Media
) -> None:
    running = start(cache_after=1)
    for _ in range(2):
        running.ask(about(clip))
    others = [
        Prompt(about(clip).messages, sampling=Sampling("uniform", 2)),
        about(clip, "What?", SYSTEM),
        Prompt((Message("user", (Text("Look:"), clip, Text("What?"))),)),
        Prompt((Message("user", (Text("What?"),)),)),
    ]
    for prompt in others:
        running.ask(prompt)
        assert "cachedContent" not in running.asked()[-1].body
    assert len(running.orders()) == 1


def test_a_system_instruction_is_kept_with_the_clip(start: Start, clip: Media) -> None:
    running = start(cache_after=1)
    for n in range(3):
        running.ask(about(clip, f"Question {n}?", SYSTEM))
    (order,) = running.orders()
    assert order.body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert "systemInstruction" in running.asked()[0].body
    assert all("systemInstruction" not in request.body for request in running.asked()[1:])


def test_what_the_service_finds_again_by_itself_is_not_ordered(start: Start, clip: Media) -> None:
    def implicit(request: Request) -> Answer:
        return said(usageMetadata={"promptTokenCount": TOKENS, "cachedContentTokenCount": 1900})

    running = start(implicit)
    replies = [running.ask(about(clip, f"Question {n}?")) for n in range(5)]
    assert running.orders() == []
    assert {reply.usage.cached_tokens for reply in replies} == {1900}


def test_calls_at_the_same_time_order_once_and_one_of_them_pays(start: Start, clip: Media) -> None:
    running = start(cache_after=1)
    running.ask(about(clip))

    async def many() -> list[Reply]:
        return list(await asyncio.gather(*(running.backend(about(clip, t)) for t in "abcd")))

    replies = asyncio.run(many())
    assert len(running.orders()) == 1
    assert sorted(reply.usage.input_tokens for reply in replies) == [TOKENS] * 3 + [TOKENS + 90]


@pytest.mark.parametrize("least", [None, LARGE])
def test_a_service_that_keeps_nothing_is_asked_once_and_goes_on(
    start: Start, clip: Media, least: int | None
) -> None:
    running = start(least=least)
    texts = {running.ask(about(clip, f"Question {n}?")).text for n in range(6)}
    assert texts == {"a bell"}
    assert len(running.orders()) == 1
    assert all("cachedContent" not in request.body for request in running.asked())


def test_a_clip_that_the_service_dropped_is_sent_again(start: Start, clip: Media) -> None:
    running = start(cache_after=1)
    for _ in range(2):
        running.ask(about(clip))
    running.service.caches.clear()
    assert running.ask(about(clip)).text == "a bell"
    assert "cachedContent" not in running.asked()[-1].body


def test_another_refusal_of_a_call_with_a_kept_clip_is_that_calls_failure(
    start: Start, clip: Media
) -> None:
    def failing(request: Request) -> Answer:
        cached = "cachedContent" in request.body
        return refused(400, "Request contains an invalid argument.") if cached else counted(request)

    running = start(failing, cache_after=1)
    running.ask(about(clip))
    with pytest.raises(Exception, match="invalid argument"):
        running.ask(about(clip))
    assert len(running.asked()) == 2  # not sent again without the cache


def test_never_means_never(start: Start, clip: Media) -> None:
    running = start(cache_after=0)
    for _ in range(5):
        running.ask(about(clip))
    assert running.orders() == []


def test_a_short_clip_is_not_offered(start: Start, clip: Media) -> None:
    running = start(lambda request: said(usageMetadata={"promptTokenCount": 500}))
    for _ in range(5):
        running.ask(about(clip))
    assert running.orders() == []


def test_the_option_is_no_part_of_the_identity() -> None:
    with_option = GeminiOptions(cache_after=5).that_change_replies()
    assert with_option == GeminiOptions().that_change_replies()


def test_the_budget_counts_the_order_and_charges_what_was_found_as_such(
    start: Start, clip: Media
) -> None:
    running = start(cache_after=1)
    caller = Caller(
        RetryPolicy(attempts=1), limits=Limits(calls=99, cost=9.0), prices=Prices.packaged()
    )

    async def asked() -> None:
        for n in range(3):
            await caller.answer(running.backend, about(clip, f"Question {n}?"))

    asyncio.run(asked())
    spent = caller.ledger.spent()
    assert spent.calls == 4
    record = caller.ledger.total().usage_record()
    assert record["cached_tokens"] == 180
    stored = 90 * 300 / 3600
    # Gemini 3.5 Flash: $1.50 and $9 a million, a tenth for what is found, $1 an hour of storage.
    read = 3 * TOKENS + 90 - 180 + 0.1 * 180
    assert spent.cost == pytest.approx((1.5 * read + 9 * 15 + stored) / 1e6)


def test_usages_add_up() -> None:
    one = Usage(input_tokens=5, output_tokens=1, cached_tokens=2, stored_token_hours=0.5)
    assert one + one == Usage(
        input_tokens=10, output_tokens=2, cached_tokens=4, stored_token_hours=1.0
    )
