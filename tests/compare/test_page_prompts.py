"""The prompts that a page shows are those that the agents got."""

from __future__ import annotations

import asyncio
from pathlib import Path

from making import beep, question, score, steps, team, text_of
from making_comparisons import run

from aurelia_plugin.compare.outputs.page.prompts import AskedPrompts, prompts_of
from aurelia_plugin.reasoning.prompting import PromptSet

ASKED = question("Who rings?", beep())


def test_they_are_written_as_the_loop_wrote_them(tmp_path: Path) -> None:
    made = team(
        tmp_path,
        [steps("Listen.", answers=("a bell",), final="A bell"), steps("Look.")],
        evaluator=[score(3, "Say what is seen."), "?", score(9)],
        max_iterations=2,
    )
    trace = asyncio.run(made.agents.trace(ASKED))
    sent = {
        role: [text_of(prompt) for prompt in getattr(made, role).prompts]
        for role in ("reasoner", "summarizer", "evaluator")
    }
    prompts = PromptSet()
    assert trace.prompts_digest == prompts.loop_digest
    asked = AskedPrompts(trace, prompts)
    for place, iteration in enumerate(trace.iterations):
        for call, text in zip(iteration.calls, asked.of(place), strict=True):
            really = sent[call.role].pop(0)
            if call.ask:
                assert text is None  # the call before it stands in front of what was asked
            else:
                assert text == really
    assert not any(sent.values())


def test_prompts_that_have_changed_are_not_shown(tmp_path: Path) -> None:
    trace = asyncio.run(team(tmp_path, evaluator=[score(9)]).agents.trace(ASKED))
    packaged = run("aurelia")
    assert prompts_of(packaged, trace) is not None
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "evaluator.jinja").write_text("Does {{ caption }} fit?")
    other = run("aurelia", settings={"preset": "default", "prompts": str(folder)})
    assert prompts_of(other, trace) is None
    gone = run("aurelia", settings={"preset": "default", "prompts": str(tmp_path / "gone")})
    assert prompts_of(gone, trace) is None
    assert prompts_of(run("none", settings={}), trace) is None
