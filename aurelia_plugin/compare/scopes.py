"""Which items figures are over, and the figures over them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS
from aurelia_plugin.benchmark.scoring.intervals import interval as wilson
from aurelia_plugin.compare import statistics
from aurelia_plugin.compare.result import (
    ArmAnswer,
    Contrast,
    Figure,
    Interval,
    ItemRow,
    Method,
    ScopeKind,
)

__all__ = ["FEWEST_ANSWERS", "Scope", "contrast", "figure", "in_order", "scopes", "with_holm"]

FEWEST_ANSWERS: Final = 5
"""A gold value gets a row of its own from this many items on."""


class Scope(NamedTuple):
    """Some items, under a name."""

    kind: ScopeKind
    name: str
    items: Sequence[ItemRow]


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return columns or categories without repetition, the benchmark's own in their order."""
    known = [*COLUMNS, *CATEGORIES]

    def place(name: str) -> tuple[int, str]:
        base = name.split(" (per", maxsplit=1)[0]
        return (known.index(base) if base in known else len(known), name)

    return tuple(sorted(dict.fromkeys(names), key=place))


def scopes(items: Sequence[ItemRow]) -> Iterator[Scope]:
    """Yield every scope over the items, in the order of the tables."""
    yield Scope("all", "all items", items)
    if len({item.column for item in items}) > 1:
        yield Scope("mean_over_columns", "mean over columns", items)
    for kind, name_of in _GROUPS.items():
        groups: dict[str, list[ItemRow]] = {}
        for item in items:
            groups.setdefault(name_of(item), []).append(item)
        for name in in_order(groups) if kind in ("column", "category") else sorted(groups):
            if kind == "answer" and (":" not in name or len(groups[name]) < FEWEST_ANSWERS):
                continue
            yield Scope(kind, name, groups[name])


def _answer(item: ItemRow) -> str:
    # Letters and sentences are no values that could be counted.
    if item.options is not None or item.answer_class == "free_text":
        return ""
    return f"{item.answer_class}: {item.gold}"


_GROUPS: Final[Mapping[ScopeKind, Callable[[ItemRow], str]]] = {
    "column": lambda item: item.column,
    "category": lambda item: item.category,
    "answer_class": lambda item: item.answer_class,
    "answer": _answer,
}


class _Paired(NamedTuple):
    items: list[ItemRow]
    answers: list[ArmAnswer]

    @classmethod
    def of(cls, scope: Scope, arm: str) -> _Paired:
        items = [item for item in scope.items if arm in item.arms]
        return cls(items, [item.arms[arm] for item in items])

    def sums(self, values: Sequence[float], kind: ScopeKind) -> statistics.ClusterSums:
        strata = [item.column for item in self.items] if kind == "mean_over_columns" else None
        return statistics.ClusterSums.of(values, [item.cluster for item in self.items], strata)


def figure(scope: Scope, arm: str, method: Method) -> Figure | None:
    """Return an arm's figures over a scope; None if it has none of the items."""
    items, answers = paired = _Paired.of(scope, arm)
    if not items:
        return None
    scores = [answer.score for answer in answers]
    sums = paired.sums(scores, scope.kind)
    share = all(0 <= score <= 1 for score in scores)
    known = [answer for answer in answers if answer.seconds is not None]
    turns = [answer.iterations for answer in answers if answer.iterations is not None]
    return Figure(
        arm=arm,
        kind=scope.kind,
        name=scope.name,
        n=len(items),
        clusters=sums.size,
        score=sums.mean,
        analytic=_analytic(sums, method.level, share=share),
        bootstrap=statistics.bootstrap(
            sums,
            draws=method.draws,
            seed=method.seed,
            level=method.level,
            bounds=(0.0, 1.0) if share else (float("-inf"), float("inf")),
        ).interval,
        accuracy=_mean(answer.right for answer in answers),
        unparsed=_mean(answer.unparsed for answer in answers),
        failed=sum(answer.failed is not None for answer in known) if known else None,
        dropped=sum(bool(answer.dropped) for answer in known) if known else None,
        mean_iterations=fmean(turns) if turns else None,
        input_tokens=_sum(answer.input_tokens for answer in answers),
        output_tokens=_sum(answer.output_tokens for answer in answers),
        cost=_total(answer.cost for answer in answers),
        seconds=_mean(answer.seconds for answer in answers),
    )


