from __future__ import annotations

import json

from making import trace

from aurelia_plugin.calling.backend import Evidence, Reply
from aurelia_plugin.calling.counts import CallCount, RunCount
from aurelia_plugin.model_wrappers.run.summary import Summary
from aurelia_plugin.reasoning.trace import Iteration


def _counts(*stops: str) -> RunCount:
    counts = RunCount()
    target = counts.calls.setdefault("target", CallCount())
    for stop in stops:
        for count in counts.of("music"):
            count.n += 1
            count.add_trace(trace("k", Iteration(steps=("a",)), stop=stop))
        evidence = Evidence(frames=8, clips=1, sound_seconds=1.25)
        target.add(Reply(text="A", evidence=evidence))
    return counts


def _text(counts: RunCount, condition: str = "aurelia") -> list[str]:
    return Summary(condition, counts, {}).text("runs/a.json").splitlines()


def test_the_screen_shows_what_was_done() -> None:
    counts = _counts("accepted", "accepted", "exhausted", "unscored")
    counts.calls["reasoner"] = CallCount(calls=3)
    assert _text(counts) == [
        "AURELIA condition=aurelia: 4 questions",
        "  traces: 2 accepted, 1 exhausted, 1 unscored, 0 failed, 0 over budget; "
        "1.00 iterations on average",
        "  agent calls: reasoner 3, summarizer 0, evaluator 0",
        "  delivered to the target: 32 frames, 0 images, 4 sounds (5.0 s) in 4 calls",
        "  record: runs/a.json",
    ]
    counts.calls["evaluator"] = CallCount(reused=2)
    assert _text(counts)[3] == (
        "  replies taken from the store: reasoner 0, summarizer 0, evaluator 2"
    )


def test_an_arm_without_traces_says_nothing_of_agents() -> None:
    counts = RunCount()
    counts.total.n = 2
    assert [line.split(":")[0] for line in _text(counts, "none")] == [
        "AURELIA condition=none",
        "  delivered to the target",
        "  record",
    ]


def test_a_clean_run_warns_of_nothing() -> None:
    assert Summary("aurelia", _counts("accepted"), {}).warnings() == []


def test_failures_are_said_with_examples() -> None:
    counts = _counts("failed", "failed", "accepted")
    counts.total.agent_failures, counts.total.target_failures, counts.total.unanswered = 2, 1, 3
    counts.problem("q/1: is down")
    warnings = Summary("aurelia", counts, {}).warnings()
    assert warnings[0].startswith(
        "2 questions failed in the agents and 1 at the target; 3 of 3 have an empty answer"
    )
    assert warnings[1:] == ["for example: q/1: is down"]


def test_what_was_not_delivered_is_said_for_each_model() -> None:
    counts = _counts("accepted")
    for name in ("target", "evaluator"):
        count = counts.calls.setdefault(name, CallCount())
        count.add(Reply(text="", evidence=Evidence(dropped=("sound: deaf",))))
    counts.total.without_steps = 2
    assert Summary("aurelia", counts, {}).warnings() == [
        "2 questions were asked without reasoning: their agents wrote no steps.",
        "not delivered to the evaluator, 1 times: sound: deaf",
        "not delivered to the target, 1 times: sound: deaf",
    ]


def test_the_record_holds_everything_and_is_json() -> None:
    record = Summary("cot", _counts("accepted"), {"threshold": 6}).record
    assert json.loads(json.dumps(record)) == record
    assert (record["condition"], record["threshold"], record["n"]) == ("cot", 6, 1)
    assert record["by_category"]["music"]["accepted"] == 1
