from __future__ import annotations

import json
import pickle

from making import trace

from aurelia_plugin.calling.backend import Evidence, Reply, Usage
from aurelia_plugin.calling.counts import CallCount, ItemCount, RunCount
from aurelia_plugin.reasoning.trace import Iteration

HEARD = Reply(
    text="a",
    usage=Usage(input_tokens=3, output_tokens=2),
    evidence=Evidence(frames=4, images=1, sound_seconds=1.5, clips=2, dropped=("sound", "sound")),
    model="m-1",
)


def _counted(category: str, problem: str) -> RunCount:
    run = RunCount()
    run.calls["target"] = CallCount()
    run.calls["target"].add(HEARD)
    run.calls["reasoner"] = CallCount(reused=2)
    for count in run.of(category):
        count.n += 1
        count.add_trace(trace("k", Iteration(steps=("a",)), Iteration(steps=("b",))))
        count.agent_failures += 1
        count.target_failures += 2
        count.unanswered += 3
        count.without_steps += 4
    run.problem(problem)
    return run


def test_a_calls_evidence_is_added_up() -> None:
    count = CallCount()
    count.add(HEARD)
    count.add(HEARD)
    assert count.evidence() == {
        "calls": 2,
        "frames": 8,
        "images": 2,
        "sound_seconds": 3.0,
        "clips": 4,
        "dropped": {"sound": 4},
    }
    assert (count.input_tokens, count.output_tokens, dict(count.models)) == (6, 4, {"m-1": 2})


def test_processes_add_up_field_by_field() -> None:
    left, right = _counted("a", "first"), _counted("b", "second")
    before = left.record()
    whole = left.merged([pickle.loads(pickle.dumps(right))]).record()
    one = before["evidence"]["target"]
    for key, value in whole["evidence"]["target"].items():
        assert value == ({"sound": 4} if key == "dropped" else 2 * one[key]), key
    for key in (
        "n",
        "accepted",
        "agent_failures",
        "target_failures",
        "unanswered",
        "without_steps",
    ):
        assert whole[key] == 2 * before[key] > 0, key
    assert whole["failed"] == 6
    assert whole["mean_iterations"] == 2.0
    assert whole["calls_reused"]["reasoner"] == 4
    assert whole["tokens"]["target"] == {"input": 6, "output": 4}
    assert whole["models"]["target"] == ["m-1"]
    assert list(whole["by_category"]) == ["a", "b"]
    assert whole["by_category"]["a"] == before["by_category"]["a"]
    assert whole["problems"] == ["first", "second"]
    assert left.record() == before, "merging changes neither"


def test_questions_of_all_processes_are_kept() -> None:
    left, right = RunCount(), RunCount()
    left.items.append(ItemCount("t/s/0"))
    right.items.append(ItemCount("t/s/1", steps=("a",)))
    whole = left.merged([pickle.loads(pickle.dumps(right))])
    assert [item.id for item in whole.items] == ["t/s/0", "t/s/1"]
    assert "items" not in whole.record(), "they have a file of their own"


def test_only_the_first_few_problems_are_kept() -> None:
    run = RunCount()
    for number in range(20):
        run.problem(str(number))
    assert run.merged([run]).problems == ["0", "1", "2", "3", "4"]


def test_an_empty_run_has_a_whole_record() -> None:
    record = RunCount().record()
    assert json.loads(json.dumps(record)) == record
    assert (record["n"], record["mean_iterations"], record["problems"]) == (0, 0.0, [])
    assert set(record["calls"]) == {"reasoner", "summarizer", "evaluator"}
