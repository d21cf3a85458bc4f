from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import beep, question, text_of
from making import trace as made_trace

from aurelia_plugin.calling.backend import Text
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.injection import Injector, Reasoning
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.trace import Iteration, Trace
from aurelia_plugin.running.conditions.base import Condition, MakeTrace
from aurelia_plugin.running.conditions.donors import donors
from aurelia_plugin.running.conditions.packaged import (
    Aurelia,
    ChainOfThought,
    Placebo,
    Precomputed,
    ZeroShot,
)
from aurelia_plugin.running.outcomes import Failure

PROMPTS = PromptSet()
ASKED = question("Who rings?\nAnswer with a letter.", beep())
STEPS = Injector(PROMPTS, with_answers=False)
WITH_ANSWERS = Injector(PROMPTS, with_answers=True)


def _tracer(failing: tuple[str, ...] = ()) -> MakeTrace:
    async def trace(question: Question, *, priority: int = 0) -> Trace:
        id_ = question.id
        made = Iteration(steps=(f"step of {id_}",), step_answers=(f"answer of {id_}",))
        stop = "failed" if question.id in failing else "accepted"
        return made_trace(question.id, made, stop=stop, error="it is down" if failing else None)

    return trace


def _text(condition: Condition, asked: Question = ASKED) -> str:
    prepared = asyncio.run(condition.prepare(asked)).question
    assert prepared is not None
    assert prepared.clip == asked.clip
    return text_of(prepared.prompt())


keys = st.lists(
    st.tuples(st.text(max_size=3), st.sampled_from("abcdefgh")),
    max_size=20,
    unique_by=lambda x: x[0],
)


@given(keys, st.integers(), st.randoms(use_true_random=False))
def test_a_shift_gives_everyone_another_ones_and_does_not_see_the_order(
    items: list[tuple[str, str]], seed: int, random: Any
) -> None:
    found = donors(items, seed)
    distinct = {key for _, key in items}
    if len(distinct) < 2:
        assert found is None
        return
    assert found is not None
    assert set(found) == set(found.values()) == distinct
    assert all(key != donor for key, donor in found.items())
    random.shuffle(items)
    assert donors(items, seed) == found


def test_the_seed_chooses_the_shift() -> None:
    items = [(str(i), f"k{i}") for i in range(10)]
    assert len({(donors(items, seed) or {})["k0"] for seed in range(40)}) == 9


def test_zero_shot_is_the_question_itself() -> None:
    assert asyncio.run(ZeroShot().prepare(ASKED)).question is ASKED


def test_cot_and_steps_stand_before_the_tasks_text_which_stays_last() -> None:
    for condition in (ChainOfThought(PROMPTS), Aurelia(_tracer(), STEPS)):
        text = _text(condition)
        assert text.endswith("\n\nWho rings?\nAnswer with a letter.")
        assert len(text) > len(ASKED.text) + 10


def test_inject_steps_leaves_the_answers_out() -> None:
    without = _text(Aurelia(_tracer(), STEPS))
    assert "1. step of q/0\n" in without
    assert "answer of" not in without
    assert "1. step of q/0 -> answer of q/0\n" in _text(Aurelia(_tracer(), WITH_ANSWERS))


def test_a_trace_without_steps_leaves_the_question_as_it_is() -> None:
    async def trace(question: Question, *, priority: int = 0) -> Trace:
        return made_trace("k", Iteration(steps=()), stop="unscored")

    assert _text(Aurelia(trace, STEPS)) == ASKED.text


def test_a_failed_trace_asks_nothing() -> None:
    prepared = asyncio.run(Aurelia(_tracer(("q/0",)), STEPS).prepare(ASKED))
    assert (prepared.question, prepared.failure) == (None, Failure("it is down"))
    assert prepared.trace is not None


def _collect(condition: Placebo, asked: list[Question]) -> None:
    async def collect() -> None:
        for one in asked:
            await condition.collect(one)

    asyncio.run(collect())


