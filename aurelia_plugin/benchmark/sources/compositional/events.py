"""What made clips are put together from: clips of which one thing is known to be seen and heard."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from pydantic import JsonValue

from aurelia_plugin.benchmark.data.csv_rows import CSV_ENDINGS, csv_rows
from aurelia_plugin.benchmark.data.media_path import VIDEO_ENDINGS
from aurelia_plugin.benchmark.sources.compositional.captioned import event_of
from aurelia_plugin.benchmark.sources.draft import bad_file, parsed, read_json
from aurelia_plugin.benchmark.sources.music_avqa import read_questions
from aurelia_plugin.benchmark.sources.sole_instruments import sole_instruments
from aurelia_plugin.benchmark.sources.valor import Clip
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.text_lines import LineError

__all__ = ["MUSIC_AVQA", "OWN", "VALOR", "Event", "Events", "read_events"]

MUSIC_AVQA: Final = "MUSIC-AVQA"
VALOR: Final = "VALOR-32K"
OWN: Final = "own clips"

_WANTED: Final = (
    "MUSIC-AVQA's avqa-test.json, VALOR-32K's desc_test.json, a CSV file with the columns file and "
    "label, or a folder whose subfolders are named as the things that their clips show"
)
_LABELS: Final = (
    "Write a head with the columns file and label, and a line for each clip, such as "
    "dogs/rex.mp4,a dog."
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
    """Read the clips of an annotation file, or of a folder; its form says which one it is.

    Raises:
        ConfigError: it is none of those that are known.
    """
    if path.is_dir():
        return _sorted_by_label(path)
    return _labelled(path) if path.suffix.lower() in CSV_ENDINGS else _annotated(path)


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
    found: dict[str, Event] = {}
    try:
        for row in csv_rows(path):
            name, label = (" ".join(row.cells.get(key, "").split()) for key in ("file", "label"))
            if not name or not label:
                raise LineError(row.line, f"has no {'label' if name else 'file'}")
            if name in found:
                raise LineError(row.line, f"{shown(name)} comes twice")
            found[name] = _own(path, name, label)
    except LineError as error:
        raise ConfigError(f"{path}:{error.line}: {error.cause}", _LABELS) from error
    except OSError as error:
        raise bad_file(path, error.strerror or shown(str(error)), _WANTED) from error
    return Events(tuple(found.values()))


def _sorted_by_label(folder: Path) -> Events:
    """Return the clips of a folder's subfolders, whose names are the labels."""
    clips: list[Event] = []
    notes: list[str] = []
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() not in VIDEO_ENDINGS or not file.is_file():
            continue
        name = file.relative_to(folder).as_posix()
        if file.parent == folder:
            notes.append(f"{shown(name)}: lies in no subfolder that says what it is; left out")
        else:
            label = " ".join(name.partition("/")[0].replace("_", " ").split())
            clips.append(_own(folder, name, label))
    return Events(tuple(clips), tuple(notes))


def _own(path: Path, name: str, label: str) -> Event:
    if _SEPARATOR in name:
        raise ConfigError(f"{path}: {shown(name)!r} has a {_SEPARATOR}.", "Rename it.")
    return Event(name, label, name, OWN)


def _with_article(instrument: str) -> str:
    name = instrument.replace("_", " ")
    if name == "congas":
        return name
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"  # "a ukulele"
