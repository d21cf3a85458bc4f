"""Where a benchmark's manifest and media lie, and its manifest cut into the splits of the tasks."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.data.candidates import expanded
from aurelia_plugin.benchmark.data.items import (
    CATEGORIES,
    COLUMNS,
    CUSTOM,
    MANIFEST,
    Item,
    Source,
    read_items,
    write_items,
)
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.places import cache_dir

__all__ = ["AUTHORS", "PUBLIC", "Benchmark", "category_name", "dataset_kwargs", "require_item"]

_LAYOUT: Final = 2
"""Raised when the splits of a manifest, or the form of their files, change."""

_ABSENT: Final = "no item of this split is in the manifest"


class Benchmark(NamedTuple):
    """One of the two real benchmarks.

    Attributes:
        name: of its group of tasks.
        variable: the environment variable that names its folder.
        steps: what to do when there is no such folder; one line.
        columns: those that it can have.
    """

    name: str
    variable: str
    steps: str
    columns: tuple[str, ...]

    def folder(self) -> Path:
        """Return the folder, which holds a manifest.

        Raises:
            ConfigError: it is not set or holds no manifest; the last line gives the steps.
        """
        named = os.environ.get(self.variable, "").strip()
        if not named and self.name == PUBLIC.name:
            named = str(self.default_folder())
        if not named:
            raise ConfigError(f"{self.variable} is not set: {self.name} has no data.", self.steps)
        folder = Path(named).expanduser().resolve()
        if not (folder / MANIFEST).is_file():
            raise ConfigError(f"{folder}: holds no {MANIFEST} for {self.name}.", self.steps)
        return folder

    def default_folder(self) -> Path:
        """Return where `aurelia data` writes when it is not told."""
        return cache_dir() / self.name


AUTHORS: Final = Benchmark(
    "avreasonbench",
    "AVREASONBENCH_HOME",
    "1. Get the data from the authors (they have not published it), or take your own. 2. Run: "
    "aurelia data import WHAT_YOU_HAVE --to FOLDER. 3. Run: aurelia data check FOLDER. 4. Set: "
    "export AVREASONBENCH_HOME=FOLDER. Without data use avreasonbench_public or "
    "avreasonbench_mini.",
    (*COLUMNS, CUSTOM),
)
PUBLIC: Final = Benchmark(
    "avreasonbench_public",
    "AVREASONBENCH_PUBLIC_HOME",
    "1. Download a source (see: aurelia data build --help). 2. Run, for each column: aurelia data "
    "build COLUMN --annotations FILE --media FOLDER. 3. Run: aurelia data check. "
    "AVREASONBENCH_PUBLIC_HOME names the folder if it is not the default one.",
    ("music_avqa", "avsd", "captioning", "compositional", "geoiq", "meme", "dm_match"),
)


def category_name(category: str) -> str:
    """Return a category as it stands in the name of its task."""
    return re.sub(r"[^a-z0-9]+", "_", category.lower()).strip("_")


_CATEGORY_SPLITS: Final[Mapping[str, str]] = MappingProxyType(
    {f"category_{category_name(category)}": category for category in CATEGORIES}
)


def dataset_kwargs(benchmark: Benchmark) -> dict[str, object]:
    """Return what `datasets.load_dataset("json")` needs to load every split of the benchmark.

    The splits are the columns, `category_<name>` for each category, and `dm_match_per_candidate`.
    They are kept in the user's cache, named by the manifest's digest.

    Raises:
        ConfigError: there is no data, a line is not an item, or the cache cannot be written.
    """
    from aurelia_plugin.benchmark.data.table import item_features

    manifest = benchmark.folder() / MANIFEST
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]
    target = cache_dir() / "splits" / f"{benchmark.name}-v{_LAYOUT}-{digest}"
    splits = _splits(benchmark, read_items(manifest)) if not target.is_dir() else {}
    try:
        if splits:
            _write(target, splits)
        files = {path.stem: str(path) for path in sorted(target.glob("*.jsonl"))}
    except OSError as error:
        raise ConfigError(
            f"{target}: cannot be written: {error}",
            "Set AURELIA_CACHE to a folder that can be written and has space.",
        ) from error
    return {"data_files": files, "features": item_features()}


def _splits(benchmark: Benchmark, items: Iterable[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    categories = {category: split for split, category in _CATEGORY_SPLITS.items()}
    for item in items:
        found[item.column].append(item)
        if item.category in categories:  # a custom one has no task of its own
            found[categories[item.category]].append(item)
        if item.column == "dm_match":
            found["dm_match_per_candidate"] += expanded(item)
    names = (*benchmark.columns, *_CATEGORY_SPLITS, "dm_match_per_candidate")
    # `datasets` cannot hold an empty split: an absent one holds a row that only says so.
    return {name: found[name] or [_absent(name, found)] for name in names}


def _absent(name: str, found: Mapping[str, list[Item]]) -> Item:
    return Item(
        id="absent",
        column=COLUMNS[0],
        category=CATEGORIES[0],
        question="",
        answer="",
        references=tuple(split for split, items in found.items() if items),
        source=Source(dataset=_ABSENT, id=name),
    )


def _write(target: Path, splits: Mapping[str, list[Item]]) -> None:
    work = target.with_name(f".{target.name}-{os.getpid()}")
    work.mkdir(parents=True, exist_ok=True)
    for name, items in splits.items():
        write_items(work / f"{name}.jsonl", items)
    try:
        work.rename(target)
    except OSError:
        # Another process was faster; the name tells that its content is the same.
        if not target.is_dir():
            raise


def require_item(benchmark: Benchmark, item: Item) -> Item:
    """Return the item unchanged.

    Raises:
        ConfigError: it only stands for a split of which the manifest has no item.
    """
    if item.source.dataset != _ABSENT:
        return item
    there = [f"{benchmark.name}_{split}" for split in item.references]
    raise ConfigError(
        f"{benchmark.name}_{item.source.id}: {benchmark.folder() / MANIFEST} has no such item.",
        f"Add such items to the manifest, or choose from: --tasks {','.join(there)}",
    )
