"""A comparison as files: Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from aurelia_plugin.calling.compute import Compute
from aurelia_plugin.compare.outputs.cells import COLUMN_TITLES
from aurelia_plugin.compare.outputs.sections import Section, sections
from aurelia_plugin.compare.result import Comparison, ItemRow
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.escaping import for_csv, for_latex, for_markdown

__all__ = ["latex", "markdown", "write_tables"]


def write_tables(result: Comparison, folder: Path) -> list[Path]:
    """Write every table of the comparison into the folder and return the paths.

    `comparison.md` and `comparison.tex` are for reading and for a paper; `figures`, `contrasts`,
    `verdicts` and `items` (CSV and JSON) hold every number unrounded, as fractions. In CSV, a text
    that a spreadsheet would take for a formula has an apostrophe in front.
    """
    figures = [_flat(figure) for figure in result.figures]
    contrasts = [_flat(contrast) for contrast in result.contrasts]
    verdicts = [
        {"verdict": one.sentence, **_flat(test)}
        for one in result.verdicts
        for test in one.contrasts
    ]
    items = [row for item in result.items for row in _item_rows(item)]
    contents = {
        "comparison.md": markdown(result),
        "comparison.tex": latex(result),
        "figures.csv": _csv(figures),
        "contrasts.csv": _csv(contrasts),
        "verdicts.csv": _csv(verdicts),
        "items.csv": _csv(items),
        "figures.json": json.dumps(figures, indent=1),
        "contrasts.json": json.dumps(contrasts, indent=1),
        "verdicts.json": json.dumps(verdicts, indent=1, ensure_ascii=False),
        "items.json": json.dumps(items, indent=1, ensure_ascii=False),
    }
    for name, text in contents.items():
        write_atomically(folder / name, text.encode("utf-8"))
    return [folder / name for name in contents]


def markdown(result: Comparison) -> str:
    """Return all tables as Markdown; what models wrote is escaped."""
    lines = [f"# {for_markdown(' / '.join(run.label for run in result.runs))}", ""]
    method = result.method
    lines += [
        f"Made by aurelia-lmms-eval {result.version} at {result.created}. Reference: "
        f"{for_markdown(result.reference)}. {method.draws} bootstrap draws of whole videos "
        f"(key: {for_markdown(method.cluster)}), seed {method.seed}.",
        "",
    ]
    lines += [text for one in result.verdicts for text in (f"**{for_markdown(one.sentence)}**", "")]
    for section in sections(result):
        lines += [f"## {for_markdown(section.title)}", "", *_markdown_table(section), ""]
        lines += [
            text for note in section.note.split("\n") if note for text in (for_markdown(note), "")
        ]
    lines += [f"* {for_markdown(note)}" for note in result.notes]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_table(section: Section) -> Iterable[str]:
    yield f"| {' | '.join(map(for_markdown, section.head))} |"
    rule = "---" if section.text else "---:"
    yield f"| {' | '.join(['---', *[rule] * (len(section.head) - 1)])} |"
    for row in section.rows:
        yield f"| {' | '.join(map(for_markdown, row))} |"


def latex(result: Comparison) -> str:
    """Return the paper's layout: arms by columns, relative gains as superscripts.

    A `table*` in small type, so that it fits the width of a page of two columns; it needs booktabs
    and nothing else.
    """
    columns = [*result.columns, *(["mean"] if len(result.columns) > 1 else [])]
    head = " & ".join(for_latex(COLUMN_TITLES.get(name, name)) for name in columns)
    lines = [
        *(f"% {' '.join(one.sentence.split())}" for one in result.verdicts),
        r"% Needs \usepackage{booktabs}.",
        r"\begin{table*}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{l{'c' * len(columns)}}}",
        r"\toprule",
        rf"Arm & {head} \\",
        r"\midrule",
    ]
    for run in result.runs:
        cells = [_cell(result, run.label, name) for name in columns]
        lines.append(rf"{for_latex(run.label)} & {' & '.join(cells)} \\")
    lines += list(_reported_rows(result, columns))
    lines += [r"\bottomrule", r"\end{tabular}", rf"\caption{{{_caption(result)}}}", r"\end{table*}"]
    return "\n".join([*lines, ""])


def _caption(result: Comparison) -> str:
    targets = ", ".join(dict.fromkeys(run.called for run in result.runs))
    return (
        rf"{for_latex(targets)}, {len(result.items)} questions: score in percent; superscript: "
        rf"gain relative to {for_latex(result.reference)} in percent. $\ast$: $p < 0.05$ after "
        "Holm's correction over the columns."
    )


def _cell(result: Comparison, arm: str, column: str) -> str:
    where = ("mean_over_columns", "") if column == "mean" else ("column", column)
    figure = result.figure(arm, *where)  # type: ignore[arg-type]
    if figure is None:
        return "--"
    text = f"{100 * figure.score:.1f}"
    contrast = result.contrast(arm, *where)  # type: ignore[arg-type]
    if contrast is None or contrast.relative_gain is None:
        return text
    significant = contrast.p_holm is not None and contrast.p_holm < result.method.alpha
    return text + _raised(100 * contrast.relative_gain, 1, r"\ast" if significant else "")


def _raised(gain: float, digits: int, mark: str = "") -> str:
    """Return a gain as a superscript; in mathematics, where a hyphen is a minus sign."""
    written = f"{gain:+.{digits}f}"
    return f"$^{{{written if float(written) else written[1:]}{mark}}}$"


def _reported_rows(result: Comparison, columns: Sequence[str]) -> Iterable[str]:
    models = list(dict.fromkeys(one.model for one in result.reported))
    for model in models:
        cells = {one.column: one for one in result.reported if one.model == model}
        plain = [
            f"{cells[name].zero_shot_second:.1f}" if name in cells else "--" for name in columns
        ]
        yield r"\midrule"
        yield rf"{for_latex(model)}, reported & {' & '.join(plain)} \\"
        gained = []
        for name in columns:
            one = cells.get(name)
            if one is None or one.with_aurelia is None:
                gained.append("--")
            else:
                gained.append(f"{one.with_aurelia:.1f}{_raised(one.printed_gain or 0.0, 2)}")
        if set(gained) != {"--"}:
            yield rf"{for_latex(model)} + AURELIA, reported & {' & '.join(gained)} \\"


def _flat(model: BaseModel) -> dict[str, object]:
    """Return a record with interval and compute as columns, empty where there is none."""
    flat: dict[str, Any] = {}
    for key, value in model.model_dump().items():
        if isinstance(value, Mapping) and set(value) == {"low", "high"}:
            flat.update({f"{key}_low": value["low"], f"{key}_high": value["high"]})
        elif key == "interval":
            flat.update({f"{key}_low": None, f"{key}_high": None})
        elif key == "compute":
            flat.update(_compute_columns(value))
        else:
            flat[key] = value
    return flat


def _compute_columns(compute: Mapping[str, object] | None) -> dict[str, object]:
    return {f"compute_{name}": (compute or {}).get(name) for name in Compute.model_fields}


def _item_rows(item: ItemRow) -> Iterable[dict[str, object]]:
    about = item.model_dump(exclude={"arms", "options", "media", "needs", "about"})
    about["needs"] = "+".join(item.needs)
    for label, answer in item.arms.items():
        values = answer.model_dump(exclude={"dropped", "compute"})
        values |= _compute_columns(answer.compute and answer.compute.model_dump())
        yield {**about, "arm": label, **values, "dropped": "; ".join(answer.dropped)}


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: for_csv(value) if isinstance(value, str) else value
                for name, value in row.items()
            }
        )
    return out.getvalue()
