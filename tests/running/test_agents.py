from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from making import QUICK, Team, beep, question, score, steps, team, text_of

from aurelia_plugin.calling.backend import Backend, Generation, Prompt, Reply, Usage
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import BackendError, StoreError, TransientError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.reasoning.trace import Trace

ASKED = question("Who rings?", beep())


def _trace(made: Team, asked: Question = ASKED) -> Trace:
    return asyncio.run(made.agents.trace(asked))


def _counted(made: Team) -> list[tuple[int, int]]:
    ledger = made.ledger
    return [(ledger.total(role=r).calls, ledger.total("reused", r).calls) for r in ROLES]


def test_a_stored_trace_costs_no_call(tmp_path: Path) -> None:
    first = _trace(team(tmp_path))
    warm = team(tmp_path)
    assert _trace(warm) == first
    assert warm.asked == (0, 0, 0)
    assert _counted(warm) == [(0, 0)] * 3


def test_a_failed_loop_is_stored_and_tried_again_without_its_finished_calls(tmp_path: Path) -> None:
    def down(prompt: Prompt) -> str:
        raise BackendError("e-1", "is down", "Start it.")

    broken = team(tmp_path, evaluator=down)
    failed = _trace(broken)
    stored = (tmp_path / "traces" / failed.key[:2] / f"{failed.key}.json").read_bytes()
    assert Trace.model_validate_json(stored) == failed
    assert failed.stop == "failed"
    again = team(tmp_path)
    assert _trace(again).stop == "accepted"
    assert again.asked == (0, 0, 1)
    assert _counted(again) == [(0, 1), (0, 1), (1, 0)]


def test_more_iterations_reuse_the_first_ones(tmp_path: Path) -> None:
    short = team(tmp_path, evaluator=lambda prompt: score(2), max_iterations=2)
    assert _trace(short).stop == "exhausted"
    longer = team(tmp_path, evaluator=lambda prompt: score(2), max_iterations=3)
    trace = _trace(longer)
    assert len(trace.iterations) == 3
    assert longer.asked == (1, 1, 1)
    assert _counted(longer) == [(1, 2)] * 3


def test_another_threshold_reuses_calls_but_not_the_trace(tmp_path: Path) -> None:
    strict = team(tmp_path, evaluator=lambda prompt: score(7), threshold=9, max_iterations=1)
    assert _trace(strict).stop == "exhausted"
    mild = team(tmp_path, threshold=7, max_iterations=1)
    assert _trace(mild).stop == "accepted"
    assert mild.asked == (0, 0, 0)


def test_equal_prompts_of_one_loop_are_told_apart(tmp_path: Path) -> None:
    replies = iter(["", "", "", ""])
    made = team(tmp_path, lambda prompt: next(replies), max_iterations=2)
    _trace(made)
    assert made.asked[0] == 4, "a second empty iteration is a new call, not a stored one"


def _plan_changes() -> list[tuple[str, Callable[[Path], Any], bool]]:
    return [
        ("nothing", lambda p: team(p), False),
        ("threshold", lambda p: team(p, threshold=7), True),
        ("max_iterations", lambda p: team(p, max_iterations=9), True),
        ("seed", lambda p: team(p, seed=1), True),
        ("preset", lambda p: team(p, prompts=PromptSet("paper")), True),
        ("reasoner", lambda p: team(p, identities={"reasoner": "r-2"}), True),
        ("evaluator", lambda p: team(p, identities={"evaluator": "e-2"}), True),
    ]


@pytest.mark.parametrize(("what", "make", "moves"), _plan_changes())
def test_what_moves_the_key_of_a_trace(
    tmp_path: Path, what: str, make: Callable[[Path], Team], moves: bool
) -> None:
    keys = {made.agents.plan.trace_key(ASKED) for made in (team(tmp_path), make(tmp_path))}
    assert (len(keys) == 2) == moves


def test_the_key_of_a_trace_follows_clip_and_text_only(tmp_path: Path) -> None:
    key = team(tmp_path).agents.plan.trace_key
    assert key(question("Who rings?", beep(100))) != key(ASKED)
    assert key(question("Who sings?", beep())) != key(ASKED)
    other = replace(ASKED, id="x", category="c", generation=Generation(7), fields={"a": 1})
    assert key(other) == key(ASKED)


