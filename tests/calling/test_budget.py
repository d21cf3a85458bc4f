from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from making import QUICK, beep, question, score, team, text_of
from serviced import ServedBackend

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Text, Usage
from aurelia_plugin.calling.budget import Limits, expected_input
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.ledger import Purpose
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.errors import BackendError, OverBudgetError, TransientError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.running.outcomes import RunOutcome

PROMPT = question().prompt()

AGENT = Purpose("reasoner")


def _used(read: int, written: int) -> Any:
    return lambda prompt: Reply(text="a", usage=Usage(input_tokens=read, output_tokens=written))


def _caller(price: str = "1/2", **limits: Any) -> Caller:
    return Caller(QUICK, limits=Limits(**limits), prices=Prices.packaged(price))


def _ask_until_refused(caller: Caller, backend: Any, at_once: int = 8) -> int:
    """Ask again and again, so many at once; return how many calls were answered."""

    async def ask() -> int:
        done = 0
        while True:
            calls = (caller.answer(backend, PROMPT, AGENT) for _ in range(at_once))
            replies = await asyncio.gather(*calls, return_exceptions=True)
            done += sum(isinstance(reply, Reply) for reply in replies)
            for reply in replies:
                if isinstance(reply, OverBudgetError):
                    return done
                assert isinstance(reply, Reply), reply

    return asyncio.run(ask())


@pytest.mark.parametrize("limit", [1, 7, 16])
def test_calls_stop_at_the_limit_and_not_before(limit: int) -> None:
    backend = ScriptedBackend(lambda prompt: "a")
    assert _ask_until_refused(_caller(calls=limit), backend) == limit
    assert len(backend.prompts) == limit


def test_tokens_stop_before_the_limit_is_passed() -> None:
    caller = _caller(tokens=1_000)
    answered = _ask_until_refused(caller, ScriptedBackend(_used(20, 16)))
    assert caller.ledger.spent().tokens == 36 * answered <= 1_000
    # What is left could not have paid for the worst case of a call: 25 read, 16 written.
    assert 1_000 - caller.ledger.spent().tokens < 25 + 16


def test_money_stops_before_the_limit_is_passed() -> None:
    caller = _caller("1/2", cost=0.01)
    answered = _ask_until_refused(caller, ServedBackend(_used(20, 16)))
    assert caller.ledger.spent().cost == pytest.approx(answered * 52e-6)
    assert 0.01 - 60e-6 < caller.ledger.spent().cost <= 0.01


def test_no_limit_is_passed_whatever_calls_take_within_their_bounds() -> None:
    rng = random.Random(0)

    async def reply(prompt: Prompt) -> Reply:
        await asyncio.sleep(rng.random() * 0.002)
        usage = Usage(input_tokens=rng.randint(10, 20), output_tokens=rng.randint(0, 16))
        return Reply(text="a", usage=usage)

    caller = _caller(tokens=2_000, calls=70)
    _ask_until_refused(caller, ServedBackend(reply, most=16), at_once=16)
    assert caller.ledger.spent().tokens <= 2_000
    assert caller.ledger.spent().calls <= 70


def test_a_call_waits_while_others_may_take_less_than_they_reserved() -> None:
    # Each reserves 16 written tokens and takes one: together they reserve more than there is.
    caller = _caller(tokens=2 * (expected_input(PROMPT) + 16))

    async def four() -> list[Reply]:
        backend = ScriptedBackend(_used(1, 1))
        return await asyncio.gather(*(caller.answer(backend, PROMPT, AGENT) for _ in range(4)))

    assert len(asyncio.run(four())) == 4


def test_what_a_model_takes_corrects_the_guess() -> None:
    guess = expected_input(PROMPT)
    dear = ServedBackend(_used(guess * 10, 0))
    caller = _caller(tokens=guess * 20)
    assert asyncio.run(caller.answer(dear, PROMPT)).usage.input_tokens == guess * 10
    with pytest.raises(OverBudgetError):
        asyncio.run(caller.answer(dear, PROMPT))
    assert caller.ledger.spent().tokens <= guess * 20


def test_a_target_on_this_machine_does_not_count_and_is_never_refused() -> None:
    caller = _caller(calls=1)
    backend = ScriptedBackend(lambda prompt: "a")

    async def ask() -> None:
        for _ in range(3):
            await caller.answer(backend, PROMPT)

    asyncio.run(ask())
    assert caller.ledger.spent().calls == 0
    assert caller.ledger.total().calls == 3


