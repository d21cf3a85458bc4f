"""`aurelia data import`: a benchmark's folder from what the official pipeline writes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.commands.console import say, say_missing
from aurelia_plugin.commands.parser import Subcommands
from aurelia_plugin.files.escaping import from_csv

if TYPE_CHECKING:
    from aurelia_plugin.benchmark.importing.rows import Row

__all__ = ["add"]


def add(parts: Subcommands) -> None:
    """Add the command to those of `aurelia data`."""
    command = parts.add_parser(
        "import",
        help="make a folder for AVREASONBENCH_HOME from JSON or CSV",
        description='Read what the official pipeline writes ({"query", "video_path", "audio_path", '
        '"reasoning_steps"}), as one file, a folder of JSON files, JSON lines or CSV. Fields that '
        "an item needs and that are not there are asked for with a form to fill in. Your own data "
        "need a folder of clips and a table: question, answer, file, and options if there are any.",
    )
    command.add_argument("source", type=Path, help="a .csv, .tsv, .jsonl, .json file, or a folder")
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    command.add_argument(
        "--media", type=Path, metavar="FOLDER", help="where media are searched; default: beside"
    )
    command.add_argument(
        "--column", help="of all questions that do not name theirs; own data: custom"
    )
    command.add_argument("--category", help="of all questions that do not name theirs")
    command.add_argument("--fill", type=Path, metavar="FILE", help="the form, filled in")
    command.add_argument(
        "--dataset", help="name kept as the source; default: AVReasonBench, or own data"
    )
    command.set_defaults(run=_import)


def _import(options: argparse.Namespace) -> int:
    from aurelia_plugin.benchmark.data.collecting import MediaFolder, collect
    from aurelia_plugin.benchmark.data.items import CUSTOM, MANIFEST, write_items
    from aurelia_plugin.benchmark.importing.drafts import (
        as_own_data,
        drafts_of,
        lost_options,
        read_rows,
    )
    from aurelia_plugin.benchmark.importing.soundtracks import without_soundtracks

    rows = read_rows(options.source)
    if options.fill is not None:
        known = {row.id: row for row in map(_plain, read_rows(options.fill))}
        rows = [row.filled(known.get(row.id)) for row in rows]
    given = any(row.column for row in rows) or options.column is not None
    rows = as_own_data([row.placed(options.column, options.category) for row in rows])
    if not given and rows[0].column:
        say("no question names a column: they are your own data (column custom)")
    folder = options.to.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if _asked(rows, folder, options):
        return 1
    beside = options.source if options.source.is_dir() else options.source.parent
    own = all(row.column == CUSTOM for row in rows)
    drafts = drafts_of(rows, options.dataset or ("own data" if own else "AVReasonBench"))
    collected = collect(drafts, folder, MediaFolder(options.media or beside), keep_incomplete=True)
    for row in filter(lost_options, rows):
        say(f"{row.place}: {row.answer} is taken as a word, since there are no options")
    kept = without_soundtracks(collected.items, folder)
    write_items(folder / MANIFEST, kept.items)
    if kept.left_out:
        say(f"{kept.left_out} sounds are the soundtracks of their videos and were left out")
    say(f"{len(kept.items)} items in {folder / MANIFEST}")
    _say_missing(collected.missing, rows, options.media or beside, folder / "missing.txt")
    say(f"next: aurelia data check {folder}")
    say("it ends with the command that runs the questions")
    return 1 if collected.missing else 0


def _say_missing(missing: Sequence[str], rows: Sequence[Row], media: Path, path: Path) -> None:
    """Name the media that are missing and the questions that want them; all names in a file."""
    if not missing:
        path.unlink(missing_ok=True)
        return
    path.write_text("".join(f"{name}\n" for name in missing), "utf-8")
    wanted = {name: row.place for row in rows for name in row.media}
    say_missing([f"{name} ({wanted[name]})" for name in missing], path)
    say(f"Put them below {media}, or name the folder that holds them: --media FOLDER")


_SHOWN = 5  # places of questions that lack a field


def _plain(row: Row) -> Row:
    """Return a row of the form without the apostrophes that keep its texts from being formulas."""
    texts = tuple(from_csv(text) for text in row.options.texts[:1]) + row.options.texts[1:]
    return replace(
        row,
        id=from_csv(row.id),
        question=from_csv(row.question),
        answer=from_csv(row.answer),
        column=from_csv(row.column),
        category=from_csv(row.category),
        options=row.options._replace(texts=texts),
    )


def _asked(rows: list[Row], folder: Path, options: argparse.Namespace) -> bool:
    """Say what is missing and write the form for it; whether there was anything."""
    from aurelia_plugin.benchmark.importing.drafts import missing_fields, write_form

    missing = missing_fields(rows)
    if not missing:
        return False
    form = folder / "to_fill_in.csv"
    write_form(form, rows)
    for name, count in missing.items():
        lacking = [row.place for row in rows if not getattr(row, name)][:_SHOWN]
        more = ", ..." if count > len(lacking) else ""
        places = f": {', '.join(lacking)}{more}" if count < len(rows) else ""
        say(f"{name} is missing in {count} of {len(rows)} questions{places}")
    if missing["question"] == len(rows):
        say("A table has to have the questions in a column that is called question.")
    if missing.keys() & {"column", "category"}:
        say("One column or category for all: --column NAME, --category NAME.")
        say("Own data, all with question and answer, need neither: they get the column custom.")
    say(
        f"Fill in {form}, then run: aurelia data import {options.source} --to {options.to} "
        f"--fill {form}"
    )
    return True
