"""What became of the questions of a run. All figures are grouped from the list of items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aurelia_plugin.calling.backend import Evidence, Reply, Usage
from aurelia_plugin.calling.compute import Compute, compute_of
from aurelia_plugin.calling.ledger import TARGET_ROLE, Ledger
from aurelia_plugin.errors import AureliaError, OverBudgetError
from aurelia_plugin.reasoning.roles import ROLES, Role
from aurelia_plugin.reasoning.trace import AgentCall, StopReason, Trace
from aurelia_plugin.running.turns import Turn

__all__ = ["Failure", "ItemOutcome", "Readability", "RunOutcome", "readability"]

_ENDS: tuple[StopReason, ...] = ("accepted", "exhausted", "unscored")
_EXAMPLES = 5


@dataclass(frozen=True)
class Failure:
    """Why the agents, or the target, gave nothing for a question.

    Attributes:
        cause: the error's own words, the fix included.
        over_budget: whether the budget did not allow the call.
    """

    cause: str
    over_budget: bool = False

    @classmethod
    def of(cls, error: AureliaError) -> Failure:
        """Return the failure that an error is."""
        return cls(str(error), isinstance(error, OverBudgetError))


class Readability(NamedTuple):
    """How many turns of an agent there were, and how many gave nothing that could be read."""

    turns: int = 0
    unreadable: int = 0

    def plus(self, other: Readability) -> Readability:
        """Return the sum."""
        return Readability(self.turns + other.turns, self.unreadable + other.unreadable)

    @property
    def mostly_unreadable(self) -> bool:
        """Whether more than half of the turns gave nothing."""
        return 2 * self.unreadable > self.turns


def readability(trace: Trace) -> dict[Role, Readability]:
    """Return how each agent's turns in a trace could be read.

    A turn is unreadable when the reply, and the one that was asked for again, was: lines that
    stand in for the steps of a JSON object do not make it readable.
    """
    found: dict[Role, Readability] = {}
    for iteration in trace.iterations:
        for role in ROLES:
            read = [call.read for call in iteration.calls if call.role == role]
            if read:
                failed = read[-1] == "unreadable" or read == ["unreadable", "lines"]
                found[role] = found.get(role, Readability()).plus(Readability(1, failed))
    return found


@dataclass
class ItemOutcome:
    """What became of one question.

    Attributes:
        id: `task/split/doc_id`.
        category: under which its outcome is counted.
        content: digest of clip and text as the task gives them, before `media=` changes them.
        media: names of its media, as a trace gives them.
        trace: key of the question's own trace, where the answer builds on it.
        stop: why the loop of its own trace ended, where one was made for it.
        iterations: of that loop.
        readability: of its agents' replies.
        vote: key of the vote, where several answers were sampled.
        turns: what was said on the way to the answer, where it took more than one turn.
        agents_compute: what the agents' calls took on which the answer builds, whenever they were
            made.
        target_compute: what the target's calls took, likewise.
        steps: what stood in front of the question.
        preface: the words that stood there.
        without_steps: the agents wrote no steps, and the question was asked without.
        agents: why the agents gave nothing.
        target: why the target gave nothing, or the question could not be made.
        answered: whether the answer is the target's.
        model: that answered, as its backend names it.
        usage: tokens of the answer, or of all answers that were sampled.
        evidence: what reached the target, and what did not.
        seconds: from taking up the question to its answer.
    """

    id: str
    category: str = ""
    content: str | None = None
    media: tuple[str, ...] = ()
    trace: str | None = None
    stop: StopReason | None = None
    iterations: int = 0
    readability: dict[Role, Readability] = field(default_factory=dict)
    vote: str | None = None
    turns: tuple[Turn, ...] = ()
    agents_compute: Compute = field(default_factory=Compute)
    target_compute: Compute = field(default_factory=Compute)
    steps: tuple[str, ...] = ()
    preface: str = ""
    without_steps: bool = False
    agents: Failure | None = None
    target: Failure | None = None
    answered: bool = False
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    evidence: Evidence = field(default_factory=Evidence)
    seconds: float = 0.0

    def add_reply(self, reply: Reply) -> None:
        """Note what the target's answer is made of."""
        self.answered = True
        self.model, self.usage, self.evidence = reply.model, reply.usage, reply.evidence

    def add_trace(self, trace: Trace, *, counts: bool = True) -> None:
        """Note how the loop of the question's own trace ended.

        Args:
            trace: the question's own.
            counts: whether the answer builds on it; where it only says how many answers are to be
                sampled, or lends its steps to another question, its calls do not count.
        """
        self.stop, self.iterations = trace.stop, len(trace.iterations)
        self.readability = readability(trace)
        if counts:
            self.add_calls(call for turn in trace.iterations for call in turn.calls)

    def add_calls(self, calls: Iterable[AgentCall]) -> None:
        """Count calls of agents."""
        self.agents_compute += compute_of(calls)

    def add_asked(self, reply: Reply) -> None:
        """Count a call of the target, whether its reply is the answer or not."""
        self.target_compute += compute_of([reply])

    @property
    def failure(self) -> Failure | None:
        """The last thing that failed: the target, else the agents."""
        return self.target or self.agents

    def record(self) -> dict[str, Any]:
        """Return the item as a line of the run's record."""
        return {
            "id": self.id,
            "content": self.content,
            "media": self.media,
            "trace": self.trace,
            "vote": self.vote,
            "turns": [turn.record() for turn in self.turns],
            "compute": {
                "agents": self.agents_compute.model_dump(),
                "target": self.target_compute.model_dump(),
            },
            "steps": self.steps,
            "preface": self.preface,
            "failed": "target" if self.target else "agents" if self.agents else None,
            "cause": self.failure and self.failure.cause,
            "dropped": self.evidence.dropped,
            "sound_seconds": self.evidence.sound_seconds,
            "model": self.model,
            "input_tokens": self.usage.input_tokens,
            "output_tokens": self.usage.output_tokens,
            "seconds": self.seconds,
        }


