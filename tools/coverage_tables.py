"""The table of the statistics page that says how often intervals cover, from its data file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["coverage_table"]

DATA = Path(__file__).parents[1] / "docs" / "data" / "coverage.jsonl"

Row = dict[str, Any]


def coverage_table() -> str:
    """Return one line for each kind, number of questions and form of clusters: its worst case."""
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    lines = ["| what | questions | videos | rows | coverage, least | width | false alarms, most |"]
    lines += ["|---|---|---|---:|---:|---:|---:|"]
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((_what(row), _questions(row), _videos(row)), []).append(row)
    for names, own in groups.items():
        lines.append(f"| {' | '.join(names)} | {len(own)} | {' | '.join(_worst(own))} |")
    return "\n".join(lines)


def _worst(rows: Iterable[Row]) -> list[str]:
    given = [row for row in rows if row["given"] > 0]
    if not given:
        return ["no interval", "-", "-"]
    return [
        f"{100 * _of(given, 'coverage', min):.1f}",
        f"{100 * _of(given, 'width', min):.1f} to {100 * _of(given, 'width', max):.1f}",
        f"{100 * _of(given, 'false_alarms', max):.1f}",
    ]


def _of(rows: list[Row], key: str, choose: Callable[[list[float]], float]) -> float:
    return choose([float(row[key]) for row in rows])


def _what(row: Row) -> str:
    if row["kind"] == "mean":
        return f"mean over {row['columns']} columns"
    return str(row["kind"])


def _questions(row: Row) -> str:
    each = f" ({row['n'] // row['columns']} a column)" if row["kind"] == "mean" else ""
    return f"{row['n']}{each}"


def _videos(row: Row) -> str:
    if row["clusters"] <= 1:
        return "one question each"
    return f"about {row['clusters']:g} questions each, correlation {row['correlation']:g}"
