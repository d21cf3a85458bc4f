"""A real headless Chromium, and a page whose texts try to run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from making import trace as made_trace
from making_comparisons import comparison, item, run

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.calling.seeds import sample_seed
from aurelia_plugin.compare.outputs.page import write_page
from aurelia_plugin.compare.outputs.plots import write_plots
from aurelia_plugin.compare.result import ArmAnswer, Comparison
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.trace import AgentCall, Iteration
from aurelia_plugin.running.conditions.voting import Ballot, Vote
from aurelia_plugin.running.turns import Turn
from aurelia_plugin.traces.store import TraceStore

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

HOSTILE = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    '"});window.pwned=1;//',
    "</script><script>window.pwned=1</script>",
    "</pre><svg onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "\u2028window.pwned=1;\u2029",
    "\u202eright-to-left {{window.pwned=1}} ${window.pwned=1}",
)
EVIL = " ".join(HOSTILE)
ARMS = ("none", "placebo", "aurelia", "consistency")


@dataclass
class Seen:
    """What a browser page said and asked for."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def watched(context: Any) -> tuple[Any, Seen]:
    """Return a new page and what it is heard to say."""
    page, seen = context.new_page(), Seen()
    page.on("console", lambda message: seen.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.messages.append(f"error: {error}"))
    page.on("request", lambda request: seen.requests.append(request.url))
    return page, seen


def browser() -> Iterator[Any]:
    """Yield Chromium; skip where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


def call(role: Any, text: str) -> AgentCall:
    return AgentCall(
        role=role, ask=0, text=text, read="json", model="m",
        usage=Usage(input_tokens=11, output_tokens=7), evidence=Evidence(dropped=("soundtrack",)),
    )  # fmt: skip


def _loop(index: int) -> tuple[Iteration, ...]:
    first = Iteration(
        steps=("Listen to the bell.", EVIL if index == 0 else "Count."),
        step_answers=("It rings.",),
        caption="A bell rings twice.", score=3, feedback="Say what is seen.",
        calls=(call("reasoner", f"raw {EVIL}"),),
    )  # fmt: skip
    second = Iteration(
        steps=("Look at the bell.",), final_answer="A bell", score=8,
        caption=EVIL if index == 0 else "A red bell rings.", feedback=EVIL,
    )  # fmt: skip
    return first, second


def _answer(arm: str, index: int) -> ArmAnswer:
    right = (index + len(arm)) % 2 == 0
    fields: dict[str, Any] = {}
    if arm != "none":
        before = (index + len("none")) % 2 == 0
        fields["change"] = {
            (False, True): "wrong_to_right",
            (True, False): "right_to_wrong",
            (True, True): "right",
            (False, False): "wrong",
        }[before, right]
        fields |= {"iterations": 2, "first_score": 3, "best_score": 1 + (index * 7) % 10}
        fields |= {"stop": "accepted"}
    if arm in {"placebo", "aurelia"}:
        fields["trace"] = f"{index:064x}"
    if arm == "aurelia":
        fields |= {"leak": "leak" if index % 3 == 0 else "clean", "leak_rule": "phrase"}
    text = EVIL if index == 0 else f"Answer: {'A' if right else 'B'} said {arm}"
    return ArmAnswer(score=float(right), right=right, answer=text, read="A", **fields)


def small(folder: Path, clips: list[Path], count: int = 12) -> Comparison:
    """Return a comparison with traces, votes and records in `folder`, the first item hostile."""
    store = TraceStore(folder / "traces")
    rows = []
    for index in range(count):
        store.put_trace(
            made_trace(
                f"{index:064x}", *_loop(index), best=1, question_key=f"question {index}",
                question=f"What rings, {index}?", prompts_digest=PromptSet().loop_digest,
            )
        )  # fmt: skip
        arms = {arm: _answer(arm, index) for arm in ARMS}
        fields: dict[str, Any] = {"media": tuple(map(str, clips)) if index < 3 else ()}
        if index == 0:
            fields |= {"id": f"evil {EVIL}", "question": EVIL, "gold": EVIL, "category": EVIL}
        rows.append(item(index, arms, **fields))
    _put_vote(store)
    records = {arm: _put_record(store, arm, rows) for arm in ARMS}
    runs = tuple(
        run(arm, traces=str(store.folder), record=str(records[arm]), n=count) for arm in ARMS
    )
    made = comparison(count, ARMS, items=rows, runs=runs, notes=(EVIL,))
    return made.model_copy(update={"categories": tuple({row.category: 0 for row in rows})})


def _put_vote(store: TraceStore) -> None:
    texts = ("Answer: B", EVIL, "Answer: A", "Answer: A")
    ballots = tuple(
        Ballot(
            seed=sample_seed(0, number), text=text, value=None if text is EVIL else text[-1],
            usage=Usage(), model="m",
        )
        for number, text in enumerate(texts)
    )  # fmt: skip
    vote = Vote(
        key="f" * 64, question_key="question 0", question="q", prompt_digest="d",
        target="transformers:tiny@1#2", temperature=0.7, ballots=ballots, chosen=2,
    )  # fmt: skip
    store.put_vote(vote.key, vote)


TURNS = [
    Turn("request", f'{{"look": {{"from": 1}}}} {EVIL}', note="seconds 1 to 2").record(),
    Turn("score", "8", role="evaluator", note="json", score=8).record(),
    Turn("answer", "Answer: A", chosen=True).record(),
]


def _put_record(store: TraceStore, arm: str, rows: list[Any]) -> Path:
    record = store.put_run(f"20260101T000000Z_{arm}", {"condition": arm})
    lines = [
        {
            "id": f"{row.task}/test/{row.doc_id}",
            "preface": f"Preface of {arm}: {EVIL}" if arm in {"aurelia", "placebo"} else "",
            "vote": "f" * 64 if arm == "consistency" and row is rows[0] else None,
            "turns": TURNS if arm == "none" and row is rows[0] else [],
        }
        for row in rows
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    record.with_suffix(".items.jsonl").write_text(text, encoding="utf-8")
    return record


def built(folder: Path, made: Comparison, **how: Any) -> str:
    """Write a page and return its address on disk."""
    plots = write_plots(made, folder / "plots")
    return write_page(made, folder, plots=plots, **how).as_uri()
