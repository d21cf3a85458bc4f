"""What follows: the reasoning arm against the reference and every control, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from aurelia_plugin.compare.figures import contrast
from aurelia_plugin.compare.result import Contrast, ItemRow, Method, RunInfo, Verdict
from aurelia_plugin.compare.scopes import Scope
from aurelia_plugin.statistics.tests import holm

__all__ = ["verdicts"]

_REASONING: Final = frozenset(("aurelia", "precomputed"))


def verdicts(
    items: Sequence[ItemRow], runs: Sequence[RunInfo], reference: str, method: Method
) -> tuple[Verdict, ...]:
    """Return a verdict for each reasoning arm; without one, for every arm but the reference.

    A reasoning arm (`condition=aurelia` or `precomputed`, by the run's record) is tested against
    the reference and against every arm of another condition and the same media; one whose loop goes
    without a part is an ablation, and tested against the reference and the whole loop.
    """
    scope = Scope("all", "all items", items)
    found = []
    for run in _of_interest(runs, reference):
        tests = [
            one
            for other in _opponents(run, runs, reference)
            if (one := contrast(scope, run.label, other, method)) is not None
        ]
        if tests:
            corrected = _corrected(tests)
            sentence = _sentence(run.label, corrected, len(items), method)
            found.append(Verdict(arm=run.label, contrasts=tuple(corrected), sentence=sentence))
    return tuple(found)


def _of_interest(runs: Sequence[RunInfo], reference: str) -> list[RunInfo]:
    others = [run for run in runs if run.label != reference]
    reasoning = [run for run in others if run.condition in _REASONING]
    return reasoning or others


def _opponents(run: RunInfo, runs: Sequence[RunInfo], reference: str) -> Iterator[str]:
    """Yield the labels of the reference and of the controls, in the order of the tables."""
    if run.label != reference:
        yield reference
    if run.condition not in _REASONING:
        return
    if _is_ablation(run):
        for other in runs:
            whole = other.condition == run.condition and not _is_ablation(other)
            whole = whole and _injected(other) == _injected(run)
            if whole and other.label != reference and other.media == run.media:
                yield other.label
        return
    for other in runs:
        control = other.condition is not None and other.condition not in _REASONING
        if control and other.label != reference and other.media == run.media:
            yield other.label


def _injected(run: RunInfo) -> object:
    return run.settings.get("inject") or "steps"


def _is_ablation(run: RunInfo) -> bool:
    """Whether the run's loop went without a part, or its agents without a sense."""
    given = run.settings
    parts = bool(given.get("without")) or given.get("iteration") is not None
    return parts or given.get("agents_media", "full") != "full"


def _corrected(tests: Sequence[Contrast]) -> list[Contrast]:
    """Return the contrasts with Holm's correction over the family."""
    adjusted = holm({one.reference: one.p for one in tests if one.p is not None})
    return [one.model_copy(update={"p_holm": adjusted.get(one.reference)}) for one in tests]


def _sentence(arm: str, tests: Sequence[Contrast], n: int, method: Method) -> str:
    shown: list[str] = []
    same: list[tuple[str, str]] = []
    unknown: list[str] = []
    for one in tests:
        if one.p_holm is None:
            unknown.append(f"{_points(one.gain)} against {one.reference} has {one.missing}")
        elif one.p_holm < method.alpha:
            way = "over" if one.gain > 0 else "below"
            value = one.gain if one.gain > 0 else abs(one.gain)
            sign = _points(value) if one.gain > 0 else _points(value).lstrip("+")
            shown.append(f"{sign}{'' if shown else ' points'} {way} {one.reference}")
        else:
            same.append((one.reference, f"({_points(one.gain)}{_bounds(one)})"))
    parts = [", ".join(shown)] if shown else []
    if len(same) == 1:
        parts.append(f"no difference from {same[0][0]} is shown {same[0][1]}")
    elif same:
        texts = [f"{name} {figures}" for name, figures in same]
        named = f"{', '.join(texts[:-1])} or {texts[-1]}"
        parts.append(f"no difference from {named} is shown")
    parts += unknown
    fewer = sorted({one.n for one in tests if one.n < n})
    over = f", over {fewer[0]} of {n} items" if fewer else ""
    return f"{arm}: {'; '.join(parts)}{_correction(tests, method)}{over}."


def _correction(tests: Sequence[Contrast], method: Method) -> str:
    count = sum(one.p is not None for one in tests)
    if count < 2:
        return ""
    return f" (Holm over {count} tests at {method.alpha:g}; intervals are not corrected)"


def _points(value: float) -> str:
    text = f"{100 * value:+.1f}".replace("-", "\u2212")
    return text[1:] if float(f"{100 * value:.1f}") == 0 else text


def _bounds(one: Contrast) -> str:
    if one.interval is None:
        return ""
    return f" [{_points(one.interval.low)}, {_points(one.interval.high)}]"
