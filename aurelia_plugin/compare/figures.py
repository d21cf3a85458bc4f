"""The figures of one arm over a scope, and of one arm against another."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from aurelia_plugin.calling.compute import Compute
from aurelia_plugin.compare.result import (
    ArmAnswer,
    Contrast,
    Figure,
    Interval,
    ItemRow,
    Method,
)
from aurelia_plugin.compare.scopes import Scope
from aurelia_plugin.statistics.estimates import (
    Estimate,
    Resampled,
    gain_estimate,
    score_estimate,
)
from aurelia_plugin.statistics.tests import detectable_gain, exact_mcnemar, holm

__all__ = ["bounds_of", "contrast", "figure", "with_holm"]


class _Design(NamedTuple):
    """What an estimate needs to know of the items beside their values."""

    clusters: list[str]
    strata: list[str] | None

    @classmethod
    def of(cls, scope: Scope, items: Sequence[ItemRow]) -> _Design:
        by_column = scope.kind == "mean_over_columns"
        columns = [item.column for item in items] if by_column else None
        return cls([item.cluster for item in items], columns)


def bounds_of(estimate: Estimate) -> Interval | None:
    """Return an estimate's interval as a part of the result."""
    if estimate.low is None or estimate.high is None:
        return None
    return Interval(low=estimate.low, high=estimate.high)


def figure(scope: Scope, arm: str, method: Method) -> Figure | None:
    """Return an arm's figures over a scope; None if it has none of the items."""
    items = [item for item in scope.items if arm in item.arms]
    if not items:
        return None
    answers = [item.arms[arm] for item in items]
    design = _Design.of(scope, items)
    found = score_estimate(
        [answer.score for answer in answers],
        design.clusters,
        design.strata,
        level=method.level,
        resampled=Resampled(method.draws, method.seed),
    )
    known = [answer for answer in answers if answer.seconds is not None]
    turns = [answer.iterations for answer in answers if answer.iterations is not None]
    replied = [answer for answer in answers if answer.answer or not answer.failed]
    return Figure(
        arm=arm,
        kind=scope.kind,
        name=scope.name,
        n=len(items),
        clusters=found.clusters,
        score=found.mean,
        interval=bounds_of(found),
        method=found.method,
        missing=found.missing,
        accuracy=_mean(answer.right for answer in answers),
        unparsed=_mean(answer.unparsed for answer in replied) if replied else None,
        failed=sum(answer.failed is not None for answer in known) if known else None,
        dropped=sum(bool(answer.dropped) for answer in known) if known else None,
        mean_iterations=fmean(turns) if turns else None,
        input_tokens=_sum(answer.input_tokens for answer in answers),
        output_tokens=_sum(answer.output_tokens for answer in answers),
        cost=_total(answer.cost for answer in answers),
        seconds=_mean(answer.seconds for answer in answers),
        compute=_computed(answer.compute for answer in answers),
    )


def _computed(values: Iterable[Compute | None]) -> Compute | None:
    total = Compute()
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _mean(values: Iterable[float | bool | None]) -> float | None:
    known = list(values)
    return fmean(float(v) for v in known if v is not None) if None not in known else None


def _total(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return math.fsum(v for v in known if v is not None) if None not in known else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return sum(v for v in known if v is not None) if None not in known else None


def contrast(scope: Scope, arm: str, reference: str, method: Method) -> Contrast | None:
    """Return one arm against another over a scope; None without an item of both."""
    items = [item for item in scope.items if arm in item.arms and reference in item.arms]
    if not items:
        return None
    own = [item.arms[arm] for item in items]
    base = [item.arms[reference] for item in items]
    deltas = [one.score - two.score for one, two in zip(own, base, strict=True)]
    found, below = _estimates(scope, items, own, base, method)
    flips = Counter((two.right, one.right) for one, two in zip(own, base, strict=True))
    judged = all(
        one.right is not None and two.right is not None for one, two in zip(own, base, strict=True)
    )
    gained, spoiled = flips[False, True], flips[True, False]
    return Contrast(
        arm=arm,
        reference=reference,
        kind=scope.kind,
        name=scope.name,
        n=len(items),
        clusters=found.clusters,
        score=found.mean + below,
        reference_score=below,
        gain=found.mean,
        relative_gain=found.mean / below if below > 0 else None,
        interval=bounds_of(found),
        method=found.method,
        missing=found.missing,
        wins=sum(delta > 0 for delta in deltas),
        losses=sum(delta < 0 for delta in deltas),
        ties=sum(delta == 0 for delta in deltas),
        wrong_to_right=gained if judged else None,
        right_to_wrong=spoiled if judged else None,
        p=found.p,
        mcnemar=exact_mcnemar(gained, spoiled)
        if judged and scope.kind != "mean_over_columns"
        else None,
        detectable=detectable_gain(
            found.error or 0.0, found.freedom, alpha=method.alpha, power=method.power
        ),
    )


def _estimates(
    scope: Scope,
    items: Sequence[ItemRow],
    own: Sequence[ArmAnswer],
    base: Sequence[ArmAnswer],
    method: Method,
) -> tuple[Estimate, float]:
    """Return the gain with its interval and test, and the other arm's mean score."""
    design = _Design.of(scope, items)
    resampled = Resampled(method.draws, method.seed)
    found = gain_estimate(
        [one.score - two.score for one, two in zip(own, base, strict=True)],
        design.clusters,
        design.strata,
        share=all(0 <= answer.score <= 1 for answer in (*own, *base)),
        level=method.level,
        resampled=resampled,
    )
    return found, _score_mean([answer.score for answer in base], design.strata)


def _score_mean(scores: Sequence[float], strata: Sequence[str] | None) -> float:
    """Return the mean over items, or over strata of each one's mean."""
    if strata is None:
        return fmean(scores)
    groups: dict[str, list[float]] = {}
    for score, stratum in zip(scores, strata, strict=True):
        groups.setdefault(stratum, []).append(score)
    return fmean(fmean(group) for group in groups.values())


def with_holm(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Return the contrasts with Holm's correction over the columns of each arm."""
    families: dict[str, dict[str, float]] = {}
    for one in contrasts:
        if one.kind == "column" and one.p is not None:
            families.setdefault(one.arm, {})[one.name] = one.p
    adjusted = {arm: holm(family) for arm, family in families.items()}
    return [
        one.model_copy(update={"p_holm": adjusted[one.arm].get(one.name)})
        if one.kind == "column" and one.arm in adjusted
        else one
        for one in contrasts
    ]
