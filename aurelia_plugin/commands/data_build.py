"""`aurelia data build`: rebuild `avreasonbench_public` from downloaded public sources."""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill, indent

from aurelia_plugin.commands.console import say, say_missing
from aurelia_plugin.commands.parser import Subcommands, whole_number

__all__ = ["add"]

_COLUMNS = (*("music_avqa", "avsd", "captioning", "compositional", "geoiq", "meme", "dm_match"),)


def add(parts: Subcommands) -> None:
    """Add the command to those of `aurelia data`."""
    build = parts.add_parser(
        "build",
        help="rebuild a column of avreasonbench_public from a source that you downloaded",
        description="Rebuild a column of avreasonbench_public. Name a column without files to see "
        "what to download. A build that was stopped goes on where it was.",
    )
    build.add_argument("column", choices=_COLUMNS)
    build.add_argument(
        "--annotations",
        type=Path,
        action="append",
        metavar="FILE",
        help="the source's file; compositional: MUSIC-AVQA's, VALOR-32K's, a CSV file with the "
        "columns file and label, or a folder of clips sorted by what they show, or several of them "
        "(the option again for each)",
    )
    build.add_argument(
        "--references", type=Path, metavar="FILE", help="avsd: the file with six references"
    )
    build.add_argument("--media", type=Path, metavar="FOLDER", help="where its media are searched")
    build.add_argument("--to", type=Path, metavar="FOLDER", help="default: in the user's cache")
    build.add_argument(
        "--number",
        type=whole_number(),
        metavar="N",
        help="rows to choose, 0 for all; default: the column's",
    )
    build.add_argument(
        "--seed", type=whole_number(), default=0, metavar="N", help="of the choice (default 0)"
    )
    build.add_argument("--ids", type=Path, metavar="FILE", help="row ids to take instead")
    build.add_argument(
        "--annotations-only",
        action="store_true",
        help="keep questions whose media are missing, to be filled in later",
    )
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from aurelia_plugin.benchmark.data.home import PUBLIC
    from aurelia_plugin.benchmark.data.items import MANIFEST
    from aurelia_plugin.benchmark.sources import SOURCES
    from aurelia_plugin.benchmark.sources.rebuilding import Recipe, build

    source = SOURCES[options.column]
    say(f"{options.column}: made from {source.name}")
    say(fill(f"licence: {source.licence}", 96, subsequent_indent="  "))
    if options.annotations is None:
        say(fill(f"to download: {source.where}", 96, subsequent_indent="  "))
        references = " --references FILE" if source.has_references else ""
        say(
            f"then: aurelia data build {options.column} --annotations FILE{references} "
            "--media FOLDER"
        )
        return 1
    folder = (options.to or PUBLIC.default_folder()).expanduser().absolute()
    recipe = Recipe(
        column=options.column,
        annotations=tuple(options.annotations),
        references=options.references,
        media=options.media,
        number=options.number,
        seed=options.seed,
        ids=options.ids,
        annotations_only=options.annotations_only,
    )
    built = build(recipe, folder)
    for note in built.notes[:20]:
        say(indent(note, "  "))
    if len(built.notes) > 20:
        say(f"  and {len(built.notes) - 20} more notes")
    say(
        f"{built.rows} rows in the source, {built.chosen} chosen, {built.items} in "
        f"{folder / MANIFEST}"
    )
    say(f"the rows' ids: {folder / 'row_ids' / (options.column + '.txt')}")
    if options.to is not None:
        say(f"to use it: export {PUBLIC.variable}={folder}")
    say_missing(built.missing, built.missing_list)
    return 1 if built.missing and not options.annotations_only else 0
