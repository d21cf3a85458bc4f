"""Rebuild a column of `avreasonbench_public` from the public source that the user downloaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aurelia_plugin.benchmark.data.collecting import Collected, MediaFolder, collect
from aurelia_plugin.benchmark.data.items import COLUMNS, MANIFEST, read_items, write_items
from aurelia_plugin.benchmark.sources import SOURCES, Draft, Pool
from aurelia_plugin.benchmark.sources.compositional.assembling import assemble
from aurelia_plugin.benchmark.sources.selection import (
    read_ids,
    shipped_ids,
    write_ids,
)
from aurelia_plugin.errors import ConfigError

__all__ = ["Built", "Recipe", "build"]


@dataclass(frozen=True)
class Recipe:
    """What to build from what.

    Attributes:
        column: one of `sources.SOURCES`.
        annotations: the source's file (or folder of parquet files); several where it has several.
        references: the second file of AVSD.
        media: the folder that is searched for the source's media; without, that of clips
            which are their own annotations.
        number: how many rows; 0 for all, None for the column's own number.
        seed: of the choice of rows.
        ids: a file with the ids of the rows, instead of number and seed.
        annotations_only: keep rows whose media are missing.
    """

    column: str
    annotations: tuple[Path, ...]
    references: Path | None = None
    media: Path | None = None
    number: int | None = None
    seed: int = 0
    ids: Path | None = None
    annotations_only: bool = False


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes:
        rows: usable rows of the source.
        chosen: how many of them were chosen.
        items: how many are in the manifest.
        missing: media that are missing, by the names that the source gives them.
        missing_list: the file with all of those names, if there are any.
        notes: what the reader left out, and why.
    """

    rows: int
    chosen: int
    items: int
    missing: tuple[str, ...]
    missing_list: Path | None
    notes: tuple[str, ...]


def build(recipe: Recipe, folder: Path) -> Built:
    """Build one column into the folder; items of other columns in its manifest stay.

    Raises:
        ConfigError: an annotation file is missing or of another form, ids are unknown, or the
            folder cannot be written.
    """
    source = SOURCES[recipe.column]
    pool = source.read(recipe.annotations, recipe.references)
    chosen, how = _choose(recipe, pool)
    searched = recipe.media
    if searched is None and source.made:
        searched = next((path for path in recipe.annotations if path.is_dir()), None)
    media = MediaFolder(searched) if searched is not None else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_ids(folder / "row_ids" / f"{recipe.column}.txt", chosen, how)
        collector = assemble if source.made else collect
        collected = collector(chosen, folder, media, keep_incomplete=recipe.annotations_only)
        _merge(folder, recipe.column, collected)
        missing_list = _write_missing(folder, recipe.column, collected.missing)
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written: {error}", "Name another folder with --to."
        ) from error
    return Built(
        rows=pool.rows,
        chosen=len(chosen),
        items=len(collected.items),
        missing=tuple(collected.missing),
        missing_list=missing_list,
        notes=(*pool.notes, *collected.faults),
    )


def _choose(recipe: Recipe, pool: Pool) -> tuple[list[Draft], str]:
    """Return the chosen drafts and, in words, how they were chosen."""
    made_from = " and ".join(f"{path.name} ({_digest(path)})" for path in recipe.annotations)
    if recipe.ids is not None:
        chosen = pool.named(read_ids(recipe.ids), str(recipe.ids))
        return chosen, f"{recipe.column}: {len(chosen)} rows of {made_from}, named by the user"
    shipped = shipped_ids(recipe.column) if pool.has_shipped_rows else None
    if shipped is not None and recipe.number is None and recipe.seed == 0:
        chosen = pool.named(shipped, "the shipped row ids")
        return chosen, f"{recipe.column}: the {len(chosen)} shipped rows of {made_from}"
    number = SOURCES[recipe.column].number if recipe.number is None else recipe.number or None
    chosen = pool.drawn(recipe.column, number, recipe.seed)
    if not chosen:
        own_clips = all(path.suffix.lower() != ".json" for path in recipe.annotations)
        raise ConfigError(
            f"{recipe.column}: no item can be made from {made_from}: of its rows {pool.rows} can "
            "be used, which is too few to choose right and wrong options from.",
            "Clips of at least two different things are needed."
            if SOURCES[recipe.column].made and own_clips
            else f"Name the complete annotation file: {SOURCES[recipe.column].where}",
        )
    return chosen, (
        f"{recipe.column}: {len(chosen)} items of {pool.rows} rows of {made_from}, "
        f"seed {recipe.seed}"
    )


def _digest(path: Path) -> str:
    if not path.is_file():
        return "folder"
    return f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _merge(folder: Path, column: str, collected: Collected) -> None:
    path = folder / MANIFEST
    others = [item for item in read_items(path) if item.column != column] if path.is_file() else []
    items = sorted((*others, *collected.items), key=lambda item: COLUMNS.index(item.column))
    write_items(path, items)


def _write_missing(folder: Path, column: str, missing: list[str]) -> Path | None:
    path = folder / f"missing_{column}.txt"
    if not missing:
        path.unlink(missing_ok=True)
        return None
    path.write_text("".join(f"{name}\n" for name in missing), encoding="utf-8")
    return path
