"""Check a benchmark's folder: every fault of its manifest and its media, and what it holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from tqdm import tqdm

from aurelia_plugin.benchmark.data.items import MANIFEST, Item
from aurelia_plugin.benchmark.data.media_faults import sound_fault, video_fault
from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.files.places import inside

__all__ = ["Fault", "Report", "check_folder"]


class Fault(NamedTuple):
    """Something wrong, and where: the manifest's line from 1, or 0 for the whole of it."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


@dataclass
class Report:
    """What a check found."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    columns: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    media: int = 0

    @property
    def good(self) -> bool:
        """Whether there are items and no faults."""
        return not self.faults and bool(self.columns)


class _Line(NamedTuple):
    number: int
    row: Mapping[str, Any]
    item: Item | None


def check_folder(folder: Path, *, media: bool = True) -> Report:
    """Check the manifest in the folder, and decode the media that it names.

    Args:
        media: whether files are looked at; without, only the manifest is checked.

    Raises:
        ConfigError: the folder holds no manifest that can be read.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: {error}",
            f"Name a folder with a {MANIFEST}: one JSON object per line, in UTF-8.",
        ) from error
    report = Report(folder)
    lines = list(_lines(path, text, report))
    if not lines:
        report.faults.append(Fault(path, 0, "holds no item"))
    _check_ids(path, lines, report)
    for line in lines:
        if line.item is not None:
            report.columns[line.item.column] += 1
            report.categories[line.item.category] += 1
            report.faults += [Fault(path, line.number, what) for what in _item_faults(line.item)]
    if media:
        _check_media(path, lines, report)
    report.faults.sort(key=lambda fault: fault.line)
    return report


def _lines(path: Path, text: str, report: Report) -> Iterator[_Line]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            report.faults.append(Fault(path, number, f"is not JSON: {error}"))
            continue
        if not isinstance(row, dict):
            report.faults.append(Fault(path, number, "is not a JSON object"))
            continue
        item = None
        try:
            item = Item.model_validate_json(line)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                where = ".".join(str(part) for part in problem["loc"])
                what = problem["msg"].removeprefix("Value error, ")
                report.faults.append(Fault(path, number, f"{where}: {what}" if where else what))
        yield _Line(number, row, item)


def _check_ids(path: Path, lines: Iterable[_Line], report: Report) -> None:
    first: dict[str, int] = {}
    for line in lines:
        name = line.row.get("id")
        if isinstance(name, str) and first.setdefault(name, line.number) != line.number:
            what = f"id {name!r} is that of line {first[name]} already"
            report.faults.append(Fault(path, line.number, what))


def _item_faults(item: Item) -> Iterator[str]:
    """Yield what is wrong with an item that is well formed."""
    if not item.media:
        yield "names no video and no audio"
    if not item.question.strip():
        yield "question is empty"
    if not item.answer.strip() and not item.references:
        yield "answer is empty"
    if item.options is not None:
        if len(item.options) < 2:
            yield f"has {len(item.options)} options; a choice needs two or more"
        if len({option.casefold().strip() for option in item.options}) < len(item.options):
            yield "two options are the same"
    if item.column == "dm_match":
        if item.options is None:
            yield "options: a dm_match item is a choice"
        if len(item.audios) < 2:
            yield f"audios: names {len(item.audios)} sounds; dm_match needs two or more"
        elif item.options is not None and len(item.options) != len(item.audios):
            yield f"has {len(item.options)} options for {len(item.audios)} sounds"


def _named_media(row: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield field, path and whether it must have sound, of a row that may have other faults."""
    separate = [row.get("audio"), *(row.get("audios") or ())]
    sounds = [path for path in separate if isinstance(path, str)]
    if isinstance(row.get("video"), str):
        yield "video", row["video"], not sounds
    for path in sounds:
        yield "audio", path, True


def _medium_fault(folder: Path, key: tuple[str, str, bool]) -> str | None:
    kind, name, heard = key
    try:
        file = inside(folder, name)
    except MediaError as error:
        return error.cause
    return video_fault(file, heard) if kind == "video" else sound_fault(file)


def _check_media(path: Path, lines: Iterable[_Line], report: Report) -> None:
    known: dict[tuple[str, str, bool], str | None] = {}
    for line in tqdm(list(lines), desc="checking media", unit="item"):
        try:
            named = list(_named_media(line.row))
        except TypeError:  # `audios` is no list, which the schema has reported
            continue
        for key in named:
            kind, name, _ = key
            # A path that leads out of the folder is reported by the schema, and not opened.
            if Path(name).is_absolute() or ".." in Path(name).parts:
                continue
            if key not in known:
                known[key] = _medium_fault(report.folder, key)
            if known[key] is not None:
                report.faults.append(Fault(path, line.number, f"{kind} {name}: {known[key]}"))
    report.media = len({name for _, name, _ in known})
