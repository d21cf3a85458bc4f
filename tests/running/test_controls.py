"""Self-refinement, best of N, looking again: conditions that take more than one turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import QUICK, Line, Made, Team, answers, beep, question, score, steps, team, text_of

from aurelia_plugin.calling.backend import Prompt, Reply, Usage
from aurelia_plugin.calling.budget import Limits
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import AureliaError, BackendError
from aurelia_plugin.media.clip import Frames, Media
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.base import Condition
from aurelia_plugin.running.conditions.looking import LookAgain, read_look
from aurelia_plugin.running.conditions.picking import BestOfN
from aurelia_plugin.running.conditions.refining import SelfRefine
from aurelia_plugin.traces.store import TraceStore

PROMPTS = PromptSet()


def asked(number: int) -> Question:
    return question(f"Question {number}?", beep(seconds=2.0), id=f"q/{number}")


def one(target: ScriptedBackend, condition: Condition, **how: Any) -> tuple[str, Line]:
    line = Line(target, condition, **how)
    (text,) = answers(line, [Made(0, asked)])
    return text, line


def refining(made: Team) -> SelfRefine:
    return SelfRefine(made.agents.trace, PROMPTS)


def picking(made: Team) -> BestOfN:
    return BestOfN(made.agents.trace, made.agents.rate, 0.7, seed=3)


def looping(tmp_path: Path, iterations: int, **how: Any) -> Team:
    """Agents whose loop takes three calls an iteration."""
    scores = [score(2)] * (iterations - 1) + [score(9)]
    return team(tmp_path, evaluator=how.pop("evaluator", scores), max_iterations=iterations, **how)


@pytest.mark.parametrize(("iterations", "calls"), [(1, 3), (2, 7), (3, 9)])
def test_self_refine_has_as_many_calls_as_the_arm_aurelia(
    tmp_path: Path, iterations: int, calls: int
) -> None:
    made = looping(tmp_path, iterations)
    target = ScriptedBackend([f"said {n}" for n in range(20)])
    text, line = one(target, refining(made))
    assert text == f"said {calls - 1}"
    assert len(target.prompts) == calls <= 3 * iterations + 1
    (item,) = line.outcome.items
    assert [turn.kind for turn in item.turns] == (
        ["answer"] + ["critique", "answer"] * (calls // 2)
    )
    assert [turn.chosen for turn in item.turns] == [False] * (calls - 1) + [True]
    assert (item.target_compute.calls, item.agents_compute.calls) == (calls, 0)


def test_a_refinement_sees_all_that_was_said_and_the_question_last(tmp_path: Path) -> None:
    target = ScriptedBackend(["first", "too short", "second"])
    one(target, refining(looping(tmp_path, 1)))
    first, critique, again = target.prompts
    assert [message.role for message in again.messages] == ["user", "assistant"] * 2 + ["user"]
    assert "first" in text_of(critique)
    assert "too short" in text_of(again)
    assert text_of(again).endswith("Question 0?")
    assert again.clip == first.clip
    # The answers are decoded as the task says, the criticism as criticism is.
    assert again.generation == first.generation
    assert critique.generation.max_new_tokens > first.generation.max_new_tokens


def test_best_of_n_takes_the_answer_that_the_evaluator_scores_highest(tmp_path: Path) -> None:
    def evaluate(prompt: Prompt) -> str:
        text = text_of(prompt)
        return score({"B": 9, "A": 4}.get(text.partition("Answer:\n")[2][:1], 2))

    made = looping(tmp_path, 2, evaluator=evaluate)  # captions score 2, so the loop takes six calls
    target = ScriptedBackend(["A", "B", "A", "never asked"])
    text, line = one(target, picking(made))
    assert text == "B"
    assert len(target.prompts) == 3
    assert {prompt.generation.temperature for prompt in target.prompts} == {0.7}
    assert len({prompt.generation.seed for prompt in target.prompts}) == 3
    (item,) = line.outcome.items
    said = [(turn.kind, turn.text, turn.score, turn.chosen) for turn in item.turns]
    assert said == [
        ("answer", "A", 4, False),
        ("score", score(4), None, False),
        ("answer", "B", 9, True),
        ("score", score(9), None, False),
        ("answer", "A", 4, False),  # an equal answer is scored once
    ]
    assert (item.target_compute.calls, item.agents_compute.calls) == (3, 2)


def test_of_equal_scores_the_earliest_answer_counts_and_the_first_without_any(
    tmp_path: Path,
) -> None:
    same = looping(tmp_path / "same", 1, evaluator=lambda prompt: score(7))
    assert one(ScriptedBackend(["A", "B"]), picking(same))[0] == "A"
    mute = looping(tmp_path / "mute", 1, evaluator=lambda prompt: "hm")
    text, line = one(ScriptedBackend(["B", "A"] * 2), picking(mute))
    assert text == "B"
    assert any(turn.note == "unreadable" for turn in line.outcome.items[0].turns)


@pytest.mark.parametrize("policy", ["empty", "zero_shot", "raise"])
def test_an_evaluator_that_fails_at_an_answer_is_the_agents_failure(
    tmp_path: Path, policy: Any
) -> None:
    def evaluate(prompt: Prompt) -> str:
        if "Answer:" in text_of(prompt):
            raise BackendError("e", "is down", "Start it.")
        return score(9)

    made = looping(tmp_path, 1, evaluator=evaluate)
    target = ScriptedBackend(["A", "B", "plain"])
    line = Line(target, picking(made), on_agent_failure=policy)
    if policy == "raise":
        with pytest.raises(AureliaError, match="is down"):
            answers(line, [Made(0, asked)])
        return
    assert answers(line, [Made(0, asked)]) == ["" if policy == "empty" else "plain"]
    (item,) = line.outcome.items
    assert item.agents is not None
    assert item.target is None
    assert item.answered == (policy == "zero_shot")


@pytest.mark.parametrize("make", [refining, picking])
def test_a_failed_loop_leaves_no_answer(tmp_path: Path, make: Any) -> None:
    def down(prompt: Prompt) -> str:
        raise BackendError("r", "is down", "Start it.")

    target = ScriptedBackend(["plain"])
    text, line = one(target, make(team(tmp_path, down)))
    assert (text, len(target.prompts)) == ("", 0)
    assert line.outcome.items[0].agents is not None


@pytest.mark.parametrize("make", [refining, picking])
def test_what_was_finished_is_not_asked_again(tmp_path: Path, make: Any) -> None:
    store = TraceStore(tmp_path)
    target = ScriptedBackend([f"said {n}" for n in range(9)], identity="t-1")
    nine = {"evaluator": lambda prompt: score(9)}
    first, _ = one(target, make(looping(tmp_path, 1, **nine)), store=store)
    made, silent = looping(tmp_path, 1, **nine), ScriptedBackend([], identity="t-1")
    again, line = one(silent, make(made), store=store)
    assert (again, silent.prompts, made.asked) == (first, [], (0, 0, 0))
    # What the answer stands on counts as compute, whenever it was made.
    assert line.outcome.items[0].target_compute.calls > 0
    assert line.outcome.ledger.total().calls == 0


def test_a_budget_ends_the_scoring_and_the_next_run_goes_on(tmp_path: Path) -> None:
    caller = Caller(QUICK, limits=Limits(calls=4))
    made = team(tmp_path, evaluator=lambda prompt: score(8), caller=caller)
    line = Line(ScriptedBackend(["A", "B"], identity="t"), picking(made), caller=caller)
    assert answers(line, [Made(0, asked)]) == [""]
    (item,) = line.outcome.items
    assert item.agents is not None
    assert item.agents.over_budget


def look(**part: Any) -> str:
    return json.dumps({"look": part})


def test_the_target_gets_the_parts_that_it_asks_for_and_answers(tmp_path: Path) -> None:
    target = ScriptedBackend([look(**{"from": 0.5, "to": 1}), look(**{"from": 1.5}), "a bell"])
    text, line = one(target, LookAgain(PROMPTS, looks=3))
    assert text == "a bell"
    first, second, third = target.prompts
    assert "2.0 s" in text_of(first)
    assert "3 times" in text_of(first)
    assert "2 more times" in text_of(second)
    given = [(part.start, part.end) for part in third.parts() if isinstance(part, Media)]
    assert given == [(None, None), (0.5, 1.0), (1.5, 2.0)]
    assert text_of(third).endswith("Question 0?")
    (item,) = line.outcome.items
    assert [(turn.kind, turn.note) for turn in item.turns] == [
        ("request", "seconds 0.5 to 1"),
        ("request", "seconds 1.5 to 2"),
        ("answer", ""),
    ]
    assert item.target_compute.calls == 3


def test_requests_are_bounded_and_the_last_reply_is_the_answer(tmp_path: Path) -> None:
    request = look(**{"from": 0})
    target = ScriptedBackend([request] * 9)
    text, _ = one(target, LookAgain(PROMPTS, looks=2))
    assert (text, len(target.prompts)) == (request, 3)
    assert "cannot ask again" in text_of(target.prompts[-1])


@pytest.mark.parametrize(
    "reply",
    [
        "B",
        "",
        "The answer is B.",
        '{"look": {"from": "2"}}',
        '{"look": {"from": 2, "to": 1}}',
        '{"look": {"from": -1}}',
        '{"look": {"from": 1, "zoom": 2}}',
        '{"look": {"from": 0}, "answer": "B"}',
        '{"look": {"frames": 0}}',
        '{"look": {"frames": 65}}',
        '{"look": {"only": "smell"}}',
        '{"look": [1, 2]}',
        '{"look": {"from": NaN}}',
        '{"look": {"from": true}}',
        '{"look": {}}\nB',
        "[" * 2_000,
        '{"look": {"from": 0}',
    ],
)
def test_any_other_reply_is_the_answer(reply: str) -> None:
    assert read_look(reply) is None
    target = ScriptedBackend([reply, "too late"])
    assert one(target, LookAgain(PROMPTS, looks=3))[0] == reply
    assert len(target.prompts) == 1


def test_thinking_may_stand_before_a_request() -> None:
    found = read_look('<think>hm {"look": {}}</think>\n{"look": {"to": 2, "only": "sound"}}')
    assert found is not None
    assert (found.start, found.end, found.only) == (0.0, 2.0, "sound")


def test_what_cannot_be_given_is_said() -> None:
    replies = [look(**{"from": 5}), look(medium=3), look(only="picture"), "a bell"]
    target = ScriptedBackend(replies)
    text, line = one(target, LookAgain(PROMPTS, looks=3))
    assert text == "a bell"
    notes = [turn.note for turn in line.outcome.items[0].turns]
    assert [note.partition(",")[0] for note in notes[:3]] == ["nothing"] * 3
    assert len(target.prompts[-1].clip.media) == 1


def test_a_question_without_anything_that_lasts_is_asked_as_it_is() -> None:
    picture = Media("image", data=Frames(np.zeros((1, 8, 8, 3), dtype=np.uint8), np.zeros(1)))
    target = ScriptedBackend([look(), "B"])
    line = Line(target, LookAgain(PROMPTS, looks=3))
    assert answers(line, [Made(0, lambda number: question("What?", picture))]) == [look()]
    assert text_of(target.prompts[0]) == "What?"


def test_a_media_mode_holds_for_the_parts_too() -> None:
    target = ScriptedBackend([look(**{"to": 1}), "a bell"])
    line = Line(target, LookAgain(PROMPTS, looks=1), "muted")
    answers(line, [Made(0, asked)])
    assert all(part.silenced for part in target.prompts[-1].clip.media)


def test_compute_counts_every_call_whatever_its_reply_was_used_for() -> None:
    def reply(prompt: Prompt) -> Reply:
        text = look() if len(prompt.messages) == 1 else "a bell"
        return Reply(text=text, usage=Usage(input_tokens=10, output_tokens=2), passes=2)

    line = Line(ScriptedBackend(reply), LookAgain(PROMPTS, looks=3))
    answers(line, [Made(n, asked) for n in range(3)])
    for item in line.outcome.items:
        took = item.target_compute
        assert (took.calls, took.input_tokens, took.output_tokens, took.passes) == (2, 20, 4, 4)
        record = item.record()
        assert record["compute"]["target"]["calls"] == 2
        assert [turn["kind"] for turn in record["turns"]] == ["request", "answer"]
        json.dumps(record)


def test_the_trace_of_a_loop_is_counted_where_its_steps_are_used(tmp_path: Path) -> None:
    from aurelia_plugin.reasoning.injection import Injector
    from aurelia_plugin.running.conditions.packaged import Aurelia, Placebo

    injector = Injector(PROMPTS, with_answers=False)
    made = looping(tmp_path, 1, evaluator=lambda prompt: score(9))
    conditions: list[tuple[Condition, int]] = [
        (Aurelia(made.agents.trace, injector), 3),
        (Placebo(made.agents.trace, injector, seed=1), 0),  # its steps are another question's
    ]
    for condition, calls in conditions:
        line = Line(ScriptedBackend(lambda prompt: "B"), condition)
        answers(line, [Made(n, asked) for n in range(3)])
        for item in line.outcome.items:
            assert (item.agents_compute.calls, item.target_compute.calls) == (calls, 1)
            assert item.agents_compute.passes == (None if calls else 0), "scripted ones count none"


def test_a_placebo_lends_the_iteration_that_is_named(tmp_path: Path) -> None:
    from aurelia_plugin.reasoning.injection import Injector
    from aurelia_plugin.running.conditions.packaged import Placebo

    def propose(prompt: Prompt) -> str:
        text = text_of(prompt)
        return steps(("later " if "earlier steps" in text else "first ") + text[-9:])

    made = team(tmp_path, propose, evaluator=lambda prompt: score(2), max_iterations=2)
    injector = Injector(PROMPTS, with_answers=False)
    target = ScriptedBackend(lambda prompt: "B")
    line = Line(target, Placebo(made.agents.trace, injector, 0, iteration=2))
    answers(line, [Made(n, asked) for n in range(2)])
    assert all("later" in text_of(prompt) for prompt in target.prompts)
