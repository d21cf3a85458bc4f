"""What made clips are put together from: clips of which one thing is known to be seen and heard."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import JsonValue

from aurelia_plugin.benchmark.sources.compositional.captioned import event_of
from aurelia_plugin.benchmark.sources.draft import bad_file, parsed, read_json
from aurelia_plugin.benchmark.sources.music_avqa import read_questions
from aurelia_plugin.benchmark.sources.sole_instruments import sole_instruments
from aurelia_plugin.benchmark.sources.valor import Clip
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.shown import shown

__all__ = ["MUSIC_AVQA", "OWN", "VALOR", "Event", "Events", "read_events"]

MUSIC_AVQA: Final = "MUSIC-AVQA"
VALOR: Final = "VALOR-32K"
OWN: Final = "own clips"

_WANTED: Final = (
    "MUSIC-AVQA's avqa-test.json, VALOR-32K's desc_test.json, or a CSV file with the columns file "
    "and label"
)
_SEPARATOR: Final = "|"
"""Stands between the parts of an item's row id."""


class Event(NamedTuple):
    """A clip that shows and sounds one thing.

    Attributes:
        key: the clip's name in the data set, or its file.
        label: the thing, as it stands in a sentence, such as "a violin".
        file: by which the clip is searched.
        dataset: where it is from.
    """

    key: str
    label: str
    file: str
    dataset: str


class Events(NamedTuple):
    """The clips of one annotation file, in its order, and what was left out of it."""

    clips: tuple[Event, ...]
    notes: tuple[str, ...] = ()


def read_events(path: Path) -> Events:
    """Read the clips of an annotation file; its form says which one it is.

    Raises:
        ConfigError: it is none of the three, or holds too few things to tell apart.
    """
    events = _labelled(path) if path.suffix.lower() == ".csv" else _annotated(path)
    if len({event.label for event in events.clips}) < 2:
        cause = f"gives {len(events.clips)} clips of fewer than two things; two are needed"
        raise bad_file(path, cause, _WANTED)
    return events


def _annotated(path: Path) -> Events:
    rows = read_json(path, _WANTED)
    first = rows[0] if isinstance(rows, list) and rows else None
    if isinstance(first, dict) and "desc" in first:
        return _captioned(path, rows)
    if isinstance(first, dict) and "question_id" in first:
        questions, notes = read_questions(path)
        clips = tuple(
            Event(video, _with_article(instrument), f"{video}.mp4", MUSIC_AVQA)
            for video, instrument in sole_instruments(questions).items()
        )
        return Events(clips, notes)
    raise bad_file(path, "is in none of the forms that are known", _WANTED)


def _captioned(path: Path, rows: JsonValue) -> Events:
    found: dict[str, Event] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        clip = parsed(Clip, row, path, f"row {number}", _WANTED)
        label = event_of(clip.desc)
        if label is not None:
            event = Event(clip.video_id, label, f"{clip.video_id}.mp4", VALOR)
            found.setdefault(clip.video_id, event)
    return Events(tuple(found.values()))


def _labelled(path: Path) -> Events:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise bad_file(path, shown(str(error)), _WANTED) from error
    found: dict[str, Event] = {}
    for number, row in enumerate(rows, start=2):
        name, label = (" ".join((row.get(key) or "").split()) for key in ("file", "label"))
        where = f"line {number}"
        if not name or not label:
            raise bad_file(path, f"{where} has no {'label' if name else 'file'}", _WANTED)
        if _SEPARATOR in name:
            raise ConfigError(f"{path}: {where}: {shown(name)!r} has a {_SEPARATOR}.", "Rename it.")
        if name in found:
            raise bad_file(path, f"{where}: {shown(name)} comes twice", _WANTED)
        found[name] = Event(name, label, name, OWN)
    return Events(tuple(found.values()))


def _with_article(instrument: str) -> str:
    name = instrument.replace("_", " ")
    if name == "congas":
        return name
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"  # "a ukulele"
