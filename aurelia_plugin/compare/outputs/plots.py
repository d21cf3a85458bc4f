"""The plots of a comparison, as PNG and SVG; as SVG on dark ground too, for the page.

Drawn with matplotlib (extra `study`) without its global state. The files of one comparison are the
same, byte for byte, every time.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aurelia_plugin.compare.outputs import drawing
from aurelia_plugin.compare.result import Comparison, ScopeKind
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Plot", "require_matplotlib", "write_plots", "write_target_plot"]

_GROUNDS: Final = {
    "": ("#ffffff", "#1b1f24", "#d0d7de"),
    "-dark": ("#161b22", "#e6edf3", "#3d444d"),
}

_FEWEST: Final = 5
"""Items of a category that is drawn."""

_MARGIN: Final = 0.15
"""Inches at the sides."""


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
    _write(
        lambda figure: drawing.by_target(figure, compared), _GROUNDS[""], folder / "gain_by_target"
    )


Draw = Callable[["Figure"], None]


def _drawings(comparison: Comparison) -> list[tuple[Plot, Draw]]:
    """Return the plots for which there are data, and what draws them."""
    arms = [run.label for run in comparison.runs if run.label != comparison.reference]
    bars = (
        f"Points are gains over {comparison.reference}, bars 95% intervals; an arrowhead marks one "
        "that runs off."
    )
    axis = drawing.costs(comparison)
    found: list[tuple[Plot, Draw]] = []

    def per(kind: ScopeKind, names: Sequence[str], more: str = "") -> None:
        plot = Plot(f"gain_per_{kind}", f"Gain per {kind}", bars + more)
        found.append((plot, lambda figure: drawing.gains(figure, comparison, arms, kind, names)))

    if comparison.contrasts:
        per("column", comparison.columns)
    enough, few = _by_size(comparison)
    if comparison.contrasts and len(comparison.categories) > 1 and enough:
        left_out = f" Left out, fewer than {_FEWEST} items each: {', '.join(few)}." if few else ""
        per("category", enough, left_out)
    if any(audit.mean_by_iteration for audit in comparison.audits.saturation):
        note = "Mean best score so far; a loop that stopped keeps its score."
        plot = Plot("score_over_iterations", "Evaluator's score over iterations", note)
        found.append((plot, lambda figure: drawing.iterations(figure, comparison)))
    if axis is not None and comparison.contrasts:
        plot = Plot("cost_against_gain", "Cost against gain", f"{bars} Cost: {axis.label}.")
        found.append((plot, lambda figure: drawing.cost_against_gain(figure, comparison, axis)))
    asked = drawing.calls(comparison)
    if asked is not None and comparison.contrasts:
        plot = Plot("calls_against_gain", "Calls against gain", f"{bars} Calls: {asked.label}.")
        found.append((plot, lambda figure: drawing.cost_against_gain(figure, comparison, asked)))
    return found


def _by_size(comparison: Comparison) -> tuple[list[str], list[str]]:
    """Return the categories with enough items to be drawn, and the others."""
    counts = Counter(item.category for item in comparison.items)
    enough = [name for name in comparison.categories if counts[name] >= _FEWEST]
    few = [f"{n} ({counts[n]})" for n in comparison.categories if counts[n] < _FEWEST]
    return enough, few


def _write(draw: Draw, ground: tuple[str, str, str], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

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
        engine = figure.get_layout_engine()
        if isinstance(engine, ConstrainedLayoutEngine):
            # Texts of an SVG are drawn in the reader's font, perhaps a wider one.
            engine.set(w_pad=_MARGIN)
        forms = {".svg": {"Date": None}, ".png": {"Software": None}}
        for suffix, metadata in forms.items():
            if suffix == ".png" and path.name.endswith("-dark"):
                continue  # the dark one is for the page, which takes SVG
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix[1:], dpi=144, metadata=metadata)
            write_atomically(path.with_name(path.name + suffix), buffer.getvalue())
