"""The front of a study of several targets: one line for each target and arm."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from aurelia_plugin.compare.outputs.plots import write_target_plot
from aurelia_plugin.compare.result import Comparison, Interval
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.escaping import for_csv, for_markdown

__all__ = ["write_overview"]

_POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'"
_HEAD: Final = (
    *("target", "arm", "n", "score", "score_low", "score_high"),
    *("gain", "gain_low", "gain_high", "relative_gain", "p"),
)


class _Row(NamedTuple):
    target: str
    arm: str
    n: int
    score: float
    score_low: float | None
    score_high: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    relative_gain: float | None
    p: float | None


def write_overview(
    out: Path, compared: Mapping[str, Comparison], missing: Sequence[str] = ()
) -> Path:
    """Write `index.html`, `tables/overview.*` and `plots/gain_by_target.*`; return the page's path.

    Args:
        compared: a target's name, by which its folder in `targets` is called, to its comparison.
        missing: what is to be said of targets that have no comparison.

    Raises:
        OSError: the folder cannot be written to.
    """
    rows = [row for name, one in compared.items() for row in _rows(name, one)]
    sentences = [*_sentences(compared), *missing]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HEAD)
    for row in rows:
        writer.writerow([for_csv(cell) if isinstance(cell, str) else cell for cell in row])
    contents = {
        "overview.csv": buffer.getvalue(),
        "overview.json": json.dumps([row._asdict() for row in rows], indent=1),
        "overview.md": _markdown(rows, sentences),
    }
    for name, text in contents.items():
        write_atomically(out / "tables" / name, text.encode("utf-8"))
    write_target_plot(compared, out / "plots")
    style = files("aurelia_plugin.compare.outputs.page") / "assets" / "page.css"
    write_atomically(out / "page" / "page.css", style.read_bytes())
    write_atomically(out / "index.html", _page(rows, sentences).encode("utf-8"))
    return out / "index.html"


def _rows(name: str, comparison: Comparison) -> Iterator[_Row]:
    for run in comparison.runs:
        figure = comparison.figure(run.label, "all")
        if figure is None:
            continue
        contrast = comparison.contrast(run.label, "all")
        gain = contrast.interval if contrast else None
        yield _Row(
            name,
            run.label,
            figure.n,
            figure.score,
            *_bounds(figure.interval),
            contrast.gain if contrast else None,
            *_bounds(gain),
            contrast.relative_gain if contrast else None,
            contrast.p if contrast else None,
        )


def _bounds(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)


def _cells(row: _Row) -> tuple[str, ...]:
    def percent(value: float | None, form: str = ".1f") -> str:
        return "-" if value is None else format(100 * value, form)

    def span(low: float | None, high: float | None, form: str = ".1f") -> str:
        return "" if low is None else f" [{percent(low, form)}, {percent(high, form)}]"

    gain = percent(row.gain, "+.1f") + span(row.gain_low, row.gain_high, "+.1f")
    score = percent(row.score) + span(row.score_low, row.score_high)
    relative = percent(row.relative_gain, "+.1f")
    return (row.arm, str(row.n), score, gain, relative, "-" if row.p is None else f"{row.p:.3f}")


_TITLES: Final = ("target", "arm", "n", "score, %", "gain, points", "relative gain, %", "p")


def _sentences(compared: Mapping[str, Comparison]) -> list[str]:
    """Return what follows for each target."""
    return [f"{name}: {v.sentence}" for name, one in compared.items() for v in one.verdicts]


def _markdown(rows: list[_Row], sentences: Sequence[str]) -> str:
    lines = [text for one in sentences for text in (f"**{for_markdown(one)}**", "")]
    lines += [f"| {' | '.join(_TITLES)} |", f"|{'---|' * len(_TITLES)}"]
    for row in rows:
        arm, *figures = _cells(row)
        cells = (for_markdown(row.target), for_markdown(arm), *figures)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _page(rows: list[_Row], sentences: Sequence[str]) -> str:
    """Return the page; it needs no script, and names are escaped."""
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in _TITLES)
    verdicts = "\n".join(
        f'<p class="verdict"><strong>{html.escape(text)}</strong></p>' for text in sentences
    )
    body = []
    for row in rows:
        link = html.escape(f"targets/{quote(row.target)}/index.html")
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(row))
        name = f'<th scope="row"><a href="{link}">{html.escape(row.target)}</a></th>'
        body.append(f"<tr>{name}{cells}</tr>")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AURELIA study</title>
<link rel="stylesheet" href="page/page.css">
</head>
<body>
<header><h1>AURELIA study</h1></header>
<main class="view">
{verdicts}
<p>One line for each target and arm, over all items; 95% intervals in brackets. A target's name
opens its own page.</p>
<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>
{chr(10).join(body)}
</tbody></table></div>
<figure class="plot"><img src="plots/gain_by_target.svg" alt="Gain of every arm, by target">
<figcaption>Gain over the reference arm, 95% intervals.</figcaption></figure>
</main>
</body>
</html>
"""
