"""What people write of their own data: a table beside a folder of clips, and nothing else.

Questions that name no column are their authors' own, and go into the column `custom`; their
category may be any text, and the form of an open answer is that of the answer which they give.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from pydantic import JsonValue

from aurelia_plugin.benchmark.data.items import OpenAnswer
from aurelia_plugin.benchmark.data.media_path import SOUND_ENDINGS
from aurelia_plugin.benchmark.scoring.grammar.text import normalise

__all__ = ["UNCATEGORISED", "Clip", "clip_of", "open_answer", "option_cells"]

UNCATEGORISED: Final = "Uncategorised"
"""Category of questions of the column `custom` that name none."""

_CLIPS: Final = ("file", "filename", "file_name", "clip", "media")
_OPTION: Final = re.compile(r"(?:(?:option|choice)[ _-]?([A-Za-z])|([A-Z]))")
_SENTENCE: Final = 5  # words; what is longer is no name


class Clip(NamedTuple):
    """Name of a question's one medium: a video or a sound; the other is empty."""

    video: str = ""
    audio: str = ""


def clip_of(fields: Mapping[str, JsonValue]) -> Clip:
    """Return the medium of a row that says only `file` or `clip`, told by the name's ending."""
    for key in _CLIPS:
        name = fields.get(key)
        if isinstance(name, str) and name.strip():
            sound = PurePosixPath(name.strip()).suffix.lower() in SOUND_ENDINGS
            return Clip(audio=name.strip()) if sound else Clip(video=name.strip())
    return Clip()


def option_cells(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue] | None:
    """Return letter -> text of a table's columns A, B, ... or option_a, option_b, ...; else None.

    Empty cells at the end are no options: a table has as many columns as its longest row needs.

    Raises:
        ValueError: a single one of the columns has a text.
    """
    found: dict[str, JsonValue] = {}
    for key, value in fields.items():
        match = _OPTION.fullmatch(key.strip())
        if match is not None and value is not None:
            found[(match[1] or match[2]).upper()] = value
    if "A" not in found or "B" not in found:
        return None
    kept = {letter: text for letter, text in found.items() if str(text).strip()}
    if len(kept) == 1:
        raise ValueError(f"only {''.join(kept)} has a text; a choice needs two or more")
    return kept or None


def open_answer(answer: str) -> OpenAnswer | None:
    """Return what kind of answer it is; None for a word or a short phrase.

    Whoever writes a question says by its answer in what form it is to be answered. The kind stands
    in the manifest, so that nothing looks at the answer again when a reply is read.
    """
    words = normalise(answer)
    if words in ("yes", "no"):
        return "yes_no"
    if re.fullmatch(r"\d+", words):
        return "number"
    return "sentence" if len(answer.split()) > _SENTENCE else None
