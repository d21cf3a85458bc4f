"""The table of conditions, and conditions of other installed packages."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from installing import Install, installing
from making import Line, Made, answers, question, score, steps, team, text_of

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.base import Answered, AskTarget, Condition, Prepared
from aurelia_plugin.running.conditions.table import (
    CONDITIONS,
    GROUP,
    RunContext,
    condition_info,
    conditions,
)
from aurelia_plugin.settings import AureliaSettings, validated
from aurelia_plugin.traces.store import TraceStore

_SHOUT = """
from aurelia_plugin.running.conditions.base import Condition, Prepared
from aurelia_plugin.running.conditions.table import ConditionInfo

class Shout(Condition):
    async def prepare(self, question, *, priority=0):
        return Prepared(question.with_preface("LOOK!"), preface="LOOK!")

shout = ConditionInfo("shout", "one word in front of the question", lambda context: Shout())

def made():
    return ConditionInfo("made", "the same from a function", lambda context: Shout())

wrong_name = ConditionInfo("else", "", lambda context: Shout())
none = ConditionInfo("none", "", lambda context: Shout())
number = 7
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    yield from installing(tmp_path, monkeypatch)


def _points(**entries: str) -> str:
    return "\n".join([f"[{GROUP}]", *(f"{name} = {value}" for name, value in entries.items())])


def _context(tmp_path: Path, **settings: Any) -> RunContext:
    made = team(tmp_path, lambda prompt: steps("Listen."), evaluator=lambda prompt: score(9))
    values = validated(settings)
    agents = made.agents
    store = TraceStore(tmp_path)
    return RunContext(values, PromptSet(), store, "t-1", agents.trace, agents.rate)


class _WithLogits(ScriptedBackend):
    """As if it could decode with a contrast."""

    contrasts: Literal[True] = True


@pytest.mark.parametrize("name", sorted(set(CONDITIONS) - {"precomputed"}))
def test_every_row_makes_its_condition_and_says_whether_it_uses_agents(
    tmp_path: Path, name: str
) -> None:
    context = _context(tmp_path, condition=name)
    target = _WithLogits(lambda prompt: text_of(prompt).splitlines()[-1])
    line = Line(target, condition_info(name).make(context), store=context.store)
    assert answers(line, [Made(n) for n in range(3)]) == [f"Question {n}?" for n in range(3)]
    traces = len(list(context.store.traces()))
    assert (traces > 0) == condition_info(name).uses_agents


def test_an_unknown_condition_names_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="there is no such condition") as caught:
        condition_info("aurelai")
    assert all(name in caught.value.fix for name in CONDITIONS)


def test_another_packages_condition_is_like_one_of_this(tmp_path: Path, install: Install) -> None:
    points = _points(shout="shouting:shout", made="shouting:made")
    install("shouting", points, {"shouting.py": _SHOUT})
    assert list(conditions()) == [*CONDITIONS, "shout", "made"]
    context = _context(tmp_path, condition="shout")
    target = ScriptedBackend(text_of)
    line = Line(target, condition_info("shout").make(context))
    assert answers(line, [Made(1)]) == ["LOOK!\n\nQuestion 1?"]
    assert line.outcome.items[0].preface == "LOOK!"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("shouting:missing", "AttributeError"),
        ("no_such_module:x", "ModuleNotFoundError"),
        ("shouting:wrong_name", "is no ConditionInfo of that name"),
        ("shouting:number", "TypeError"),
    ],
)
def test_a_broken_one_is_a_warning_that_names_it(
    install: Install, caplog: pytest.LogCaptureFixture, entry: str, said: str
) -> None:
    points = _points(shout="shouting:shout", broken=entry)
    install("shouting", points, {"shouting.py": _SHOUT})
    assert list(conditions()) == [*CONDITIONS, "shout"]
    (line,) = caplog.messages
    assert f"{GROUP} 'broken' is left out: shouting: " in line
    assert said in line


def test_a_packaged_name_cannot_be_taken(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("shouting", _points(none="shouting:none"), {"shouting.py": _SHOUT})
    assert conditions()["none"] is CONDITIONS["none"]
    assert "the name is taken" in caplog.messages[0]


class _Warm(Condition):
    """Asks three times, each time warmer, and answers with all replies."""

    async def prepare(self, question: Question, *, priority: int = 0) -> Prepared:
        return Prepared(question, samples=3)

    async def answer(self, question: Question, prepared: Prepared, ask: AskTarget) -> Answered:
        replies = []
        for turn in range(prepared.samples):
            generation = replace(question.generation, temperature=turn / 2)
            replies.append(await ask(replace(question, generation=generation).prompt()))
        text = " ".join(reply.text for reply in replies)
        return Answered(replies[0].model_copy(update={"text": text}))


def test_a_condition_may_ask_several_times_and_change_how_the_target_decodes() -> None:
    target = ScriptedBackend(lambda prompt: str(prompt.generation.temperature))
    line = Line(target, _Warm())
    assert answers(line, [Made(0, lambda n: question())]) == ["0.0 0.5 1.0"]
    assert line.outcome.record()["evidence"]["target"]["calls"] == 3


def test_the_defaults_of_the_hooks_do_nothing() -> None:
    plain = _Warm()
    assert not plain.collects
    assert asyncio.run(plain.collect(question())) is None
    plain.finish_collecting(lambda items: items)


def test_loading_the_table_needs_no_torch() -> None:
    code = "import aurelia_plugin.running.conditions.table, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_setting_takes_any_name_and_the_table_decides() -> None:
    assert AureliaSettings(condition="shout").condition == "shout"


def test_the_example_of_the_documentation_runs(tmp_path: Path, install: Install) -> None:
    page = Path(__file__).parents[2] / "docs" / "extending.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "# lab/hint.py" in block]
    install("lab", _points(hint="lab.hint:HINT"), {"lab/__init__.py": "", "lab/hint.py": example})
    made = condition_info("hint").make(_context(tmp_path, condition="hint"))
    prepared = asyncio.run(made.prepare(question("Who rings?")))
    assert prepared.question is not None
    assert text_of(prepared.question.prompt()) == "Listen before you look.\n\nWho rings?"
