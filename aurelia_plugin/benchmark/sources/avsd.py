"""AVSD of DSTC7 and DSTC8: the last question of a dialogue about a Charades video.

The last answer is hidden in the annotation file; a second file in the layout of COCO captions has
six references per dialogue. The dialogue so far is shown, the video's caption and summary are not
(as DSTC10 asks for).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.sources.draft import Draft, Reading, bad_file, media_place, read_json

__all__ = ["read"]

_WANTED: Final = "test_set4DSTC7-AVSD.json or test_set4DSTC8-AVSD.json"
_REFERENCES: Final = (
    "the reference file of the same challenge with --references "
    "(test_set4DSTC7-AVSD_multiref.json or test_set4DSTC8-AVSD_multiref.json)"
)


def read(path: Path, references: Path, licence: str) -> Reading:
    """Read a challenge's test set and its references.

    Raises:
        ConfigError: a file is not in this form, or the two do not belong together.
    """
    content = read_json(path, _WANTED)
    dialogs = content.get("dialogs") if isinstance(content, dict) else None
    if not isinstance(dialogs, list) or not dialogs:
        raise bad_file(path, "holds no dialogs", _WANTED)
    captions = _captions(references)
    names = [_name(path, number, dialog) for number, dialog in enumerate(dialogs)]
    missing = [name for name in names if name not in captions]
    if missing:
        cause = f"has no reference for {len(missing)} dialogs of {path}, first for {missing[0]}"
        raise bad_file(references, cause, _REFERENCES)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise bad_file(path, f"holds dialog {twice[0]} twice", _WANTED)
    pairs = zip(names, dialogs, strict=True)
    drafts = [_draft(name, dialog, captions[name], licence) for name, dialog in pairs]
    return Reading(tuple(drafts))


def _name(path: Path, number: int, dialog: Mapping[str, Any]) -> str:
    try:
        turns = dialog["dialog"]
        if not all({"question", "answer"} <= turn.keys() for turn in turns) or not turns:
            raise KeyError("dialog with questions and answers")
        return f"{dialog['image_id']}_{len(turns) - 1}"
    except (KeyError, TypeError, AttributeError) as error:
        raise bad_file(path, f"dialog {number} has no {error}", _WANTED) from error


def _captions(path: Path) -> dict[str, list[str]]:
    """Return image name -> references; a name is `<image_id>_<index of the last turn>`."""
    content = read_json(path, _REFERENCES)
    try:
        names = {image["id"]: image["name"] for image in content["images"]}
        found: dict[str, list[str]] = defaultdict(list)
        for annotation in content["annotations"]:
            found[names[annotation["image_id"]]].append(annotation["caption"])
    except (KeyError, TypeError) as error:
        raise bad_file(path, f"is not in the layout of COCO captions: {error}", _REFERENCES) from (
            error
        )
    return found


def _turns(dialog: Iterable[Mapping[str, str]]) -> str:
    *before, last = dialog
    lines = [f"Q: {turn['question']}\nA: {turn['answer']}" for turn in before]
    head = ["The dialogue about the video so far:", *lines] if lines else []
    return "\n".join([*head, f"Question: {last['question']}"])


def _draft(name: str, dialog: Mapping[str, Any], captions: list[str], licence: str) -> Draft:
    file = f"{dialog['image_id']}.mp4"
    place = media_place("avsd", file)
    item = Item(
        id=f"avsd-{name}",
        column="avsd",
        category="Dynamic scene",
        question=_turns(dialog["dialog"]),
        answer=captions[0],
        references=tuple(captions),
        video=place,
        source=Source(dataset="AVSD", id=name, licence=licence),
    )
    return Draft(item, {place: file})
