"""AVSD of DSTC7 and DSTC8: the last question of a dialogue about a Charades video.

The last answer is hidden in the annotation file; a second file in the layout of COCO captions has
six references per dialogue. The dialogue so far is shown, the video's caption and summary are not
(as DSTC10 asks for).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.sources.draft import (
    Draft,
    Reading,
    bad_file,
    media_place,
    parsed,
    read_json,
)

__all__ = ["read"]

_WANTED: Final = "test_set4DSTC7-AVSD.json or test_set4DSTC8-AVSD.json"
_REFERENCES: Final = (
    "the reference file of the same challenge with --references "
    "(test_set4DSTC7-AVSD_multiref.json or test_set4DSTC8-AVSD_multiref.json)"
)


class _Turn(BaseModel):
    question: str
    answer: str


class _Dialog(BaseModel):
    image_id: str
    dialog: tuple[_Turn, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """`<image_id>_<index of the last turn>`."""
        return f"{self.image_id}_{len(self.dialog) - 1}"


class _Image(BaseModel):
    id: int | str
    name: str


class _Annotation(BaseModel):
    image_id: int | str
    caption: str


class _Captions(BaseModel):
    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...]


def read(path: Path, references: Path, licence: str) -> Reading:
    """Read a challenge's test set and its references.

    Raises:
        ConfigError: a file is not in this form, or the two do not belong together.
    """
    content = read_json(path, _WANTED)
    rows = content.get("dialogs") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise bad_file(path, "holds no dialogs", _WANTED)
    dialogs = [
        parsed(_Dialog, row, path, f"dialog {number}", _WANTED) for number, row in enumerate(rows)
    ]
    captions = _captions(references)
    names = [dialog.name for dialog in dialogs]
    missing = [name for name in names if name not in captions]
    if missing:
        cause = f"has no reference for {len(missing)} dialogs of {path}, first for {missing[0]}"
        raise bad_file(references, cause, _REFERENCES)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise bad_file(path, f"holds dialog {twice[0]} twice", _WANTED)
    return Reading(tuple(_draft(dialog, captions[dialog.name], licence) for dialog in dialogs))


def _captions(path: Path) -> dict[str, list[str]]:
    """Return image name -> references."""
    value = read_json(path, _REFERENCES)
    what = "is not in the layout of COCO captions:"
    content = parsed(_Captions, value, path, what, _REFERENCES)
    names = {image.id: image.name for image in content.images}
    found: dict[str, list[str]] = defaultdict(list)
    for annotation in content.annotations:
        if annotation.image_id not in names:
            raise bad_file(path, f"holds no image {annotation.image_id}", _REFERENCES)
        found[names[annotation.image_id]].append(annotation.caption)
    return found


def _turns(dialog: Sequence[_Turn]) -> str:
    *before, last = dialog
    lines = [f"Q: {turn.question}\nA: {turn.answer}" for turn in before]
    head = ["The dialogue about the video so far:", *lines] if lines else []
    return "\n".join([*head, f"Question: {last.question}"])


def _draft(dialog: _Dialog, captions: Sequence[str], licence: str) -> Draft:
    file = f"{dialog.image_id}.mp4"
    place = media_place("avsd", file)
    item = Item(
        id=f"avsd-{dialog.name}",
        column="avsd",
        category="Dynamic scene",
        question=_turns(dialog.dialog),
        answer=captions[0],
        references=tuple(captions),
        video=place,
        source=Source(dataset="AVSD", id=dialog.name, licence=licence),
    )
    return Draft(item, {place: file})
