"""MUSIC-AVQA (GeWu-Lab): questions made from templates, one of 42 answers.

`type` and `templ_values` are JSON texts inside the JSON, the answer's key is spelled `anser`, and
some questions end in a full-width mark or spaces. (video_id, question_id) is unique in the updated
file; in the original one 55 keys come twice with different answers.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.sources.draft import (
    Draft,
    Reading,
    bad_file,
    cause_of,
    media_place,
    read_json,
)

__all__ = ["fill", "read"]

_WANTED: Final = "MUSIC-AVQA's data/json_update/avqa-test.json"
_SLOT: Final = re.compile(r"<[A-Za-z]+>")
_DATASET: Final = "MUSIC-AVQA"


def fill(template: str, values: Sequence[str]) -> str:
    """Return a question: slots filled from left to right, marks and spaces cleaned.

    Underscores of the values become spaces ("acoustic guitar").

    Raises:
        ValueError: there are more or fewer values than slots.
    """
    slots = _SLOT.findall(template)
    if len(slots) != len(values):
        raise ValueError(f"{len(slots)} slots for {len(values)} values in {template!r}")
    waiting = iter(values)
    text = _SLOT.sub(lambda _: next(waiting).replace("_", " "), template)
    text = " ".join(text.replace("\uff1f", "?").split())
    return re.sub(r"\s+([?.,])", r"\1", text)


def read(path: Path, licence: str) -> Reading:
    """Read the annotation file.

    Rows marked as deleted are left out. Of rows with the same key and answer the first is kept;
    rows with the same key and different answers are all left out, since none is known to be right.

    Raises:
        ConfigError: the file is not in this form; the message names the row.
    """
    rows = read_json(path, _WANTED)
    if not isinstance(rows, list) or not rows:
        raise bad_file(path, "is not a list of rows", _WANTED)
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    deleted = 0
    for number, row in enumerate(rows):
        try:
            if row.get("question_deleted"):
                deleted += 1
                continue
            groups[str(row["video_id"]), str(row["question_id"])].append(row)
        except (AttributeError, KeyError) as error:
            raise bad_file(path, f"row {number} has no {error}", _WANTED) from error
    notes = [f"{deleted} rows are marked as deleted and left out"] if deleted else []
    drafts = []
    for (video, question), group in groups.items():
        if len({row.get("anser") for row in group}) > 1:
            notes.append(f"video {video}, question {question}: answers differ; left out")
            continue
        try:
            drafts.append(_draft(video, question, group[0], licence))
        except (KeyError, ValueError, TypeError) as error:
            cause = f"video {video}, question {question}: {cause_of(error)}"
            raise bad_file(path, cause, _WANTED) from error
    return Reading(tuple(drafts), tuple(notes))


def _draft(video: str, question: str, row: Mapping[str, Any], licence: str) -> Draft:
    name = f"{video}.mp4"
    place = media_place("music_avqa", name)
    item = Item(
        id=f"music_avqa-{video}-{question}",
        column="music_avqa",
        category="Musical performances",
        question=fill(row["question_content"], json.loads(row["templ_values"])),
        answer=str(row["anser"]).replace("_", " "),
        video=place,
        source=Source(dataset=_DATASET, id=f"{video}/{question}", licence=licence),
        question_type=" ".join(json.loads(row["type"])),
    )
    return Draft(item, {place: name})
