"""The plots of a comparison, as PNG and SVG; as SVG on dark ground too, for the page.

Drawn with matplotlib (extra `study`) without its global state. The files of one comparison are the
same, byte for byte, every time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aurelia_plugin.atomic import write_atomically
from aurelia_plugin.compare.result import Comparison, Contrast, ScopeKind
from aurelia_plugin.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Plot", "require_matplotlib", "write_plots", "write_target_plot"]

# Okabe and Ito's colours, told apart by people with any common colour vision; one marker each.
_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C8C00")
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
_GROUNDS: Final = {
    "": ("#ffffff", "#1b1f24", "#d0d7de"),
    "-dark": ("#161b22", "#e6edf3", "#3d444d"),
}


_LABEL: Final = 36
"""Characters of a name at most."""


class Plot(NamedTuple):
    """One plot that was written.

    Attributes:
        name: of its files, without suffix: `<name>.svg`, `<name>.png`, `<name>-dark.svg`.
        title: what it shows.
        note: how to read it.
    """

    name: str
    title: str
    note: str


def require_matplotlib() -> None:
    """Make sure that plots can be drawn.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "Plots need matplotlib, which is not installed.",
            'Install it: pip install "aurelia-lmms-eval[study]"',
        )


def write_plots(comparison: Comparison, folder: Path) -> tuple[Plot, ...]:
    """Draw every plot for which the comparison has data.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    require_matplotlib()
    written = []
    for plot, draw in _drawings(comparison):
        for suffix, ground in _GROUNDS.items():
            _write(draw, ground, folder / f"{plot.name}{suffix}")
        written.append(plot)
    return tuple(written)


def write_target_plot(compared: Mapping[str, Comparison], folder: Path) -> None:
    """Draw every arm's gain over all items, a row for each target, as `gain_by_target`.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    require_matplotlib()
    _write(lambda figure: _by_target(figure, compared), _GROUNDS[""], folder / "gain_by_target")


Draw = Callable[["Figure"], None]


def _drawings(comparison: Comparison) -> list[tuple[Plot, Draw]]:
    arms = [run.label for run in comparison.runs if run.label != comparison.reference]
    bars = f"Points are gains over {comparison.reference}, bars 95% intervals."
    found: list[tuple[Plot, Draw]] = []
    if comparison.contrasts:
        found.append(
            (
                Plot("gain_per_column", "Gain per column", bars),
                lambda figure: _gains(figure, comparison, arms, "column", comparison.columns),
            )
        )
    if comparison.contrasts and len(comparison.categories) > 1:
        found.append(
            (
                Plot("gain_per_category", "Gain per category", bars),
                lambda figure: _gains(figure, comparison, arms, "category", comparison.categories),
            )
        )
    if any(audit.mean_by_iteration for audit in comparison.audits.saturation):
        found.append(
            (
                Plot(
                    "score_over_iterations",
                    "Evaluator's score over iterations",
                    "Mean best score so far; a loop that stopped keeps its score.",
                ),
                lambda figure: _iterations(figure, comparison),
            )
        )
    axis = _costs(comparison)
    if axis is not None and comparison.contrasts:
        found.append(
            (
                Plot("cost_against_gain", "Cost against gain", f"{bars} Cost: {axis.label}."),
                lambda figure: _cost_against_gain(figure, comparison, axis),
            )
        )
    return found


def _write(draw: Draw, ground: tuple[str, str, str], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    back, ink, line = ground
    style: dict[str, Any] = {
        "figure.facecolor": back,
        "axes.facecolor": back,
        "savefig.facecolor": back,
        "text.color": ink,
        "axes.labelcolor": ink,
        "axes.edgecolor": line,
        "xtick.color": ink,
        "ytick.color": ink,
        "grid.color": line,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "text.parse_math": False,  # a name with dollar signs is a name
        "font.size": 10,
        "svg.fonttype": "none",  # text stays text: small, searchable, read aloud
        "font.family": ["DejaVu Sans", "sans-serif"],
        "svg.hashsalt": "aurelia",
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(7.2, 4.0), layout="constrained")
        draw(figure)
        forms = {".svg": {"Date": None}, ".png": {"Software": None}}
        for suffix, metadata in forms.items():
            if suffix == ".png" and path.name.endswith("-dark"):
                continue  # the dark one is for the page, which takes SVG
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix[1:], dpi=144, metadata=metadata)
            write_atomically(path.with_name(path.name + suffix), buffer.getvalue())


def _look(index: int) -> dict[str, Any]:
    return {
        "color": _COLOURS[index % len(_COLOURS)],
        "marker": _MARKERS[index % len(_MARKERS)],
        "markersize": 5,
    }


