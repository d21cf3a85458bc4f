"""The paper's figures for the models that were run, to stand beside measured ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aurelia_plugin.benchmark.reported import Row, reported
from aurelia_plugin.compare.result import ReportedFigure, RunInfo
from aurelia_plugin.errors import ConfigError

__all__ = ["reported_figures"]


def reported_figures(runs: Sequence[RunInfo], wanted: str | None) -> tuple[ReportedFigure, ...]:
    """Return the paper's cells for a model; for the runs' own target if none is wanted.

    Raises:
        ConfigError: the paper has no such model.
    """
    if wanted is not None:
        row = _row(wanted)
        if row is None:
            names = ", ".join(row.model for row in reported().rows)
            raise ConfigError(f"--reported {wanted}: not in the paper.", f"Choose from: {names}")
        rows = [row]
    else:
        found = [_row(name) for run in runs for name in _names(run)]
        rows = list({row.model: row for row in found if row is not None}.values())
    return tuple(
        ReportedFigure(
            model=row.model,
            column=column,
            zero_shot_first=cell.first,
            zero_shot_second=cell.second,
            with_aurelia=cell.with_aurelia,
            printed_gain=cell.gain,
            misprint=cell.misprint,
        )
        for row in rows
        for column, cell in row.cells.items()
    )


def _names(run: RunInfo) -> list[str]:
    target = run.settings.get("target") or run.model_args.get("target") or ""
    return [run.model.removeprefix("aurelia_"), str(target).removeprefix("aurelia_")]


def _row(name: str) -> Row | None:
    return next((row for row in reported().rows if _plain(row.model) == _plain(name)), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
