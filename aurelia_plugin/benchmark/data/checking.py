"""Check a benchmark's folder: every fault of its manifest and its media, and what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails
from tqdm import tqdm

from aurelia_plugin.benchmark.data.items import MANIFEST, Item
from aurelia_plugin.benchmark.data.media_faults import sound_fault, video_fault
from aurelia_plugin.benchmark.data.media_path import is_below
from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.files.contents import FileMemory, content_digest
from aurelia_plugin.files.places import inside
from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.strict_json import parse_json
from aurelia_plugin.files.text_lines import LineError, read_lines

__all__ = ["Fault", "Report", "check_folder"]

_digests: Final = FileMemory[str]()


class Fault(NamedTuple):
    """Something wrong, and where: the manifest's line from 1, or 0 for the whole of it."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        place = f"{shown(self.path)}:{self.line}" if self.line else shown(self.path)
        return f"{place}: {self.what}"


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
    row: Mapping[str, JsonValue]
    item: Item | None


def check_folder(folder: Path, *, media: bool = True) -> Report:
    """Check the manifest in the folder, and decode the media that it names.

    Args:
        media: whether files are looked at; without, only the manifest is checked.

    Raises:
        ConfigError: the folder holds no manifest that can be read.
    """
    path = folder / MANIFEST
    report = Report(folder)
    lines = list(_lines(path, report))
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


def _lines(path: Path, report: Report) -> Iterator[_Line]:
    fix = f"Name a folder with a {MANIFEST}: one JSON object per line, in UTF-8."
    try:
        for number, text in read_lines(path):
            row, faults = _row(text)
            report.faults += [Fault(path, number, what) for what in faults]
            if row is not None:
                item, problems = _item(text)
                report.faults += [Fault(path, number, what) for what in problems]
                yield _Line(number, row, item)
    except LineError as error:
        raise ConfigError(f"{path}:{error.line}: {error.cause}", fix) from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}", fix) from error


def _row(text: str) -> tuple[Mapping[str, JsonValue] | None, list[str]]:
    try:
        value = parse_json(text)
    except ValueError as error:
        return None, [f"is not JSON: {shown(error)}"]
    return (value, []) if isinstance(value, dict) else (None, ["is not a JSON object"])


def _item(text: str) -> tuple[Item | None, list[str]]:
    try:
        return Item.model_validate_json(text), []
    except ValidationError as error:
        return None, [_problem(problem) for problem in error.errors(include_url=False)]


def _problem(problem: ErrorDetails) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    what = problem["msg"].removeprefix("Value error, ")
    return shown(f"{where}: {what}" if where else what)


def _check_ids(path: Path, lines: Iterable[_Line], report: Report) -> None:
    first: dict[str, int] = {}
    for line in lines:
        name = line.row.get("id")
        if isinstance(name, str) and first.setdefault(name, line.number) != line.number:
            what = f"id {shown(name)!r} is that of line {first[name]} already"
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
        yield from _option_faults(item.options)
    if item.column == "dm_match":
        yield from _candidate_faults(item)
    for name in sorted({name for name in item.audios if item.audios.count(name) > 1}):
        yield f"audios: {shown(name)} is named twice"


def _option_faults(options: Sequence[str]) -> Iterator[str]:
    texts = [text for option in options if (text := option.casefold().strip())]
    if len(options) < 2:
        yield f"has {len(options)} options; a choice needs two or more"
    elif len(texts) < 2:
        yield f"has {len(texts)} options with a text; a choice needs two or more"
    if len(set(texts)) < len(texts):
        yield "two options are the same"


def _candidate_faults(item: Item) -> Iterator[str]:
    if item.options is None:
        yield "options: a dm_match item is a choice"
    if len(item.audios) < 2:
        yield f"audios: names {len(item.audios)} sounds; dm_match needs two or more"
    elif item.options is not None and len(item.options) != len(item.audios):
        yield f"has {len(item.options)} options for {len(item.audios)} sounds"


class _Named(NamedTuple):
    """A medium that a row names, and whether it must have sound."""

    field: str
    path: str
    with_sound: bool


def _named_media(row: Mapping[str, JsonValue]) -> list[_Named]:
    """Return the media of a row that may have other faults."""
    audios = row.get("audios")
    separate = [row.get("audio"), *(audios if isinstance(audios, list) else ())]
    sounds = [path for path in separate if isinstance(path, str)]
    video = row.get("video")
    named = [_Named("video", video, not sounds)] if isinstance(video, str) else []
    return named + [_Named("audio", path, True) for path in sounds]


def _medium_fault(folder: Path, medium: _Named) -> str | None:
    try:
        file = inside(folder, medium.path)
    except MediaError as error:
        return error.cause
    if medium.field == "video":
        return video_fault(file, medium.with_sound)
    return sound_fault(file)


def _check_media(path: Path, lines: Iterable[_Line], report: Report) -> None:
    known: dict[_Named, str | None] = {}
    for line in tqdm(list(lines), desc="checking media", unit="item"):
        for medium in _named_media(line.row):
            # A path that leads out of the folder is reported by the schema, and not opened.
            if not is_below(medium.path):
                continue
            if medium not in known:
                known[medium] = _medium_fault(report.folder, medium)
            fault = known[medium]
            if fault is not None:
                what = f"{medium.field} {shown(medium.path)}: {fault}"
                report.faults.append(Fault(path, line.number, what))
        if line.item is not None:
            good = [p for p in line.item.audios if known.get(_Named("audio", p, True), "") is None]
            report.faults += [
                Fault(path, line.number, f"audios: {shown(one)} and {shown(other)} are one file")
                for one, other in _same_files(report.folder, list(dict.fromkeys(good)))
            ]
    report.media = len({medium.path for medium in known})


def _same_files(folder: Path, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of paths whose files have the same content, each with the first of them."""
    first: dict[str, str] = {}
    for path in paths:
        same = first.setdefault(_digests.get(folder / path, content_digest), path)
        if same != path:
            yield same, path
