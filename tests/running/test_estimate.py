from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from making import question, score, team, text_of, trace

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.calling.prices import FREE, Price
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.roles import ROLES
from aurelia_plugin.reasoning.trace import AgentCall, Iteration
from aurelia_plugin.running.estimate import Sampled, estimate, sample

PRICED: dict[Any, Price | None] = dict.fromkeys(ROLES, Price(input=1, output=2))


def _sampled(rounds: int, seconds: float | None = 36.0, stop: str = "accepted") -> Sampled:
    usage = Usage(input_tokens=100, output_tokens=10)
    calls = tuple(
        AgentCall(role=role, ask=0, text="a", model="m", usage=usage, evidence=Evidence())
        for role in ROLES
    )
    iterations = (Iteration(steps=("a",), calls=calls),) * rounds
    return Sampled(trace(str(rounds), *iterations, stop=stop), seconds)


def test_totals_are_the_mean_times_the_questions() -> None:
    told = estimate([_sampled(1), _sampled(3)], 1_000, models=PRICED, parallel=10)
    assert told.calls.expected == 6_000
    assert told.input_tokens.expected == 600_000
    assert told.output_tokens.expected == 60_000
    assert told.cost is not None
    assert told.cost.expected == pytest.approx(0.6 + 0.12)
    assert told.hours is not None
    assert told.hours.expected == pytest.approx(1_000 * 36 / 3600 / 10)
    assert (told.calls.low, told.calls.high) == (3_000, 9_000)
    assert told.most_calls == 30_000
    assert (told.sampled, told.unfinished) == (2, 0)


def test_equal_questions_leave_no_doubt_and_one_question_leaves_all() -> None:
    sure = estimate([_sampled(2)] * 5, 100, models=PRICED, parallel=1)
    assert sure.calls.low == sure.calls.expected == sure.calls.high == 600
    alone = estimate([_sampled(2)], 100, models=PRICED, parallel=1)
    assert (alone.calls.low, alone.calls.high) == (300, 3_000)


def test_the_range_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(1)
    rounds = [rng.choice((1, 1, 1, 2, 3, 5)) for _ in range(400)]
    truth, held = 3 * sum(rounds), 0
    for draw in range(100):
        drawn = random.Random(draw).sample(rounds, 40)
        told = estimate([_sampled(r) for r in drawn], 400, models=PRICED, parallel=1)
        held += told.calls.low <= truth <= told.calls.high
    assert held >= 88


def test_what_is_not_known_is_said() -> None:
    unpriced = {**PRICED, "evaluator": None}
    told = estimate([_sampled(1, seconds=None)], 10, models=unpriced, parallel=1)
    assert (told.cost, told.hours) == (None, None)
    assert "a price is not known" in told.text()
    assert "all traces were there" in told.text()
    failed = estimate([_sampled(1, stop="failed")], 10, models=PRICED, parallel=1)
    assert "1 of the sample did not finish" in failed.text()
    assert json.loads(json.dumps(failed.record()))["calls"]["expected"] == 30


@pytest.mark.parametrize(("size", "questions"), [(0, 10), (3, 2)])
def test_a_sample_that_cannot_be_is_an_error(size: int, questions: int) -> None:
    with pytest.raises(ConfigError, match="Sample at least one question"):
        estimate([_sampled(1)] * size, questions, models=PRICED, parallel=1)


def test_a_sample_is_made_by_the_runs_own_agents_and_kept(tmp_path: Path) -> None:
    def judge(prompt: Any) -> str:
        return score(2 if "granite" in text_of(prompt) else 9)

    def sum_up(prompt: Any) -> str:
        return "It is granite." if "granite" in text_of(prompt) else "It is sand."

    stuff = ("sand", "granite")
    questions = [question(f"Is {n} {stuff[n % 2]}?", id=f"q/{n}") for n in range(4)]
    made = team(tmp_path, summarizer=sum_up, evaluator=judge, max_iterations=2)
    sampled = asyncio.run(sample(made.agents, questions))
    told = estimate(sampled, 40, models=dict.fromkeys(ROLES, FREE), parallel=4)
    assert told.calls.expected == 40 * 4.5
    assert told.hours is not None
    assert told.cost is not None
    assert told.cost.expected == 0
    again = team(tmp_path, summarizer=sum_up, evaluator=judge, max_iterations=2)
    warm = asyncio.run(sample(again.agents, questions))
    assert again.asked == (0, 0, 0)
    assert all(one.seconds is None for one in warm)
    assert [one.trace for one in warm] == [one.trace for one in sampled]
