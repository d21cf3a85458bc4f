"""The one ledger of a run's calls: each is recorded once, and every figure is grouped from it.

Ledgers of several processes add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

from aurelia_plugin.calling.backend import Evidence, Reply, Usage

__all__ = ["TARGET_ROLE", "Amount", "CallRecord", "Ledger", "Outcome", "Purpose", "Totals"]

TARGET_ROLE = "target"

Outcome = Literal["answered", "failed", "reused"]
"""`answered` by the backend; `failed`, one attempt of a call; `reused`, a reply that was kept."""

K = TypeVar("K", bound="str | int")


class Purpose(NamedTuple):
    """What a call is made for.

    Attributes:
        role: the agent's role, or `target`.
        iteration: of the loop, from 0; None outside of it.
        column: the task whose question is worked on.
    """

    role: str = TARGET_ROLE
    iteration: int | None = None
    column: str = ""


class Amount(NamedTuple):
    """Requests, tokens and US dollars."""

    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def plus(self, other: Amount) -> Amount:
        """Return the sum."""
        return Amount(self.calls + other.calls, self.tokens + other.tokens, self.cost + other.cost)

    def minus(self, other: Amount) -> Amount:
        """Return the difference."""
        return self.plus(Amount(-other.calls, -other.tokens, -other.cost))


class CallRecord(NamedTuple):
    """One call, or one attempt of it that failed.

    Attributes:
        spent: what it used of the budget: of a reply what it took, of a failed attempt all that
            the service may have charged.
        priced: whether the price of its model is known; else its cost counts as 0 and is unknown.
        seconds: from sending the request to its end.
        budgeted: whether it counts against the budget.
    """

    purpose: Purpose
    outcome: Outcome
    usage: Usage = Usage()
    evidence: Evidence = Evidence()
    model: str = ""
    spent: Amount = Amount()
    priced: bool = True
    seconds: float = 0.0
    budgeted: bool = True


@dataclass
class Totals:
    """Sums over calls.

    Attributes:
        evidence: without what was dropped, which is counted by itself.
        unpriced: calls whose price is not known.
    """

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    evidence: Evidence = field(default_factory=Evidence)
    dropped: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    spent: Amount = field(default_factory=Amount)
    unpriced: int = 0
    seconds: float = 0.0

    def add(self, call: CallRecord) -> None:
        """Add one call."""
        self.calls += 1
        self.usage += call.usage
        self.evidence += call.evidence.model_copy(update={"dropped": ()})
        self.dropped.update(call.evidence.dropped)
        if call.outcome != "failed":
            self.models[call.model] += 1
        self.spent = self.spent.plus(call.spent)
        self.unpriced += not call.priced
        self.seconds += call.seconds

    def merge(self, other: Totals) -> None:
        """Add other sums."""
        self.calls += other.calls
        self.usage += other.usage
        self.evidence += other.evidence
        self.dropped.update(other.dropped)
        self.models.update(other.models)
        self.spent = self.spent.plus(other.spent)
        self.unpriced += other.unpriced
        self.seconds += other.seconds

    def plus(self, other: Totals) -> Totals:
        """Return the sum."""
        sums = Totals()
        sums.merge(self)
        sums.merge(other)
        return sums

    def usage_record(self) -> dict[str, Any]:
        """Return calls, tokens and money for a run's record; a cost not wholly known is None."""
        cached = self.usage.cached_tokens
        return {
            "calls": self.calls,
            "input_tokens": self.usage.input_tokens,
            **({"cached_tokens": cached} if cached else {}),  # not every service tells
            "output_tokens": self.usage.output_tokens,
            "cost_usd": None if self.unpriced else round(self.spent.cost, 6),
        }

    def evidence_record(self) -> dict[str, Any]:
        """Return what was delivered and what was dropped, for a run's record."""
        return {
            "frames": self.evidence.frames,
            "images": self.evidence.images,
            "sound_seconds": round(self.evidence.sound_seconds, 3),
            "clips": self.evidence.clips,
            "dropped": dict(self.dropped),
        }


class _Row(NamedTuple):
    purpose: Purpose
    outcome: Outcome
    budgeted: bool


class Ledger:
    """Calls, summed by purpose and outcome as they come in: its size does not grow with a run."""

    def __init__(self) -> None:
        self._rows: dict[_Row, Totals] = {}

    def add(self, call: CallRecord) -> None:
        """Record a call."""
        row = _Row(call.purpose, call.outcome, call.budgeted)
        self._rows.setdefault(row, Totals()).add(call)

    def add_reused(self, purpose: Purpose, reply: Reply) -> None:
        """Record a reply that was kept: it costs nothing, and its evidence is what it stands on."""
        self.add(
            CallRecord(
                purpose, "reused", evidence=reply.evidence, model=reply.model, budgeted=False
            )
        )

    def merge(self, others: Iterable[Ledger]) -> None:
        """Add the ledgers of other processes."""
        for other in others:
            for row, totals in other._rows.items():
                self._rows.setdefault(row, Totals()).merge(totals)

    def total(self, outcome: Outcome = "answered", role: str | None = None) -> Totals:
        """Return the sums over all calls of an outcome, of one role or of all."""
        sums = Totals()
        for row, totals in self._rows.items():
            if row.outcome == outcome and role in (None, row.purpose.role):
                sums.merge(totals)
        return sums

    def by(self, key: Callable[[Purpose], K], outcome: Outcome = "answered") -> dict[str, Totals]:
        """Return the sums over the calls of an outcome, grouped by what `key` says of them."""
        sums: dict[str, Totals] = {}
        for row, totals in sorted(self._rows.items(), key=lambda entry: str(entry[0].purpose)):
            if row.outcome == outcome:
                sums.setdefault(str(key(row.purpose)), Totals()).merge(totals)
        return sums

    def spent(self) -> Amount:
        """Return what the calls used of the budget, failed attempts included."""
        amount = Amount()
        for row, totals in self._rows.items():
            if row.budgeted:
                amount = amount.plus(totals.spent)
        return amount
