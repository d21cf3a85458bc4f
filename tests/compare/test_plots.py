from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from making_comparisons import comparison
from PIL import Image

from aurelia_plugin.compare.outputs import plots
from aurelia_plugin.compare.outputs.plots import require_matplotlib, write_plots, write_target_plot
from aurelia_plugin.compare.result import Audits, Comparison, Interval
from aurelia_plugin.errors import ConfigError

NAMES = ["gain_per_column", "gain_per_category", "score_over_iterations", "cost_against_gain"]


def texts(path: Path) -> str:
    tree = ElementTree.parse(path)
    return " ".join("".join(element.itertext()) for element in tree.iter() if "text" in element.tag)


@pytest.fixture(scope="module")
def made() -> Comparison:
    return comparison(119)


def test_every_plot_is_there_as_png_and_svg(made: Comparison, tmp_path: Path) -> None:
    written = write_plots(made, tmp_path)
    assert [plot.name for plot in written] == NAMES
    for name in NAMES:
        with Image.open(tmp_path / f"{name}.png") as image:
            assert image.width >= 900
        for suffix in ("", "-dark"):
            assert ElementTree.parse(tmp_path / f"{name}{suffix}.svg").getroot().tag.endswith("svg")
    gains = texts(tmp_path / "gain_per_column.svg")
    for word in (
        "cot",
        "aurelia",
        "consistency",
        "AV-Meme (n=17)",
        "all items (n=119)",
        "reported",
    ):
        assert word in gains, word
    assert "US dollars" not in texts(tmp_path / "cost_against_gain.svg")


def test_the_same_comparison_gives_the_same_bytes(made: Comparison, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_plots(made, tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_cost_is_money_only_where_all_of_it_is_known(made: Comparison, tmp_path: Path) -> None:
    def priced(arms: set[str]) -> str:
        figures = tuple(
            one.model_copy(update={"cost": 1.0}) if one.arm in arms else one for one in made.figures
        )
        write_plots(made.model_copy(update={"figures": figures}), tmp_path)
        return texts(tmp_path / "cost_against_gain.svg")

    everyone = {run.label for run in made.runs}
    assert "US dollars per question" in priced(everyone)
    assert "tokens per question" in priced(everyone - {"cot"})


def test_what_there_is_nothing_of_is_not_drawn(made: Comparison, tmp_path: Path) -> None:
    alone = comparison(10, ("none",))
    assert write_plots(alone, tmp_path) == ()
    quiet = made.model_copy(update={"audits": Audits()})
    assert "score_over_iterations" not in [plot.name for plot in write_plots(quiet, tmp_path)]


def test_names_are_names_and_intervals_stay_on_the_scale(tmp_path: Path) -> None:
    name = "$x^2 <b>&amp; " + "long " * 40
    rows = [row.model_copy(update={"category": name}) for row in comparison(8).items]
    made = comparison(8, items=rows)
    contrasts = tuple(
        one.model_copy(
            update={
                "name": name if one.kind == "category" else one.name,
                "analytic": Interval(low=-6.0, high=7.0),
            }
        )
        for one in made.contrasts
    )
    made = made.model_copy(update={"categories": (name, "Currency"), "contrasts": contrasts})
    write_plots(made, tmp_path)
    drawn = texts(tmp_path / "gain_per_category.svg")
    assert "$x^2 <b>&amp; long" in drawn
    assert name not in drawn
    assert "\u2212200" not in drawn


def test_small_categories_are_left_out_and_named(made: Comparison, tmp_path: Path) -> None:
    few = comparison(90)  # five of each of 17, and a sixth of the first five
    rows = [
        row.model_copy(update={"category": "Currency"}) if number % 17 == 0 and number else row
        for number, row in enumerate(few.items)
    ]
    plot = write_plots(few.model_copy(update={"items": tuple(rows)}), tmp_path)[1]
    assert plot.name == "gain_per_category"
    assert "fewer than 5 items each: Country recognition (1)." in plot.note
    drawn = texts(tmp_path / "gain_per_category.svg")
    assert "Country recognition" not in drawn
    assert "Currency" in drawn
    assert "Left out" not in write_plots(made, tmp_path)[1].note


def test_a_bar_that_runs_off_is_marked() -> None:
    from matplotlib.figure import Figure

    from aurelia_plugin.compare.outputs.drawing import gains

    def marks(low: float, high: float) -> list[str]:
        made = comparison(30, ("none", "aurelia"))
        (one,) = [c for c in made.contrasts if c.kind == "all"]
        own = one.model_copy(update={"gain": 0.1, "interval": Interval(low=low, high=high)})
        figure = Figure()
        gains(figure, made.model_copy(update={"contrasts": (own,)}), ["aurelia"], "column", [])
        (axes,) = figure.axes
        left, right = axes.get_xlim()
        assert left < 10 < right
        found = [str(line.get_marker()) for line in axes.lines]
        assert all((mark == "<") <= (100 * low < left) for mark in found)
        return [mark for mark in found if mark in ("<", ">")]

    assert marks(-0.2, 0.4) == []
    assert marks(-0.2, 1.0) == [">"]
    assert marks(-1.0, 0.4) == ["<"]
    assert marks(-1.0, 1.0) == ["<", ">"]


def test_several_targets_have_a_row_each(made: Comparison, tmp_path: Path) -> None:
    write_target_plot({"one": made, "two": comparison(20)}, tmp_path)
    drawn = texts(tmp_path / "gain_by_target.svg")
    assert "one (n=119)" in drawn
    assert "two (n=20)" in drawn


def test_without_matplotlib_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        return None

    monkeypatch.setattr(plots, "find_spec", missing)
    with pytest.raises(ConfigError, match="matplotlib") as caught:
        require_matplotlib()
    assert "[study]" in caught.value.fix
