from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import beep, question, text_of
from making import trace as made_trace

from aurelia_plugin.calling.backend import Text
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import Iteration, Trace
from aurelia_plugin.running.conditions import (
    AureliaArm,
    CotArm,
    PlaceboArm,
    PrecomputedArm,
    Reasoning,
    ZeroShotArm,
    shifted,
)

PROMPTS = PromptSet()
ASKED = question("Who rings?\nAnswer with a letter.", beep())
Tracer = Callable[[Question], Awaitable[Trace]]


def _tracer(failing: tuple[str, ...] = ()) -> Tracer:
    async def trace(asked: Question) -> Trace:
        made = Iteration(steps=(f"step of {asked.id}",), step_answers=(f"answer of {asked.id}",))
        stop = "failed" if asked.id in failing else "accepted"
        return made_trace(asked.id, made, stop=stop, error="it is down" if failing else None)

    return trace


def _text(arm: Any, asked: Question = ASKED) -> str:
    posed = asyncio.run(arm.pose(asked)).question
    assert posed is not None
    assert posed.clip == asked.clip
    return text_of(posed.prompt())


keys = st.lists(
    st.tuples(st.text(max_size=3), st.sampled_from("abcdefgh")),
    max_size=20,
    unique_by=lambda x: x[0],
)


@given(keys, st.integers(), st.randoms(use_true_random=False))
def test_a_shift_gives_everyone_another_ones_and_does_not_see_the_order(
    items: list[tuple[str, str]], seed: int, random: Any
) -> None:
    donors = shifted(items, seed)
    distinct = {key for _, key in items}
    if len(distinct) < 2:
        assert donors is None
        return
    assert donors is not None
    assert set(donors) == set(donors.values()) == distinct
    assert all(key != donor for key, donor in donors.items())
    random.shuffle(items)
    assert shifted(items, seed) == donors


def test_the_seed_chooses_the_shift() -> None:
    items = [(str(i), f"k{i}") for i in range(10)]
    assert len({(shifted(items, seed) or {})["k0"] for seed in range(40)}) == 9


def test_zero_shot_is_the_question_itself() -> None:
    assert asyncio.run(ZeroShotArm().pose(ASKED)).question is ASKED


def test_cot_and_steps_stand_before_the_tasks_text_which_stays_last() -> None:
    for arm in (CotArm(PROMPTS), AureliaArm(_tracer(), PROMPTS, "steps")):
        text = _text(arm)
        assert text.endswith("\n\nWho rings?\nAnswer with a letter.")
        assert len(text) > len(ASKED.text) + 10


def test_inject_steps_leaves_the_answers_out() -> None:
    without = _text(AureliaArm(_tracer(), PROMPTS, "steps"))
    assert "1. step of q/0\n" in without
    assert "answer of" not in without
    assert "1. step of q/0 -> answer of q/0\n" in _text(
        AureliaArm(_tracer(), PROMPTS, "steps_and_answers")
    )


def test_a_trace_without_steps_leaves_the_question_as_it_is() -> None:
    async def trace(asked: Question) -> Trace:
        return made_trace("k", Iteration(steps=()), stop="unscored")

    assert _text(AureliaArm(trace, PROMPTS, "steps")) == ASKED.text


def test_a_failed_trace_poses_nothing() -> None:
    posed = asyncio.run(AureliaArm(_tracer(("q/0",)), PROMPTS, "steps").pose(ASKED))
    assert (posed.question, posed.problem) == (None, "it is down")
    assert posed.trace is not None


def _survey(arm: PlaceboArm, asked: list[Question]) -> None:
    async def survey() -> None:
        for one in asked:
            await arm.survey(one)

    asyncio.run(survey())


def test_the_placebo_gives_every_question_the_steps_of_its_donor() -> None:
    asked = [question(f"Question {i}?", beep(), id=f"q/{i}") for i in range(5)]
    twin = question("Question 0?", beep(), id="q/5")
    arm = PlaceboArm(_tracer(), PROMPTS, "steps", seed=1)
    _survey(arm, [*asked, twin])
    arm.settle(lambda items: items)
    donors = shifted([(q.id, q.key) for q in (*asked, twin)], 1)
    owner = {q.key: q.id for q in (*asked, twin)}
    assert donors is not None
    for one in (*asked, twin):
        assert f"step of {owner[donors[one.key]]}\n" in _text(arm, one)


def test_the_placebo_joins_the_processes_of_a_run() -> None:
    asked = [question(f"Question {i}?", id=f"q/{i}") for i in range(4)]
    whole, left, right = (PlaceboArm(_tracer(), PROMPTS, "steps", seed=0) for _ in range(3))
    _survey(whole, asked)
    _survey(left, asked[:2])
    _survey(right, asked[2:])
    seen = [*right._seen, *left._seen]
    whole.settle(lambda items: items)
    left.settle(lambda items: seen)
    right.settle(lambda items: seen)
    for i, arm in enumerate((left, left, right, right)):
        assert _text(arm, asked[i]) == _text(whole, asked[i])


def test_the_placebo_of_one_question_is_an_error() -> None:
    arm = PlaceboArm(_tracer(), PROMPTS, "steps", seed=0)
    _survey(arm, [ASKED, ASKED])
    with pytest.raises(ConfigError, match="only one"):
        arm.settle(lambda items: items)


def test_a_failed_donor_poses_nothing_and_a_failed_own_loop_does_not_matter() -> None:
    asked = [question(f"Question {i}?", id=f"q/{i}") for i in range(2)]
    arm = PlaceboArm(_tracer(("q/0",)), PROMPTS, "steps", seed=0)
    _survey(arm, asked)
    arm.settle(lambda items: items)
    assert "step of q/1\n" in _text(arm, asked[0])
    posed = asyncio.run(arm.pose(asked[1]))
    assert posed.question is None
    assert "lends" in str(posed.problem)


def test_precomputed_steps_and_missing_ones() -> None:
    found = {ASKED.key: Reasoning(("Look.",), ("dark",))}
    arm = PrecomputedArm(lambda asked: found.get(asked.key), PROMPTS, "steps_and_answers")
    assert "1. Look. -> dark\n" in _text(arm)
    posed = asyncio.run(arm.pose(question("Other?")))
    assert posed.question is None
    assert "no precomputed steps" in str(posed.problem)


def test_the_clip_stays_in_front() -> None:
    posed = asyncio.run(CotArm(PROMPTS).pose(ASKED)).question
    assert posed is not None
    assert [isinstance(part, Text) for part in posed.messages[0].parts] == [False, True]


@pytest.mark.parametrize("inject", ["steps", "steps_and_answers"])
def test_fewer_steps_go_along_for_models_whose_text_is_limited(inject: str) -> None:
    reasoning = Reasoning(("Look.", "Listen.", "Compare."), ("a star", "a drum", "they fit"))
    arm = PrecomputedArm(lambda _: reasoning, PROMPTS, inject)
    posed = asyncio.run(arm.pose(ASKED)).question
    assert posed is not None
    text = next(part for part in posed.messages[-1].parts if isinstance(part, Text))
    forms = [text.text, *text.shorter]
    assert [sum(step in form for step in reasoning.steps) for form in forms] == [3, 2, 1, 0]
    assert forms[-1] == "Who rings?\nAnswer with a letter."
    assert all(form.endswith(forms[-1]) for form in forms)
    assert ("a drum" in forms[1]) == (inject == "steps_and_answers")
    assert "they fit" not in forms[1]