@dataclass
class RunOutcome:
    """Everything that is known of what a run did: its items and its ledger of calls."""

    ledger: Ledger = field(default_factory=Ledger)
    items: list[ItemOutcome] = field(default_factory=list)

    def merged(self, others: Iterable[RunOutcome]) -> RunOutcome:
        """Return the sum over processes, this one included."""
        whole = RunOutcome()
        for outcome in (self, *others):
            whole.ledger.merge([outcome.ledger])
            whole.items += outcome.items
        return whole

    def problems(self, most: int = _EXAMPLES) -> list[str]:
        """Return the first failures of different causes, as `id: cause`."""
        seen: dict[str, str] = {}
        for item in self.items:
            for failure in filter(None, (item.agents, item.target)):
                seen.setdefault(failure.cause, f"{item.id}: {failure.cause}")
        return list(seen.values())[:most]

    def readability(self) -> dict[Role, Readability]:
        """Return how each agent's replies could be read, over all questions."""
        found: dict[Role, Readability] = {}
        for item in self.items:
            for role, turns in item.readability.items():
                found[role] = found.get(role, Readability()).plus(turns)
        return found

    def unreadable_agents(self) -> list[str]:
        """Return a sentence, with its fix, for each agent whose replies are mostly unreadable."""
        return [
            f"the {role}'s replies could not be read in {turns.unreadable} of {turns.turns} turns: "
            "what the loop made of them is worth nothing. Use prompts that this model follows "
            f"(prompts=, preset=), or another {role}="
            for role, turns in self.readability().items()
            if turns.mostly_unreadable
        ]

    def record(self) -> dict[str, Any]:
        """Return what stands in a run's record."""
        names = (*ROLES, TARGET_ROLE)
        made = {name: self.ledger.total(role=name) for name in names}
        reused = {name: self.ledger.total("reused", name) for name in names}
        spent = self.ledger.spent()
        categories = sorted({item.category for item in self.items})
        return {
            "calls": {role: made[role].calls for role in ROLES},
            "calls_reused": {role: reused[role].calls for role in ROLES},
            "answers_reused": reused[TARGET_ROLE].calls,
            "tokens": {
                name: {
                    "input": sums.usage.input_tokens,
                    "output": sums.usage.output_tokens,
                    **({"cached": sums.usage.cached_tokens} if sums.usage.cached_tokens else {}),
                }
                for name, sums in made.items()
            },
            "usage": self._usage(),
            "spent": {
                "calls": spent.calls,
                "tokens": spent.tokens,
                "cost_usd": round(spent.cost, 6),
            },
            **outcome_record(self.items),
            "readability": {role: turns._asdict() for role, turns in self.readability().items()},
            "evidence": {
                name: {
                    "calls": made[name].calls,
                    "reused": reused[name].calls,
                    **made[name].plus(reused[name]).evidence_record(),
                }
                for name in names
            },
            "models": {name: sorted(made[name].plus(reused[name]).models) for name in names},
            "by_category": {
                name: outcome_record(item for item in self.items if item.category == name)
                for name in categories
            },
            "problems": self.problems(),
        }

    def _usage(self) -> dict[str, Any]:
        """Return calls, tokens and money in all and in groups; iterations count from 1."""
        groups = {
            "by_role": self.ledger.by(lambda purpose: purpose.role),
            "by_iteration": self.ledger.by(
                lambda purpose: TARGET_ROLE if purpose.iteration is None else purpose.iteration + 1
            ),
            "by_column": self.ledger.by(lambda purpose: purpose.column),
        }
        return {
            "total": self.ledger.total().usage_record(),
            **{
                name: {key: sums.usage_record() for key, sums in rows.items()}
                for name, rows in groups.items()
            },
        }


def outcome_record(items: Iterable[ItemOutcome]) -> dict[str, Any]:
    """Return how questions went, counted."""
    items = list(items)
    looped = [item for item in items if item.stop is not None]
    stops = Counter(item.stop for item in looped)
    agents = [item.agents for item in items if item.agents is not None]
    targets = [item.target for item in items if item.target is not None]
    agent_failures = sum(not failure.over_budget for failure in agents)
    target_failures = sum(not failure.over_budget for failure in targets)
    iterations = sum(item.iterations for item in looped)
    return {
        "n": len(items),
        **{stop: stops[stop] for stop in _ENDS},
        "over_budget": len(agents) - agent_failures,
        "target_over_budget": len(targets) - target_failures,
        "failed": agent_failures + target_failures,
        "agent_failures": agent_failures,
        "target_failures": target_failures,
        "unanswered": sum(not item.answered for item in items),
        "without_steps": sum(item.without_steps for item in items),
        "mean_iterations": round(iterations / len(looped), 4) if looped else 0.0,
    }
