from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.calling.backend import Evidence, Reply, Usage
from aurelia_plugin.calling.ledger import Amount, CallRecord, Ledger, Outcome, Purpose, Totals

HEARD = Evidence(
    frames=4,
    images=1,
    sound_seconds=1.5,
    clips=2,
    soundtrack=("interleaved", "after"),
    dropped=("sound", "sound"),
)

purposes = st.builds(
    Purpose,
    st.sampled_from(["target", "reasoner", "evaluator"]),
    st.sampled_from([None, 0, 1]),
    st.sampled_from(["", "meme", "avsd"]),
)
outcomes: st.SearchStrategy[Outcome] = st.sampled_from(["answered", "failed", "reused"])
calls = st.builds(
    CallRecord,
    purposes,
    outcomes,
    usage=st.builds(Usage, input_tokens=st.integers(0, 99), output_tokens=st.integers(0, 99)),
    evidence=st.builds(Evidence, frames=st.integers(0, 9), dropped=st.just(("sound",))),
    model=st.sampled_from(["m-1", "m-2"]),
    spent=st.builds(Amount, st.integers(0, 2), st.integers(0, 99), st.integers(0, 9)),
    priced=st.booleans(),
    seconds=st.integers(0, 9),
    budgeted=st.booleans(),
)


def _ledger(entries: list[CallRecord]) -> Ledger:
    ledger = Ledger()
    for call in entries:
        ledger.add(call)
    return ledger


def _sums(entries: list[CallRecord]) -> Totals:
    sums = Totals()
    for call in entries:
        sums.add(call)
    return sums


@given(st.lists(calls, max_size=30))
def test_every_grouping_adds_up_to_the_calls(entries: list[CallRecord]) -> None:
    ledger = _ledger(entries)
    keys: list[Callable[[Purpose], str]] = [lambda p: p.role, lambda p: p.column, str]
    for outcome in ("answered", "failed", "reused"):
        of = [call for call in entries if call.outcome == outcome]
        assert ledger.total(outcome) == _sums(of)
        for key in keys:
            whole = Totals()
            for name, sums in ledger.by(key, outcome).items():
                assert sums == _sums([call for call in of if key(call.purpose) == name])
                whole.merge(sums)
            assert whole == _sums(of)
        for role in ("target", "reasoner"):
            assert ledger.total(outcome, role) == _sums([c for c in of if c.purpose.role == role])


@given(st.lists(calls, max_size=30), st.integers(0, 30))
def test_the_ledgers_of_processes_add_up(entries: list[CallRecord], cut: int) -> None:
    left, right = _ledger(entries[:cut]), _ledger(entries[cut:])
    left.merge([pickle.loads(pickle.dumps(right))])
    whole = _ledger(entries)
    assert left.spent() == whole.spent()
    for outcome in ("answered", "failed", "reused"):
        assert left.by(str, outcome) == whole.by(str, outcome)


@given(st.lists(calls, max_size=30))
def test_spending_counts_failed_attempts_and_nothing_that_the_budget_does_not_limit(
    entries: list[CallRecord],
) -> None:
    amount = Amount()
    for call in entries:
        if call.budgeted:
            amount = amount.plus(call.spent)
    assert _ledger(entries).spent() == amount


def test_what_was_dropped_and_who_answered_is_tallied() -> None:
    record = CallRecord(Purpose(), "answered", evidence=HEARD, model="m-1")
    sums = _ledger([record, record]).total()
    assert sums.evidence_record() == {
        "frames": 8,
        "images": 2,
        "sound_seconds": 3.0,
        "clips": 4,
        "soundtrack": ["after", "interleaved"],
        "dropped": {"sound": 4},
    }
    assert dict(sums.models) == {"m-1": 2}


def test_a_cost_that_is_not_wholly_known_is_none() -> None:
    known = CallRecord(Purpose(), "answered", spent=Amount(1, 3, 0.5))
    assert _ledger([known]).total().usage_record()["cost_usd"] == 0.5
    ledger = _ledger([known, known._replace(priced=False)])
    assert ledger.total().usage_record()["cost_usd"] is None


def test_a_reused_reply_costs_nothing_and_keeps_its_evidence() -> None:
    ledger = Ledger()
    reply = Reply(text="a", usage=Usage(input_tokens=3), evidence=HEARD, model="m-1")
    ledger.add_reused(Purpose("reasoner", 0), reply)
    assert ledger.spent() == Amount()
    assert ledger.total().calls == 0
    reused = ledger.total("reused", "reasoner")
    assert (reused.calls, reused.usage, reused.evidence.frames) == (1, Usage(), 4)


def test_a_ledger_does_not_grow_with_its_calls() -> None:
    record = CallRecord(Purpose("evaluator", 1, "meme"), "answered", evidence=HEARD, model="m-1")
    few, many = _ledger([record]), _ledger([record] * 5_000)
    assert len(pickle.dumps(many)) < len(pickle.dumps(few)) + 100


@pytest.mark.parametrize("count", [1, 3])
def test_amounts_add_and_subtract(count: int) -> None:
    whole = Amount()
    for _ in range(count):
        whole = whole.plus(Amount(1, 2, 0.5))
    assert whole.minus(Amount(1, 2, 0.5)) == Amount(count - 1, 2 * count - 2, (count - 1) / 2)