def test_the_placebo_gives_every_question_the_steps_of_its_donor() -> None:
    asked = [question(f"Question {i}?", beep(), id=f"q/{i}") for i in range(5)]
    twin = question("Question 0?", beep(), id="q/5")
    condition = Placebo(_tracer(), STEPS, seed=1)
    _collect(condition, [*asked, twin])
    condition.finish_collecting(lambda items: items)
    found = donors([(q.id, q.key) for q in (*asked, twin)], 1)
    owner = {q.key: q.id for q in (*asked, twin)}
    assert found is not None
    for one in (*asked, twin):
        assert f"step of {owner[found[one.key]]}\n" in _text(condition, one)


def test_the_placebo_joins_the_processes_of_a_run() -> None:
    asked = [question(f"Question {i}?", id=f"q/{i}") for i in range(4)]
    whole, left, right = (Placebo(_tracer(), STEPS, seed=0) for _ in range(3))
    _collect(whole, asked)
    _collect(left, asked[:2])
    _collect(right, asked[2:])
    seen = [*right._seen, *left._seen]
    whole.finish_collecting(lambda items: items)
    left.finish_collecting(lambda items: seen)
    right.finish_collecting(lambda items: seen)
    for i, condition in enumerate((left, left, right, right)):
        assert _text(condition, asked[i]) == _text(whole, asked[i])


def test_the_placebo_of_one_question_is_an_error() -> None:
    condition = Placebo(_tracer(), STEPS, seed=0)
    _collect(condition, [ASKED, ASKED])
    with pytest.raises(ConfigError, match="only one"):
        condition.finish_collecting(lambda items: items)


def test_a_failed_donor_asks_nothing_and_a_failed_own_loop_does_not_matter() -> None:
    asked = [question(f"Question {i}?", id=f"q/{i}") for i in range(2)]
    condition = Placebo(_tracer(("q/0",)), STEPS, seed=0)
    _collect(condition, asked)
    condition.finish_collecting(lambda items: items)
    assert "step of q/1\n" in _text(condition, asked[0])
    prepared = asyncio.run(condition.prepare(asked[1]))
    assert prepared.question is None
    assert "lends" in str(prepared.failure)


def test_precomputed_steps_and_missing_ones() -> None:
    found = {ASKED.key: Reasoning(("Look.",), ("dark",))}
    condition = Precomputed(lambda asked: found.get(asked.key), WITH_ANSWERS, "DIR")
    assert "1. Look. -> dark\n" in _text(condition)
    prepared = asyncio.run(condition.prepare(question("Other?")))
    assert prepared.question is None
    assert "has no steps for" in str(prepared.failure)


def test_the_clip_stays_in_front() -> None:
    prepared = asyncio.run(ChainOfThought(PROMPTS).prepare(ASKED)).question
    assert prepared is not None
    assert [isinstance(part, Text) for part in prepared.messages[0].parts] == [False, True]


@pytest.mark.parametrize("inject", ["steps", "steps_and_answers"])
def test_fewer_steps_go_along_for_models_whose_text_is_limited(inject: str) -> None:
    reasoning = Reasoning(("Look.", "Listen.", "Compare."), ("a star", "a drum", "they fit"))
    condition = Precomputed(
        lambda _: reasoning, Injector(PROMPTS, with_answers=inject == "steps_and_answers"), "DIR"
    )
    prepared = asyncio.run(condition.prepare(ASKED)).question
    assert prepared is not None
    text = next(part for part in prepared.messages[-1].parts if isinstance(part, Text))
    forms = [text.text, *text.shorter]
    assert [sum(step in form for step in reasoning.steps) for form in forms] == [3, 2, 1, 0]
    assert forms[-1] == "Who rings?\nAnswer with a letter."
    assert all(form.endswith(forms[-1]) for form in forms)
    assert ("a drum" in forms[1]) == (inject == "steps_and_answers")
    assert "they fit" not in forms[1]
