"""VALOR-32K: one sentence about what is seen and heard in ten seconds of an AudioSet video."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.sources.draft import (
    Draft,
    Reading,
    bad_file,
    media_place,
    parsed,
    read_json,
)

__all__ = ["Clip", "ClipId", "clip_id", "read"]

_WANTED: Final = "VALOR-32K's desc_test.json (a list of video_id and desc)"
_ID: Final = re.compile(r"(?P<video>.{11})_(?P<start>\d+\.\d{3})_(?P<end>\d+\.\d{3})", re.DOTALL)
_QUESTION: Final = "Describe what is seen and heard in the video."
# The paper counts VALOR among "Indoor/kitchen scenarios" and "Miscellaneous" without a rule.
_INDOOR: Final = re.compile(
    r"\b(?:indoors?|kitchen|room|bedroom|bathroom|house|home|table|stove|oven|pan|pot|sink|"
    r"cook(?:s|ing)?|fry(?:ing)?|sofa|couch|bed|desk|floor)\b",
    re.IGNORECASE,
)


class ClipId(NamedTuple):
    """YouTube id, and start and end in seconds."""

    video: str
    start: float
    end: float


class Clip(BaseModel):
    """A row: a clip and what is seen and heard in it."""

    video_id: str
    desc: str


def clip_id(text: str) -> ClipId:
    """Return the parts of `youtube_start_end`; the YouTube id may itself hold underscores.

    Raises:
        ValueError: the text is not of this form, or the clip is empty.
    """
    match = _ID.fullmatch(text)
    if match is None or float(match["end"]) <= float(match["start"]):
        raise ValueError(f"{text!r} is not <11 characters>_<start>_<end>")
    return ClipId(match["video"], float(match["start"]), float(match["end"]))


def read(path: Path, licence: str) -> Reading:
    """Read the descriptions; a second row of the same clip is left out.

    Raises:
        ConfigError: the file is not in this form; the message names the row.
    """
    rows = read_json(path, _WANTED)
    if not isinstance(rows, list) or not rows:
        raise bad_file(path, "is not a list of rows", _WANTED)
    drafts: dict[str, Draft] = {}
    notes = []
    for number, row in enumerate(rows):
        clip = parsed(Clip, row, path, f"row {number}", _WANTED)
        try:
            name, description = clip.video_id, " ".join(clip.desc.split())
            clip_id(name)
        except ValueError as error:
            raise bad_file(path, f"row {number}: {error}", _WANTED) from error
        if not description:
            notes.append(f"{name}: has no description; left out")
        elif name in drafts:
            notes.append(f"{name}: comes twice; the first is kept")
        else:
            drafts[name] = _draft(name, description, licence)
    return Reading(tuple(drafts.values()), tuple(notes))


def _draft(name: str, description: str, licence: str) -> Draft:
    file = f"{name}.mp4"
    place = media_place("captioning", file)
    indoor = _INDOOR.search(description) is not None
    item = Item(
        id=f"captioning-{name}",
        column="captioning",
        category="Indoor/kitchen scenarios" if indoor else "Miscellaneous",
        question=_QUESTION,
        answer=description,
        references=(description,),
        video=place,
        source=Source(dataset="VALOR-32K", id=name, licence=licence),
    )
    return Draft(item, {place: file})