def _gains(
    figure: Figure,
    comparison: Comparison,
    arms: Sequence[str],
    kind: ScopeKind,
    names: Sequence[str],
) -> None:
    rows: list[tuple[ScopeKind, str]] = [("all", ""), *((kind, name) for name in names)]
    step = 0.8 / max(1, len(arms))
    figure.set_size_inches(7.2, max(3.0, 1.2 + len(rows) * max(0.32, 0.14 * len(arms))))
    axes = figure.subplots()
    for index, arm in enumerate(arms):
        places, found = [], []
        for row, (scope, name) in enumerate(rows):
            contrast = comparison.contrast(arm, scope, name)
            if contrast is not None:
                places.append(row - 0.4 + step * (index + 0.5))
                found.append(contrast)
        _whiskers(axes, found, places, label=arm, **_look(index))
    if kind == "column":
        _reported(axes, comparison, [name for _, name in rows])
    axes.axvline(0, color="grey", linewidth=1)
    _within_scale(axes)
    axes.set_yticks(range(len(rows)), [_row_label(comparison, arms, *row) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    for row in range(1, len(rows)):
        axes.axhline(row - 0.5, color="grey", linewidth=0.3)
    axes.set_xlabel(f"gain over {comparison.reference}, points")
    figure.legend(loc="outside upper right", ncols=4)


def _by_target(figure: Figure, compared: Mapping[str, Comparison]) -> None:
    arms = list(dict.fromkeys(c.arm for one in compared.values() for c in one.contrasts))
    step = 0.8 / max(1, len(arms))
    figure.set_size_inches(7.2, max(2.5, 1.2 + 0.6 * len(compared)))
    axes = figure.subplots()
    for index, arm in enumerate(arms):
        rows = [(row, one.contrast(arm, "all")) for row, one in enumerate(compared.values())]
        found = [(row - 0.4 + step * (index + 0.5), contrast) for row, contrast in rows if contrast]
        contrasts = [contrast for _, contrast in found]
        _whiskers(axes, contrasts, [place for place, _ in found], label=arm, **_look(index))
    axes.axvline(0, color="grey", linewidth=1)
    _within_scale(axes)
    names = [f"{name} (n={len(one.items)})" for name, one in compared.items()]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("gain over the reference arm, points")
    figure.legend(loc="outside upper right", ncols=4)


def _whiskers(
    axes: Axes, contrasts: Sequence[Contrast], places: Sequence[float], **look: Any
) -> None:
    gains = [100 * contrast.gain for contrast in contrasts]
    bounds = [contrast.bootstrap or contrast.analytic for contrast in contrasts]
    low = [g - 100 * b.low if b else 0.0 for g, b in zip(gains, bounds, strict=True)]
    high = [100 * b.high - g if b else 0.0 for g, b in zip(gains, bounds, strict=True)]
    # Bounds of a bootstrap may leave out the mean itself; a bar then starts at the point.
    spans = [[max(0.0, value) for value in side] for side in (low, high)]
    axes.errorbar(gains, places, xerr=spans, linestyle="none", capsize=2, linewidth=1.2, **look)


def _within_scale(axes: Axes) -> None:
    """Show no more than gains can be: intervals of very few items reach beyond 100 points."""
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -105), min(high, 105))


def _row_label(comparison: Comparison, arms: Sequence[str], kind: ScopeKind, name: str) -> str:
    contrasts = (comparison.contrast(arm, kind, name) for arm in arms)
    n = next((contrast.n for contrast in contrasts if contrast is not None), 0)
    short = name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}\u2026"
    return f"{short or 'all items'} (n={n})"


def _reported(axes: Axes, comparison: Comparison, names: Sequence[str]) -> None:
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


def _iterations(figure: Figure, comparison: Comparison) -> None:
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


class _CostAxis(NamedTuple):
    label: str
    by_arm: Mapping[str, float]


def _costs(comparison: Comparison) -> _CostAxis | None:
    """Return what a question costs in each arm: money where all prices are known, else tokens."""
    figures = {run.label: comparison.figure(run.label, "all") for run in comparison.runs}
    known = {label: figure for label, figure in figures.items() if figure is not None}
    costs = {a: f.cost / f.n for a, f in known.items() if f.cost is not None and f.n}
    if costs and len(costs) == len(known):
        return _CostAxis("US dollars per question", costs)
    tokens = {
        arm: (figure.input_tokens + figure.output_tokens) / figure.n
        for arm, figure in known.items()
        if figure.input_tokens is not None and figure.output_tokens is not None and figure.n
    }
    return _CostAxis("tokens per question, agents and target", tokens) if tokens else None


def _cost_against_gain(figure: Figure, comparison: Comparison, axis: _CostAxis) -> None:
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
        gain, bounds = 100 * contrast.gain, contrast.bootstrap or contrast.analytic
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
