from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from making import question, team

from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.roles import JsonKeys
from aurelia_plugin.reasoning.schemas import steps_schema, verdict_schema


def test_steps_have_the_presets_own_keys() -> None:
    schema = steps_schema(JsonKeys(steps="Task_1", answers="Task_2", final_answer="Task_3"))
    assert schema["required"] == ["Task_1", "Task_2", "Task_3"] == list(schema["properties"])
    assert schema["properties"]["Task_1"] == {"type": "array", "items": {"type": "string"}}


def test_a_score_is_a_whole_number_with_or_without_words() -> None:
    score = {"type": "integer", "minimum": 1, "maximum": 10}
    assert verdict_schema(feedback=False)["properties"] == {"score": score}
    assert verdict_schema(feedback=True)["required"] == ["score", "feedback"]


@pytest.mark.parametrize(
    ("preset", "reasoner", "evaluator"),
    [
        ("default", ["steps", "answers", "final_answer"], ["score", "feedback"]),
        ("paper", ["Task_1", "Task_2", "Task_3"], ["score"]),
    ],
)
def test_agents_that_reply_in_json_are_asked_for_its_form(
    tmp_path: Path, preset: str, reasoner: list[str], evaluator: list[str]
) -> None:
    members = team(tmp_path, prompts=PromptSet(preset))
    asyncio.run(members.agents.trace(question()))
    asked = [m.prompts[0].schema or {} for m in (members.reasoner, members.evaluator)]
    properties = [cast("Mapping[str, object]", schema["properties"]) for schema in asked]
    assert [list(each) for each in properties] == [reasoner, evaluator]
    assert members.summarizer.prompts[0].schema is None
