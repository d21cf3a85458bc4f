"""What is drawn into the figures of a comparison's plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aurelia_plugin.compare.outputs.cells import COLUMN_TITLES
from aurelia_plugin.compare.result import Comparison, Contrast, ScopeKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CostAxis", "by_target", "calls", "cost_against_gain", "costs", "gains", "iterations"]

# Okabe and Ito's colours, told apart by people with any common colour vision; one marker each.
_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C8C00")
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")

_REACH: Final = 60
"""Points beyond the outermost gain that a bar may take up; a longer one runs off, and is marked."""

_LABEL: Final = 36
"""Characters of a name at most."""


def _look(index: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[index % len(_COLOURS)],
        "marker": _MARKERS[index % len(_MARKERS)],
        "markersize": 5,
    }


def gains(
    figure: Figure,
    comparison: Comparison,
    arms: Sequence[str],
    kind: ScopeKind,
    names: Sequence[str],
) -> None:
    """Draw each arm's gain with its interval, a row for all items and for each name."""
    rows: list[tuple[ScopeKind, str]] = [("all", ""), *((kind, name) for name in names)]
    step = 0.8 / max(1, len(arms))
    shown: list[float] = []
    figure.set_size_inches(7.2, max(3.0, 1.2 + len(rows) * max(0.32, 0.14 * len(arms))))
    axes = figure.subplots()
    for index, arm in enumerate(arms):
        places, found = [], []
        for row, (scope, name) in enumerate(rows):
            contrast = comparison.contrast(arm, scope, name)
            if contrast is not None:
                places.append(row - 0.4 + step * (index + 0.5))
                found.append(contrast)
        shown += _whiskers(axes, found, places, label=arm, **_look(index))
    if kind == "column":
        shown += _reported(axes, comparison, [name for _, name in rows])
    axes.axvline(0, color="grey", linewidth=1)
    _within_scale(axes, shown)
    axes.set_yticks(range(len(rows)), [_row_label(comparison, arms, *row) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    for row in range(1, len(rows)):
        axes.axhline(row - 0.5, color="grey", linewidth=0.3)
    axes.set_xlabel(f"gain over {comparison.reference}, points")
    figure.legend(loc="outside upper right", ncols=4)


def by_target(figure: Figure, compared: Mapping[str, Comparison]) -> None:
    """Draw each arm's gain over all items, a row for each target."""
    arms = list(dict.fromkeys(c.arm for one in compared.values() for c in one.contrasts))
    step = 0.8 / max(1, len(arms))
    shown: list[float] = []
    figure.set_size_inches(7.2, max(2.5, 1.2 + 0.6 * len(compared)))
    axes = figure.subplots()
    for index, arm in enumerate(arms):
        rows = [(row, one.contrast(arm, "all")) for row, one in enumerate(compared.values())]
        found = [(row - 0.4 + step * (index + 0.5), contrast) for row, contrast in rows if contrast]
        contrasts = [contrast for _, contrast in found]
        places = [place for place, _ in found]
        shown += _whiskers(axes, contrasts, places, label=arm, **_look(index))
    axes.axvline(0, color="grey", linewidth=1)
    _within_scale(axes, shown)
    names = [f"{name} (n={len(one.items)})" for name, one in compared.items()]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("gain over the reference arm, points")
    if axes.get_legend_handles_labels()[0]:  # none where there is the reference alone
        figure.legend(loc="outside upper right", ncols=4)


def _whiskers(
    axes: Axes, contrasts: Sequence[Contrast], places: Sequence[float], **look: Any
) -> list[float]:
    """Draw gains with their intervals, and return the gains in points."""
    gains = [100 * contrast.gain for contrast in contrasts]
    bounds = [contrast.interval for contrast in contrasts]
    low = [g - 100 * b.low if b else 0.0 for g, b in zip(gains, bounds, strict=True)]
    high = [100 * b.high - g if b else 0.0 for g, b in zip(gains, bounds, strict=True)]
    # Bounds of a bootstrap may leave out the mean itself; a bar then starts at the point.
    spans = [[max(0.0, value) for value in side] for side in (low, high)]
    axes.errorbar(gains, places, xerr=spans, linestyle="none", capsize=2, linewidth=1.2, **look)
    return gains


def _within_scale(axes: Axes, gains: Sequence[float]) -> None:
    """Show all gains, with bars of up to `_REACH` points around them; mark those that run off.

    Args:
        gains: in points.
    """
    from matplotlib.collections import LineCollection

    bars = [
        (segment, group.get_colors()[0])
        for group in axes.collections
        if isinstance(group, LineCollection)
        for segment in group.get_segments()
    ]
    ends = [0.0, *gains, *(float(end[0]) for segment, _ in bars for end in segment)]
    low = max(-105.0, min(ends) - 3, min([0.0, *gains]) - _REACH)
    high = min(105.0, max(ends) + 3, max([0.0, *gains]) + _REACH)
    axes.set_xlim(low, high)
    for (left, right), colour in bars:
        for edge, beyond, marker in ((low, left[0] < low, "<"), (high, right[0] > high, ">")):
            if beyond:
                axes.plot(
                    [edge], [left[1]], linestyle="none", marker=marker, markersize=6, color=colour,
                    clip_on=False, zorder=5,
                )  # fmt: skip


def _row_label(comparison: Comparison, arms: Sequence[str], kind: ScopeKind, name: str) -> str:
    contrasts = (comparison.contrast(arm, kind, name) for arm in arms)
    n = next((contrast.n for contrast in contrasts if contrast is not None), 0)
    name = COLUMN_TITLES.get(name, name)
    short = name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}\u2026"
    return f"{short or 'all items'} (n={n})"


def _reported(axes: Axes, comparison: Comparison, names: Sequence[str]) -> list[float]:
    """Draw the paper's gains, and return them in points."""
    cells = [
        (cell.with_aurelia - cell.zero_shot_second, names.index(cell.column))
        for cell in comparison.reported
        if cell.with_aurelia is not None and cell.column in names
    ]
    if cells:
        axes.plot(
            [gain for gain, _ in cells],
            [row for _, row in cells],
            linestyle="none",
            marker="x",
            color="grey",
            label="reported by the paper",
        )
    return [gain for gain, _ in cells]


def iterations(figure: Figure, comparison: Comparison) -> None:
    """Draw the mean best score after each iteration; arms with the same loops are one line."""
    axes = figure.subplots()
    lines: dict[tuple[int, tuple[float, ...]], list[str]] = {}
    for audit in comparison.audits.saturation:  # arms that used the same traces are one line
        if audit.mean_by_iteration:
            lines.setdefault((audit.n, audit.mean_by_iteration), []).append(audit.arm)
    for index, ((n, means), arms) in enumerate(lines.items()):
        label = f"{', '.join(arms)} (n={n})"
        axes.plot(range(1, len(means) + 1), means, label=label, **_look(index))
    longest = max(len(means) for _, means in lines)
    thresholds = {run.threshold for run in comparison.runs if run.threshold is not None}
    if len(thresholds) == 1:
        axes.axhline(thresholds.pop(), color="grey", linestyle="--", linewidth=1, label="threshold")
    axes.set_xticks(range(1, longest + 1))
    axes.set_ylim(0.5, 10.5)
    axes.set_yticks(range(1, 11))
    axes.set_xlabel("iteration")
    axes.set_ylabel("mean best score (1 to 10)")
    figure.legend(loc="outside upper right", ncols=2)


class CostAxis(NamedTuple):
    """What a question costs in each arm, and the name of the unit."""

    label: str
    by_arm: Mapping[str, float]


def costs(comparison: Comparison) -> CostAxis | None:
    """Return what a question costs in each arm: money where all prices are known, else tokens."""
    figures = {run.label: comparison.figure(run.label, "all") for run in comparison.runs}
    known = {label: figure for label, figure in figures.items() if figure is not None}
    costs = {a: f.cost / f.n for a, f in known.items() if f.cost is not None and f.n}
    if costs and len(costs) == len(known):
        return CostAxis("US dollars per question", costs)
    tokens = {
        arm: (figure.input_tokens + figure.output_tokens) / figure.n
        for arm, figure in known.items()
        if figure.input_tokens is not None and figure.output_tokens is not None and figure.n
    }
    return CostAxis("tokens per question, agents and target", tokens) if tokens else None


def calls(comparison: Comparison) -> CostAxis | None:
    """Return how many calls a question takes in each arm; None where no record says it."""
    figures = {run.label: comparison.figure(run.label, "all") for run in comparison.runs}
    counts = {
        label: figure.compute.calls / figure.n
        for label, figure in figures.items()
        if figure is not None and figure.compute is not None and figure.n
    }
    return CostAxis("calls per question, agents and target", counts) if counts else None


def cost_against_gain(figure: Figure, comparison: Comparison, axis: CostAxis) -> None:
    """Draw each arm's gain over what a question costs in it."""
    axes = figure.subplots()
    others = [run.label for run in comparison.runs if run.label != comparison.reference]
    if comparison.reference in axis.by_arm:
        axes.plot(
            [axis.by_arm[comparison.reference]], [0], linestyle="none", marker="*", markersize=9,
            color="grey", label=f"{comparison.reference} (reference)",
        )  # fmt: skip
    for index, arm in enumerate(others):
        contrast = comparison.contrast(arm, "all")
        if contrast is None or arm not in axis.by_arm:
            continue
        gain, bounds = 100 * contrast.gain, contrast.interval
        span = None
        if bounds is not None:
            span = [[max(0.0, gain - 100 * bounds.low)], [max(0.0, 100 * bounds.high - gain)]]
        axes.errorbar(
            [axis.by_arm[arm]], [gain], yerr=span, label=arm, capsize=3, linestyle="none",
            **_look(index),
        )  # fmt: skip
    axes.axhline(0, color="grey", linewidth=1)
    axes.margins(x=0.1)
    axes.set_xlim(left=0)
    axes.set_xlabel(axis.label)
    axes.set_ylabel(f"gain over {comparison.reference}, points")
    figure.legend(loc="outside upper right", ncols=3)
