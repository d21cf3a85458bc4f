from __future__ import annotations

import json

from making import trace

from aurelia_plugin.calling.backend import Evidence, Reply
from aurelia_plugin.calling.ledger import CallRecord, Purpose
from aurelia_plugin.model_wrappers.run.summary import Summary
from aurelia_plugin.reasoning.trace import Iteration
from aurelia_plugin.running.outcomes import Failure, ItemOutcome, RunOutcome

HEARD = Evidence(frames=8, clips=1, sound_seconds=1.25)


def _call(role: str, evidence: Evidence = HEARD) -> CallRecord:
    return CallRecord(Purpose(role), "answered", evidence=evidence)


def _outcome(*stops: str) -> RunOutcome:
    outcome = RunOutcome()
    for stop in stops:
        item = ItemOutcome("q/0", "music", answered=True)
        item.add_trace(trace("k", Iteration(steps=("a",)), stop=stop))
        outcome.items.append(item)
        outcome.ledger.add(_call("target"))
    return outcome


def _text(outcome: RunOutcome, condition: str = "aurelia") -> list[str]:
    return Summary(condition, outcome, {}).text("runs/a.json").splitlines()


def test_the_screen_shows_what_was_done() -> None:
    outcome = _outcome("accepted", "accepted", "exhausted", "unscored")
    for _ in range(3):
        outcome.ledger.add(_call("reasoner"))
    assert _text(outcome) == [
        "AURELIA condition=aurelia: 4 questions",
        "  traces: 2 accepted, 1 exhausted, 1 unscored, 0 failed, 0 over budget; "
        "1.00 iterations on average",
        "  agent calls: reasoner 3, summarizer 0, evaluator 0",
        "  tokens (read+written): reasoner 0+0, target 0+0; cost: $0.0000",
        "  delivered to the target: 32 frames, 0 images, 4 sounds (5.0 s) in 4 calls",
        "  record: runs/a.json",
    ]
    outcome.ledger.add_reused(Purpose("evaluator"), Reply(text="9"))
    outcome.ledger.add_reused(Purpose(), Reply(text="A", evidence=HEARD))
    lines = _text(outcome)
    assert lines[3] == "  replies taken from the store: reasoner 0, summarizer 0, evaluator 1"
    assert lines[5] == (
        "  delivered to the target: 40 frames, 0 images, 5 sounds (6.2 s) in 4 calls "
        "and 1 kept replies"
    )


def test_a_condition_without_traces_says_nothing_of_agents() -> None:
    outcome = RunOutcome(items=[ItemOutcome("q/0"), ItemOutcome("q/1")])
    assert [line.split(":")[0] for line in _text(outcome, "none")] == [
        "AURELIA condition=none",
        "  delivered to the target",
        "  record",
    ]


def test_a_clean_run_warns_of_nothing() -> None:
    assert Summary("aurelia", _outcome("accepted"), {}).warnings() == []


def test_failures_are_said_with_examples() -> None:
    outcome = _outcome("accepted")
    down = Failure("is down")
    outcome.items += [ItemOutcome("q/1", agents=down), ItemOutcome("q/2", target=down)]
    warnings = Summary("aurelia", outcome, {}).warnings()
    assert warnings[0].startswith(
        "1 questions failed in the agents and 1 at the target; 2 of 3 have an empty answer"
    )
    assert warnings[1:] == ["for example: q/1: is down"]


def test_what_was_not_delivered_is_said_for_each_model() -> None:
    outcome = _outcome("accepted")
    for role in ("target", "evaluator"):
        outcome.ledger.add(_call(role, Evidence(dropped=("sound: deaf",))))
    outcome.items[0].without_steps = True
    assert Summary("aurelia", outcome, {}).warnings() == [
        "1 questions were asked without reasoning: their agents wrote no steps.",
        "not delivered to the evaluator, 1 times: sound: deaf",
        "not delivered to the target, 1 times: sound: deaf",
    ]


def test_the_record_holds_everything_and_is_json() -> None:
    record = Summary("cot", _outcome("accepted"), {"threshold": 6}).record
    assert json.loads(json.dumps(record)) == record
    assert (record["condition"], record["threshold"], record["n"]) == ("cot", 6, 1)
    assert record["by_category"]["music"]["accepted"] == 1
