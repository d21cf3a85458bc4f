"""The board itself: submissions that were asked alike, ranked, as table, page and data.

Every text in a submission is a stranger's. Here it becomes a cell of a table or a text node of a
page, escaped for its reader, and never markup, a link or a name of a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from aurelia_plugin import __version__
from aurelia_plugin.compare.scopes import in_order
from aurelia_plugin.compare.submissions.alike import Sorted
from aurelia_plugin.compare.submissions.reading import Entry, Refusal
from aurelia_plugin.compare.submissions.standing import MEAN, Standing, figures_of
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.escaping import for_markdown, for_terminal

__all__ = ["Line", "head", "ranked", "table_rows", "write_board"]

_NONE: Final = "-"


class Line(NamedTuple):
    """One submission in its place; equal scores share a rank."""

    rank: int
    entry: Entry
    figures: dict[str, Standing]


def ranked(entries: Sequence[Entry]) -> list[Line]:
    """Return the submissions by their mean over columns, the highest first."""
    known = [(entry, figures_of(entry.submission.items)) for entry in entries]
    known.sort(key=lambda pair: (-pair[1][MEAN].score, pair[0].file))
    scores = [figures[MEAN].score for _, figures in known]
    return [
        Line(1 + sum(other > figures[MEAN].score for other in scores), entry, figures)
        for entry, figures in known
    ]


def head(lines: Sequence[Line]) -> list[str]:
    """Return the titles of the table's columns."""
    return [
        *("rank", "name", "condition", "agents", "mean", "95% interval"),
        *_columns(lines),
        *("unparsed", "failed", "n"),
    ]


def _columns(lines: Sequence[Line]) -> tuple[str, ...]:
    return in_order(name for line in lines for name in line.figures if name != MEAN)


def table_rows(lines: Sequence[Line]) -> list[list[str]]:
    """Return the table's cells; scores and shares in percent."""
    return [_cells(line, _columns(lines)) for line in lines]


def _cells(line: Line, columns: Sequence[str]) -> list[str]:
    one = line.entry.submission
    mean = line.figures[MEAN]
    unparsed = [item.unparsed for item in one.items if item.unparsed is not None]
    agents = ", ".join(dict.fromkeys(one.agents.values()))
    return [
        str(line.rank),
        one.name,
        one.condition or _NONE,
        agents or _NONE,
        f"{100 * mean.score:.1f}",
        _interval(mean),
        *(
            f"{100 * line.figures[name].score:.1f}" if name in line.figures else _NONE
            for name in columns
        ),
        f"{100 * sum(unparsed) / len(unparsed):.1f}" if unparsed else _NONE,
        str(sum(item.failed is not None for item in one.items)),
        str(mean.n),
    ]


def _interval(one: Standing) -> str:
    if one.low is None or one.high is None:
        return _NONE
    return f"{100 * one.low:.1f} to {100 * one.high:.1f}"


def write_board(found: Sorted, refusals: Sequence[Refusal], folder: Path) -> list[Path]:
    """Write `board.html`, `board.md` and `board.json` into the folder and return their paths."""
    lines = ranked(found.entries)
    contents = {
        "board.html": _page(lines, refusals),
        "board.md": _markdown(lines, refusals),
        "board.json": json.dumps(_data(lines, refusals), indent=1) + "\n",
    }
    for name, text in contents.items():
        write_atomically(folder / name, text.encode("utf-8"))
    return [folder / name for name in contents]


_NOTE: Final = (
    "Scores in percent, computed anew from each submission's answers; 95% intervals, clustered by "
    "video. Ranks of submissions whose intervals overlap tell little: compare two runs with "
    "aurelia compare, paired by question."
)


def _title(lines: Sequence[Line]) -> str:
    return lines[0].entry.submission.benchmark if lines else ""


def _markdown(lines: Sequence[Line], refusals: Sequence[Refusal]) -> str:
    titles = head(lines)
    text = [f"# {for_markdown(_title(lines))}", "", for_markdown(_NOTE), ""]
    text += [f"| {' | '.join(map(for_markdown, titles))} |", f"|{'---|' * len(titles)}"]
    text += [f"| {' | '.join(map(for_markdown, row))} |" for row in table_rows(lines)]
    if refusals:
        text += ["", "Not on the board:", ""]
        text += [f"* {for_markdown(one.file)}: {for_markdown(one.reason)}" for one in refusals]
    return "\n".join(text) + "\n"


def _data(lines: Sequence[Line], refusals: Sequence[Refusal]) -> dict[str, object]:
    return {
        "version": __version__,
        "benchmark": _title(lines),
        "lines": [
            {
                "rank": line.rank,
                "file": line.entry.file,
                "digest": line.entry.submission.digest,
                "name": line.entry.submission.name,
                "condition": line.entry.submission.condition,
                "figures": {
                    name or "mean over columns": figure._asdict()
                    for name, figure in line.figures.items()
                },
            }
            for line in lines
        ],
        "refused": [one._asdict() for one in refusals],
    }


_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{padding:.3rem .6rem;border-bottom:1px solid #ccc;"
    "text-align:right;vertical-align:top;overflow-wrap:anywhere}"
    "th:nth-child(-n+4),td:nth-child(-n+4){text-align:left}.wide{overflow-x:auto}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}th,td{border-color:#444}}"
)


def _page(lines: Sequence[Line], refusals: Sequence[Refusal]) -> str:
    """Return one page without scripts: nothing in it is loaded, and nothing can run."""
    titles = "".join(f'<th scope="col">{_text(one)}</th>' for one in head(lines))
    rows = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>\n"
        for row in table_rows(lines)
    )
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width">',
        f"<title>{_text(_title(lines))}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(_title(lines))}</h1><p>{_text(_NOTE)}</p>",
        f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>\n{rows}</tbody></table>',
        "</div><h2>Settings</h2>",
        *_details(lines),
    ]
    if refusals:
        entries = "".join(f"<li>{_text(one.file)}: {_text(one.reason)}</li>" for one in refusals)
        parts.append(f"<h2>Not on the board</h2><ul>{entries}</ul>")
    return "\n".join([*parts, "</body></html>", ""])


def _details(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        one = line.entry.submission
        about = one.model_dump(mode="json", exclude={"items", "figures", "form", "form_version"})
        text = json.dumps(about, indent=1, ensure_ascii=False)
        yield (
            f"<details><summary>{line.rank}. {_text(one.name)}</summary><pre>{_text(text)}</pre>"
            "</details>"
        )


def _text(text: str) -> str:
    """Return a stranger's text as HTML that shows it and does nothing else."""
    return escape(for_terminal(text), quote=True)
