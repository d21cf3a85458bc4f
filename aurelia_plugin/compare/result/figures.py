"""Scores, paired gains, and what follows from them."""

from __future__ import annotations

from aurelia_plugin.calling.compute import Compute
from aurelia_plugin.compare.result.parts import EstimateMethod, Interval, ScopeKind
from aurelia_plugin.files.records import Record

__all__ = [
    "Contrast",
    "Figure",
    "Verdict",
]


class Figure(Record):
    """One arm over one scope.

    Attributes:
        n, clusters: items, and videos (or documents, where a task names no video).
        score: mean score.
        interval: of the score; None where there is none.
        method: what made the interval.
        missing: why there is no interval, in words.
        accuracy: share right; None where nothing says right or wrong.
        unparsed: share of replies that could not be read; None where no task says it.
        failed: questions whose agents or target failed; None without a run record.
        dropped: questions of which some evidence was not delivered; likewise.
        mean_iterations: over the questions that have a trace.
        input_tokens, output_tokens: the target's and its questions' agents', all calls of the
            traces counted, whenever they were made.
        cost: in US dollars by the prices that were given, all calls of the traces counted.
        seconds: mean time from taking up a question to its answer. Questions overlap, so the sum
            is more than the run took.
        compute: what all calls took, target and agents, whenever they were made; None where a
            question's is not known.
    """

    arm: str
    kind: ScopeKind
    name: str
    n: int
    clusters: int
    score: float
    interval: Interval | None = None
    method: EstimateMethod | None = None
    missing: str = ""
    accuracy: float | None = None
    unparsed: float | None = None
    failed: int | None = None
    dropped: int | None = None
    mean_iterations: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None
    compute: Compute | None = None


class Contrast(Record):
    """One arm against another over one scope, paired by item.

    Attributes:
        gain: mean of score minus reference score.
        relative_gain: gain over the reference's score (the paper's form); None over 0.
        interval: of the gain, not corrected for several tests; None where there is none.
        method: what made interval and `p`.
        missing: why there is no interval, in words.
        wins, losses, ties: items scored higher, lower, the same.
        wrong_to_right, right_to_wrong: flips; None where nothing says right or wrong.
        p: two-sided, of no gain, of the interval's family: below 0.05 exactly where a 95% interval
            excludes 0. None where there is no interval.
        mcnemar: exact McNemar's p, as if items were independent; right/wrong scores only.
        p_holm: corrected over the columns of this arm (`column`), or over the family of a verdict.
        detectable: the gain that this n could have shown with 80% power at the 5% level.
    """

    arm: str
    reference: str
    kind: ScopeKind
    name: str
    n: int
    clusters: int
    score: float
    reference_score: float
    gain: float
    relative_gain: float | None = None
    interval: Interval | None = None
    method: EstimateMethod | None = None
    missing: str = ""
    wins: int
    losses: int
    ties: int
    wrong_to_right: int | None = None
    right_to_wrong: int | None = None
    p: float | None = None
    mcnemar: float | None = None
    p_holm: float | None = None
    detectable: float | None = None


class Verdict(Record):
    """What follows for one arm, over all items.

    Attributes:
        arm: the reasoning arm; without one, every arm but the reference has a verdict.
        contrasts: against the reference and each control, with `p_holm` over all of them.
        sentence: what follows, for the top of every output.
    """

    arm: str
    contrasts: tuple[Contrast, ...]
    sentence: str