def _analytic(sums: statistics.ClusterSums, level: float, *, share: bool) -> Interval | None:
    if not share:
        return statistics.t_interval(sums.mean, sums.error, sums.size, level)
    low, high = wilson(sums.mean, sums.error, sums.size)
    return None if low is None or high is None else Interval(low=low, high=high)


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
    """Return an arm against the reference over a scope; None without an item of both."""
    both = [item for item in scope.items if arm in item.arms and reference in item.arms]
    paired = _Paired.of(scope._replace(items=both), arm)
    if not both:
        return None
    base = [item.arms[reference] for item in both]
    deltas = [one.score - two.score for one, two in zip(paired.answers, base, strict=True)]
    gain = paired.sums(deltas, scope.kind)
    below = paired.sums([answer.score for answer in base], scope.kind)
    boot = statistics.bootstrap(gain, draws=method.draws, seed=method.seed, level=method.level)
    changes = Counter(answer.change for answer in paired.answers)
    judged = None not in changes
    wins, losses = changes["wrong_to_right"], changes["right_to_wrong"]
    test, p = _test(scope, both, deltas, boot.p, binary=_binary(paired.answers, base))
    return Contrast(
        arm=arm,
        reference=reference,
        kind=scope.kind,
        name=scope.name,
        n=len(both),
        clusters=gain.size,
        score=gain.mean + below.mean,
        reference_score=below.mean,
        gain=gain.mean,
        relative_gain=gain.mean / below.mean if below.mean > 0 else None,
        analytic=statistics.t_interval(gain.mean, gain.error, gain.size, method.level),
        bootstrap=boot.interval,
        relative_bootstrap=statistics.ratio_interval(
            gain, below, draws=method.draws, seed=method.seed, level=method.level
        ),
        wins=sum(delta > 0 for delta in deltas),
        losses=sum(delta < 0 for delta in deltas),
        ties=sum(delta == 0 for delta in deltas),
        wrong_to_right=wins if judged else None,
        right_to_wrong=losses if judged else None,
        test=test,
        p=p,
        mcnemar=statistics.exact_mcnemar(wins, losses)
        if judged and scope.kind != "mean_over_columns"
        else None,
        detectable=statistics.detectable_gain(
            gain.error, gain.size, alpha=method.alpha, power=method.power
        ),
    )


def _binary(answers: Sequence[ArmAnswer], base: Sequence[ArmAnswer]) -> bool:
    return all(answer.score in (0, 1) for answer in (*answers, *base))


def _test(
    scope: Scope,
    items: Sequence[ItemRow],
    deltas: Sequence[float],
    bootstrap_p: float | None,
    *,
    binary: bool,
) -> tuple[str | None, float | None]:
    if scope.kind == "mean_over_columns":
        return ("bootstrap", bootstrap_p) if bootstrap_p is not None else (None, None)
    if not binary:
        return ("bootstrap", bootstrap_p) if bootstrap_p is not None else (None, None)
    clusters = [item.cluster for item in items]
    p = statistics.clustered_mcnemar([round(delta) for delta in deltas], clusters)
    return "mcnemar" if len(set(clusters)) == len(items) else "clustered_mcnemar", p


def with_holm(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Return the contrasts with Holm's correction over the columns of each arm."""
    families: dict[str, dict[str, float]] = {}
    for one in contrasts:
        if one.kind == "column" and one.p is not None:
            families.setdefault(one.arm, {})[one.name] = one.p
    adjusted = {arm: statistics.holm(family) for arm, family in families.items()}
    return [
        one.model_copy(update={"p_holm": adjusted[one.arm].get(one.name)})
        if one.kind == "column" and one.arm in adjusted
        else one
        for one in contrasts
    ]
