"""The published figures are those that were printed, and their gains follow from them."""

from __future__ import annotations

from statistics import fmean

import pytest

from aurelia_plugin.benchmark.data.items import COLUMNS
from aurelia_plugin.benchmark.reported import reported
from aurelia_plugin.cli import main


def test_there_are_two_closed_and_seventeen_open_models() -> None:
    rows = reported().rows
    assert [row.model for row in rows if row.closed] == ["Gemini 1.5 Pro", "Reka Core"]
    assert len(rows) == 19
    assert len([row for row in rows if not row.closed]) == 17
    for row in rows:
        absent = set(COLUMNS) - row.cells.keys()
        assert absent == ({"music_avqa", "avsd"} if row.model == "VideoLLaMA2" else set())
        for cell in row.cells.values():
            assert (cell.with_aurelia is None) == (cell.gain is None) == row.closed
            assert 0.3 <= cell.first - cell.second + 1e-9 <= 13.2


def test_113_of_117_printed_gains_follow_from_the_second_figure() -> None:
    figures = reported()
    wrong = {}
    count = 0
    for row in figures.rows:
        for column, cell in row.cells.items():
            if cell.gain is None or cell.computed_gain is None:
                continue
            count += 1
            # Printed to two places, often cut off; (35 - 18) / 18 is printed as 94.40.
            if abs(cell.computed_gain - cell.gain) > 0.12:
                wrong[row.model, column] = cell.computed_gain
            assert cell.misprint == ((row.model, column) in wrong)
    assert count == 117
    printed = {(m.model, m.column): m.computed for m in figures.paper.misprints}
    assert wrong.keys() == printed.keys()
    for key, gain in wrong.items():
        assert gain == pytest.approx(printed[key], abs=0.05)
        cell = figures.row(key[0]).cells[key[1]]  # type: ignore[union-attr]
        (misprint,) = [m for m in figures.paper.misprints if (m.model, m.column) == key]
        assert misprint.printed == cell.gain


def test_the_posters_own_misprint() -> None:
    (misprint,) = reported().paper.poster_misprints
    row = reported().row("Bay-CAT")
    assert row is not None
    cell = row.cells["meme"]
    assert (misprint.printed, cell.gain) == (44.40, 94.40)
    assert cell.computed_gain == pytest.approx(misprint.computed, abs=0.005)


def test_means_over_the_open_models() -> None:
    """Against means that were computed separately from the printed table."""
    means = {
        "music_avqa": (47.9, 54.5),
        "avsd": (49.6, 54.9),
        "captioning": (68.3, 74.2),
        "compositional": (26.6, 31.3),
        "geoiq": (18.6, 32.4),
        "meme": (20.6, 32.4),
        "dm_match": (25.9, 32.6),
    }
    rows = [row for row in reported().rows if not row.closed]
    for column, (second, with_aurelia) in means.items():
        cells = [row.cells[column] for row in rows if column in row.cells]
        assert fmean(cell.second for cell in cells) == pytest.approx(second, abs=0.051)
        after = [cell.with_aurelia for cell in cells if cell.with_aurelia is not None]
        assert fmean(after) == pytest.approx(with_aurelia, abs=0.051)


def test_av_odysseys_figures_that_were_copied() -> None:
    other = reported().av_odyssey
    same = []
    for row in reported().rows:
        if row.model in other.figures and row.cells["dm_match"].second == other.figures[row.model]:
            same.append(row.model)
    assert len(same) == 8
    assert len(other.figures) == 11
    assert "VideoLLaMA" not in same


def test_the_command_prints_them_as_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reported"]) == 0
    text = capsys.readouterr().out
    assert "78.8 (+8.09)" in text
    assert "28.0 (+100*)" in text
    assert "43.4 / 41.5" in text
    assert "Bay-CAT, meme" in text
    assert "Mixed provenance" in text
    assert "AV-Odyssey" in text
