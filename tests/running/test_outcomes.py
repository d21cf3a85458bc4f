from __future__ import annotations

import json
import pickle

from making import trace

from aurelia_plugin.calling.backend import Evidence, Reply, Usage
from aurelia_plugin.calling.ledger import Amount, CallRecord, Purpose
from aurelia_plugin.errors import BackendError, OverBudgetError
from aurelia_plugin.reasoning.trace import Iteration
from aurelia_plugin.running.outcomes import Failure, ItemOutcome, RunOutcome

HEARD = Reply(
    text="a",
    usage=Usage(input_tokens=3, output_tokens=2),
    evidence=Evidence(frames=4, images=1, sound_seconds=1.5, clips=2, dropped=("sound", "sound")),
    model="m-1",
)


def _answered(id: str, category: str, stop: str = "accepted") -> ItemOutcome:
    item = ItemOutcome(id, category)
    item.add_trace(trace("k", Iteration(steps=("a",)), Iteration(steps=("b",)), stop=stop))
    item.add_reply(HEARD)
    return item


def _run(category: str, cause: str) -> RunOutcome:
    run = RunOutcome()
    call = CallRecord(
        Purpose(), "answered", HEARD.usage, HEARD.evidence, "m-1", spent=Amount(1, 5, 0.1)
    )
    run.ledger.add(call)
    run.ledger.add_reused(Purpose("reasoner", 0), HEARD)
    run.items += [
        _answered("t/s/0", category),
        ItemOutcome("t/s/1", category, agents=Failure(cause)),
        ItemOutcome("t/s/2", category, target=Failure(cause, over_budget=True)),
        ItemOutcome("t/s/3", category, without_steps=True, answered=True),
    ]
    return run


def test_outcomes_are_counted_from_the_items() -> None:
    record = _run("a", "it is down").record()
    expected = {
        "n": 4,
        "accepted": 1,
        "exhausted": 0,
        "agent_failures": 1,
        "target_failures": 0,
        "target_over_budget": 1,
        "over_budget": 0,
        "failed": 1,
        "unanswered": 2,
        "without_steps": 1,
        "mean_iterations": 2.0,
    }
    assert {key: record[key] for key in expected} == expected
    assert {key: record["by_category"]["a"][key] for key in expected} == expected


def test_processes_add_up() -> None:
    left, right = _run("a", "first"), _run("b", "second")
    before = left.record()
    whole = left.merged([pickle.loads(pickle.dumps(right))]).record()
    for key in ("n", "accepted", "agent_failures", "unanswered", "without_steps"):
        assert whole[key] == 2 * before[key] > 0, key
    assert whole["calls_reused"]["reasoner"] == 2
    assert whole["tokens"]["target"] == {"input": 6, "output": 4}
    assert whole["models"] == {
        "reasoner": ["m-1"],
        "summarizer": [],
        "evaluator": [],
        "target": ["m-1"],
    }
    assert whole["spent"] == {"calls": 2, "tokens": 10, "cost_usd": 0.2}
    assert list(whole["by_category"]) == ["a", "b"]
    assert whole["by_category"]["a"] == before["by_category"]["a"]
    assert whole["problems"] == ["t/s/1: first", "t/s/1: second"]
    assert left.record() == before, "merging changes neither"


def test_the_evidence_of_kept_replies_is_counted_beside_that_of_calls() -> None:
    run = _run("a", "x")
    run.ledger.add_reused(Purpose(), HEARD)
    evidence = run.record()["evidence"]["target"]
    assert (evidence["calls"], evidence["reused"], evidence["frames"]) == (1, 1, 8)


def test_every_failed_item_keeps_its_own_cause_and_the_screen_shows_different_ones() -> None:
    run = RunOutcome()
    for number in range(20):
        cause = f"cause {number % 10}"
        run.items.append(ItemOutcome(f"t/s/{number}", agents=Failure(cause)))
    assert [item.record()["cause"] for item in run.items][7::10] == ["cause 7", "cause 7"]
    assert run.problems() == [f"t/s/{n}: cause {n}" for n in range(5)]


def test_the_last_failure_is_the_items() -> None:
    item = ItemOutcome("t/s/0", agents=Failure("agents"), target=Failure("target"))
    assert (item.record()["failed"], item.record()["cause"]) == ("target", "target")
    assert ItemOutcome("t/s/0").record()["failed"] is None


def test_an_error_of_the_budget_is_told_from_a_failure() -> None:
    assert Failure.of(OverBudgetError("max_calls=1", "Raise it.")).over_budget
    down = Failure.of(BackendError("m-1", "is down", "Start it."))
    assert (down.over_budget, down.cause) == (False, "m-1: is down\nStart it.")


def test_an_items_line_is_json() -> None:
    line = _answered("t/s/0", "a").record()
    assert json.loads(json.dumps(line))["dropped"] == ["sound", "sound"]
    assert (line["input_tokens"], line["sound_seconds"], line["model"]) == (3, 1.5, "m-1")


def test_an_empty_run_has_a_whole_record() -> None:
    record = RunOutcome().record()
    assert json.loads(json.dumps(record)) == record
    assert (record["n"], record["mean_iterations"], record["problems"]) == (0, 0.0, [])
    assert set(record["calls"]) == {"reasoner", "summarizer", "evaluator"}
