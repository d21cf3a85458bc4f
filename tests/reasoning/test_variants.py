"""The loop without one of its parts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from making import Team, beep, question, score, steps, team, text_of

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.run.stage import plan_for
from aurelia_plugin.reasoning.injection import Reasoning
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.trace import MadeBy, Trace
from aurelia_plugin.reasoning.variant import LoopVariant
from aurelia_plugin.running.agents import Agents
from aurelia_plugin.running.media_modes import MediaChange
from aurelia_plugin.settings import validated
from aurelia_plugin.traces.records import trace_fault
from aurelia_plugin.traces.store import TraceStore

ASKED = question("Who rings?", beep())
BEFORE = "1086340000b2cc76f376e1046e1e256755c135fca375cf0f786baf0597e7f613"
SETS = [steps("first", answers=["a bell"]), steps("second"), steps("third")]


def _variant(without: str, **settings: Any) -> LoopVariant | None:
    return plan_for(validated({"without": without, **settings}), PromptSet(), {}).variant


def _run(made: Team) -> Trace:
    trace = asyncio.run(made.agents.trace(ASKED))
    assert trace_fault(trace, trace.key) is None
    return trace


def test_without_an_evaluator_the_first_steps_count_and_nothing_is_scored(tmp_path: Path) -> None:
    made = team(tmp_path, SETS, variant=_variant("evaluator"))
    trace = _run(made)
    assert (trace.stop, trace.steps, made.asked) == ("exhausted", ("first",), (1, 0, 0))


def test_without_feedback_all_sets_are_sampled_apart_and_the_best_is_used(tmp_path: Path) -> None:
    scores = [score(7, "worse"), score(9), score(8)]
    made = team(tmp_path, SETS, evaluator=scores, variant=_variant("feedback"))
    trace = _run(made)
    assert (trace.stop, trace.best, trace.steps) == ("accepted", 1, ("second",))
    assert made.asked == (3, 3, 3), "also after a score above the threshold"
    prompts = made.reasoner.prompts
    assert len({text_of(prompt) for prompt in prompts}) == 1, "no feedback"
    assert {prompt.generation.temperature for prompt in prompts} == {0.7}
    assert len({prompt.generation.seed for prompt in prompts}) == 3
    assert {p.generation.temperature for p in made.evaluator.prompts} == {0.0}


def test_independent_sets_below_the_threshold_are_exhausted(tmp_path: Path) -> None:
    made = team(tmp_path, SETS, evaluator=lambda prompt: score(2), variant=_variant("feedback"))
    assert _run(made).stop == "exhausted"


def test_without_a_summarizer_the_evaluator_judges_steps_and_findings(tmp_path: Path) -> None:
    made = team(tmp_path, SETS, variant=_variant("summarizer"))
    trace = _run(made)
    assert (trace.stop, made.asked, trace.iterations[0].caption) == ("accepted", (1, 0, 1), None)
    seen = text_of(made.evaluator.prompts[0])
    assert "first -> a bell" in seen
    assert "Who rings?" in seen
    assert made.evaluator.prompts[0].clip == ASKED.clip


def test_parts_can_be_left_out_together(tmp_path: Path) -> None:
    made = team(tmp_path, SETS, variant=_variant("summarizer|feedback"))
    trace = _run(made)
    assert (len(trace.iterations), made.asked) == (3, (3, 0, 3))
    # Without an evaluator there is nothing left for the others to change.
    assert _variant("evaluator|summarizer|feedback") == _variant("evaluator")


def test_traces_of_the_whole_loop_keep_their_keys_and_those_of_parts_have_their_own(
    tmp_path: Path,
) -> None:
    whole = team(tmp_path / "whole")
    # As it was computed before loops could go without a part: folders of then still serve.
    assert MadeBy({"reasoner": "r"}, "p" * 64, 6, 5, 0).trace_key("q" * 64) == BEFORE
    parts = ("evaluator", "feedback", "summarizer", "feedback|summarizer")
    plans = [team(tmp_path / "part", variant=_variant(part)).agents.plan for part in parts]
    plans.append(
        team(tmp_path / "hot", variant=_variant("feedback", vote_temperature=0.9)).agents.plan
    )
    keys = [plan.trace_key(ASKED) for plan in (whole.agents.plan, *plans)]
    assert len(set(keys)) == len(keys)


def test_a_stored_variant_is_read_back_and_is_not_taken_for_the_whole_loop(
    tmp_path: Path,
) -> None:
    made = team(tmp_path, SETS, variant=_variant("feedback"), evaluator=lambda prompt: score(9))
    trace = _run(made)
    stored = TraceStore(tmp_path).trace(trace.key)
    assert stored == trace
    assert stored is not None
    assert stored.made_by.trace_key(trace.question_key) == trace.key
    again = team(tmp_path, SETS, evaluator=lambda prompt: score(9))
    assert len(_run(again).iterations) == 1, "made anew, and accepted at once"


@pytest.mark.parametrize(
    ("number", "wanted"), [(None, "second"), (1, "first"), (3, "third"), (9, "third")]
)
def test_the_steps_of_any_iteration_can_be_used(
    tmp_path: Path, number: int | None, wanted: str
) -> None:
    made = team(tmp_path, SETS, evaluator=[score(3), score(5), score(2)])
    assert Reasoning.of(_run(made), number).steps == (wanted,)


def test_agents_may_only_see_or_only_hear_while_the_target_gets_everything(
    tmp_path: Path,
) -> None:
    made = team(tmp_path)
    backends: Any = {
        "reasoner": made.reasoner, "summarizer": made.summarizer, "evaluator": made.evaluator
    }  # fmt: skip
    agents = Agents(
        backends, made.agents.plan, TraceStore(tmp_path), senses=MediaChange("muted", 0)
    )
    trace = asyncio.run(agents.trace(ASKED))
    given = [part for prompt in made.reasoner.prompts for part in prompt.parts()]
    assert [part.silenced for part in given if isinstance(part, Media)] == [True]
    assert not any(part.silenced for part in ASKED.clip.media)
    muted = ASKED.with_media(lambda clip: clip.muted())
    # The trace is the one of a run over muted clips: it is made once for both.
    assert trace.key == made.agents.plan.trace_key(muted) != made.agents.plan.trace_key(ASKED)
    assert agents.stored(ASKED) == trace


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(ConfigError, match="without"):
        validated({"without": "reasoner"})
