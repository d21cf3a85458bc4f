"""Every arm through a whole run: media modes, resuming, budgets, targets that cannot."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from making import Made, Silent, beep, question

from aurelia_plugin.calling.backend import Prompt
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.run.run import Run
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.question import Question

ARMS: dict[str, dict[str, str]] = {
    "self_refine": {},
    "best_of_n": {},
    "look_again": {},
    "avcd": {},
    "mad": {},
    "aurelia": {"without": "feedback|summarizer", "agents_media": "muted"},
    "placebo": {"iteration": "1", "without": "summarizer"},
}


def asked(number: int) -> Question:
    return question(f"Question {number}?", beep(200.0 + number, seconds=1.0), id=f"q/{number}")


class Seeing(ScriptedBackend):
    """A target that would decode with a contrast, and whose replies tell what it was asked."""

    contrasts: Literal[True] = True


def reply(prompt: Prompt) -> str:
    mark = prompt.digest()[:8]
    fields = (prompt.schema or {}).get("properties", {})
    if "steps" in fields:
        return json.dumps({"steps": [f"look {mark}"], "answers": ["x"]})
    if "score" in fields:
        return json.dumps({"score": 1 + int(mark, 16) % 5})
    if "may ask for a part" in str(prompt.messages) and len(prompt.messages) == 1:
        return json.dumps({"look": {"from": 0.5}})
    return f"said {mark}"


def answered(folder: Path, arm: str, media: str = "full", **more: Any) -> tuple[list[str], Run]:
    target = Seeing(reply, identity="t-1")
    run = Run(
        {
            "target": target,
            "condition": arm,
            "media": media,
            "traces": str(folder),
            "max_iterations": 2,
            **ARMS[arm],
            **more,
        }
    )
    sources = [Made(number, asked) for number in range(3)]
    answers = asyncio.run(run.answer(sources, Silent()))
    return [answer.text for answer in answers], run


@pytest.mark.parametrize("media", ["full", "muted", "swapped", "text"])
@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_runs_in_every_media_mode_and_never_asks_twice(
    tmp_path: Path, arm: str, media: str
) -> None:
    first, run = answered(tmp_path, arm, media)
    assert all(text.startswith("said ") for text in first)
    made = run.outcome.ledger.total().calls
    assert made > 0
    assert made == sum(
        item.target_compute.calls + item.agents_compute.calls for item in run.outcome.items
    ) or arm in ("self_refine", "best_of_n", "placebo")  # which do not count the loop's
    again, resumed = answered(tmp_path, arm, media)
    assert again == first
    assert resumed.outcome.ledger.total().calls == 0
    if media != "text":
        other, _ = answered(tmp_path, arm, "text")
        assert other != first


@pytest.mark.parametrize("arm", ["avcd", "mad"])
def test_a_target_without_logits_is_refused_before_anything_is_asked(
    tmp_path: Path, arm: str
) -> None:
    target = ScriptedBackend(reply, identity="text alone")
    with pytest.raises(ConfigError, match="logits") as caught:
        Run({"target": target, "condition": arm, "traces": str(tmp_path)})
    assert "transformers:MODEL" in caught.value.fix
    served = "openai:m-1?base_url=http://127.0.0.1:9/v1"
    with pytest.raises(ConfigError, match="logits"):
        Run({"target": served, "condition": arm, "traces": str(tmp_path)})
    assert target.prompts == []


@pytest.mark.parametrize("arm", ["avcd", "mad"])
def test_contrasts_are_told_apart_by_method_and_strength(tmp_path: Path, arm: str) -> None:
    usual, _ = answered(tmp_path, arm)
    stronger, _ = answered(tmp_path, arm, contrast=4.0)
    plain, _ = answered(tmp_path, "look_again")
    assert len({tuple(texts) for texts in (usual, stronger, plain)}) == 3


@pytest.mark.parametrize("arm", ["self_refine", "best_of_n"])
def test_a_budget_that_ends_the_loops_leaves_the_rest_for_the_next_run(
    tmp_path: Path, arm: str
) -> None:
    short, run = answered(tmp_path, arm, max_calls=7)
    assert short.count("") >= 1
    assert any(item.agents and item.agents.over_budget for item in run.outcome.items)
    whole, resumed = answered(tmp_path, arm)
    assert whole.count("") == 0
    calm, other = answered(tmp_path / "calm", arm)
    assert whole == calm
    assert (
        run.outcome.ledger.total().calls + resumed.outcome.ledger.total().calls
        == other.outcome.ledger.total().calls
    )