def test_equal_questions_asked_at_once_are_worked_out_once(tmp_path: Path) -> None:
    async def reply(prompt: Prompt) -> str:
        await asyncio.sleep(0)
        return steps("Listen.")

    made = team(tmp_path, reply)

    async def ask() -> list[Trace]:
        twins = [replace(ASKED, id=f"q/{i}") for i in range(5)]
        return await asyncio.gather(*map(made.agents.trace, twins))

    traces = asyncio.run(ask())
    assert made.asked == (1, 1, 1)
    assert all(trace == traces[0] for trace in traces)


def _waiting(tmp_path: Path) -> tuple[Team, asyncio.Event, list[str]]:
    release, log = asyncio.Event(), []

    async def reply(prompt: Prompt) -> str:
        log.append("begun")
        try:
            await release.wait()
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        return steps("Listen.")

    return team(tmp_path, reply), release, log


def test_one_of_two_callers_may_leave(tmp_path: Path) -> None:
    async def leave() -> tuple[Trace, list[str]]:
        made, release, log = _waiting(tmp_path)
        stays, leaves = (asyncio.create_task(made.agents.trace(ASKED)) for _ in range(2))
        while not log:
            await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.wait([leaves])
        release.set()
        return await stays, log

    trace, log = asyncio.run(leave())
    assert (trace.stop, log) == ("accepted", ["begun"])


def test_work_for_which_nobody_waits_ends_and_can_begin_anew(tmp_path: Path) -> None:
    async def leave() -> tuple[int, Trace, list[str]]:
        made, release, log = _waiting(tmp_path)
        callers = [asyncio.create_task(made.agents.trace(ASKED)) for _ in range(2)]
        while not log:
            await asyncio.sleep(0)
        for caller in callers:
            caller.cancel()
        await asyncio.wait(callers)
        behind = len(asyncio.all_tasks()) - 1
        release.set()
        return behind, await made.agents.trace(ASKED), log

    behind, trace, log = asyncio.run(leave())
    assert (behind, trace.stop, log) == (0, "accepted", ["begun", "cancelled", "begun"])


def test_passing_trouble_is_retried_and_not_counted_as_a_call(tmp_path: Path) -> None:
    replies = iter([TransientError("r", "busy", "wait"), TransientError("r", "busy", "wait")])

    def reply(prompt: Prompt) -> str:
        for error in replies:
            raise error
        return steps("Listen.")

    made = team(tmp_path, reply)
    assert _trace(made).stop == "accepted"
    assert made.asked[0] == 3
    assert _counted(made)[0] == (1, 0)


def test_a_reply_with_lone_surrogates_is_stored(tmp_path: Path) -> None:
    made = team(tmp_path, summarizer=lambda p: Reply(text="a\ud800b", usage=Usage(output_tokens=2)))
    trace = _trace(made)
    assert (trace.stop, trace.iterations[0].caption) == ("accepted", "a?b")
    assert _trace(team(tmp_path)) == trace


def test_an_odd_file_name_does_not_stop_the_loop(tmp_path: Path, clip_file: Path) -> None:
    odd = tmp_path / "clip\udcff.mp4"
    try:
        clip_file.rename(odd)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    trace = _trace(team(tmp_path / "traces"), question("Who?", Media.file("video", odd)))
    assert trace.media[0].endswith("clip?.mp4")


def test_a_full_disk_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    made = team(tmp_path)
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(StoreError, match="No space left"):
        _trace(made)


class _Watched(Caller):
    """Notes the priority of every call."""

    def __init__(self) -> None:
        super().__init__(QUICK)
        self.seen: dict[str, list[int]] = {"a": [], "b": []}

    async def answer(self, backend: Backend, prompt: Prompt, *how: Any, priority: int = 0) -> Reply:
        for name in self.seen:
            if f"Who is {name}" in text_of(prompt) and backend.identity == "r-1":
                self.seen[name].append(priority)
        return await super().answer(backend, prompt, *how, priority=priority)


@pytest.mark.parametrize(("breadth_first", "priorities"), [(True, [0, 1, 2]), (False, [7, 7, 7])])
def test_breadth_first_late_iterations_stand_behind_early_ones(
    tmp_path: Path, breadth_first: bool, priorities: list[int]
) -> None:
    caller = _Watched()
    made = team(
        tmp_path,
        lambda prompt: steps(f"Look again, {len(text_of(prompt))}."),
        evaluator=lambda prompt: score(2),
        max_iterations=3,
        caller=caller,
    )
    asked = [question(f"Who is {name}?", beep()) for name in "ab"]

    async def both() -> None:
        await asyncio.gather(
            *(made.agents.trace(one, priority=7, breadth_first=breadth_first) for one in asked)
        )

    asyncio.run(both())
    assert caller.seen == {"a": priorities, "b": priorities}