@pytest.mark.parametrize(("charged", "calls"), [(True, 3), (False, 0)])
def test_a_failed_call_costs_its_worst_case_if_the_service_may_want_money(
    charged: bool, calls: int
) -> None:
    def fail(prompt: Prompt) -> str:
        raise TransientError("svc", "cut", "Wait.", charged=charged)

    caller = _caller(tokens=100_000)
    with pytest.raises(TransientError):
        asyncio.run(caller.answer(ServedBackend(fail), PROMPT))
    assert caller.ledger.spent().calls == calls
    assert caller.ledger.spent().tokens == calls * (expected_input(PROMPT) + 16)


def test_an_error_that_is_none_of_ours_gives_back_what_was_reserved() -> None:
    def fail(prompt: Prompt) -> str:
        raise RuntimeError("out of memory")

    caller = _caller(calls=1)
    with pytest.raises(BackendError):
        asyncio.run(caller.answer(ServedBackend(fail), PROMPT))
    assert asyncio.run(caller.answer(ServedBackend(lambda p: "a"), PROMPT)).text == "a"


def test_cancelling_gives_back_what_was_reserved() -> None:
    async def cancel() -> str:
        caller = _caller(calls=1)

        async def forever(prompt: Prompt) -> str:
            await asyncio.Event().wait()
            return ""

        hangs = asyncio.create_task(caller.answer(ScriptedBackend(forever), PROMPT, AGENT))
        waits = asyncio.create_task(caller.answer(ServedBackend(lambda p: "a"), PROMPT))
        await asyncio.sleep(0.01)
        assert not waits.done()
        hangs.cancel()
        return (await waits).text

    assert asyncio.run(asyncio.wait_for(cancel(), 5)) == "a"


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_shares_of_processes_add_up_to_the_whole(count: int) -> None:
    whole = Limits(calls=10, tokens=1_001, cost=0.5)
    shares = [whole.share(index, count) for index in range(count)]
    assert sum(share.calls or 0 for share in shares) == 10
    assert sum(share.tokens or 0 for share in shares) == 1_001
    assert sum(share.cost or 0 for share in shares) == pytest.approx(0.5)
    assert Limits().share(0, count) == Limits()


def test_longer_prompts_and_media_are_expected_to_take_more(clip_file: Path) -> None:
    def guess(*parts: Any) -> int:
        return expected_input(Prompt((Message("user", parts),), Generation()))

    assert guess(Text("a" * 4_000)) >= 1_000
    assert guess(Text("語" * 1_000)) >= 1_000
    assert guess(beep(seconds=60.0)) >= 60 * 32
    # 2 s of video: 16 frames of at most 300 tokens, and its sound.
    assert 16 * 258 <= guess(Media.file("video", clip_file)) <= 16 * 400


def _trace(made: Any) -> Trace:
    trace: Trace = asyncio.run(made.agents.trace(question("Who rings?", beep())))
    return trace


def test_a_loop_that_the_budget_ends_is_kept_but_never_taken_for_finished(tmp_path: Path) -> None:
    def hard(prompt: Prompt) -> str:
        return score(2)

    poor = team(tmp_path, evaluator=hard, caller=_caller(calls=4))
    stopped = _trace(poor)
    assert (stopped.stop, stopped.finished, len(stopped.iterations)) == ("over_budget", False, 1)
    assert "max_calls=4 could be passed" in str(stopped.error)
    stored = tmp_path / "traces" / stopped.key[:2] / f"{stopped.key}.json"
    assert Trace.model_validate_json(stored.read_bytes()) == stopped
    rich = team(tmp_path, evaluator=hard)
    assert _trace(rich).stop == "exhausted"
    assert rich.asked == (1, 2, 2)  # of nine calls, four were paid for before
    assert [rich.ledger.total("reused", role).calls for role in ROLES] == [2, 1, 1]
    assert _trace(team(tmp_path, caller=_caller(calls=1))).stop == "exhausted"


def test_usage_is_counted_by_role_iteration_and_column(tmp_path: Path) -> None:
    made = team(tmp_path, evaluator=lambda p: score(9 if "more" in text_of(p) else 2))
    asyncio.run(made.agents.trace(question("Who?", column="meme")))
    asyncio.run(made.agents.trace(question("Who more?", column="avsd")))
    usage = RunOutcome(made.ledger).record()["usage"]
    calls = {
        name: {key: row["calls"] for key, row in usage[name].items()}
        for name in ("by_role", "by_iteration", "by_column")
    }
    assert sum(calls["by_role"].values()) == usage["total"]["calls"] == sum(made.asked)
    assert sum(calls["by_iteration"].values()) == sum(calls["by_column"].values())
    assert set(calls["by_iteration"]) == {"1", "2", "3"}
    assert set(calls["by_column"]) == {"meme", "avsd"}
    assert usage["total"]["cost_usd"] == 0.0
