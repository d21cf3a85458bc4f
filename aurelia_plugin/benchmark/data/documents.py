"""How an item is put to a model: the text, the media and the form of the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY
from aurelia_plugin.files.places import inside
from aurelia_plugin.media.containers.muting import without_soundtrack

__all__ = ["media_paths", "question_text", "user_turn"]

_FREE_TEXT: Final = "Answer in one sentence. End with one line: Answer: <sentence>"
_PHRASE: Final = "a word or a short phrase"
_CUSTOM: Final = {"number": "a number", "yes_no": "yes or no"}
_MUSIC_AVQA: Final = "End with one line: Answer: <a number, yes or no, a place, or an instrument>"


def _instruction(item: Item) -> str:
    if item.options is not None:
        return "End with one line: Answer: <letter>"
    if len(item.facts) == 1:
        (attribute,) = item.facts
        words = VOCABULARY[attribute]
        if attribute in ("number", "presence", "place", "sound"):
            return f"End with one line: Answer: <{', '.join(words)}>"
        return "End with one line: Answer: <name>"
    if item.is_sentence or item.facts:
        return _FREE_TEXT
    if item.column == "music_avqa":
        return _MUSIC_AVQA
    return f"End with one line: Answer: <{_CUSTOM.get(item.answer_kind or '', _PHRASE)}>"


def question_text(item: Item) -> str:
    """Return the question, its options if any, and the form of the answer."""
    lines = [item.question]
    lines += [
        f"{letter}. {text}"
        for letter, text in zip(item.letters, item.options or (), strict=True)
        if text.strip()  # a letter that the source gives no option
    ]
    return "\n".join([*lines, _instruction(item)])


def media_paths(item: Item, folder: Path, *, own_sound: bool = True) -> list[str]:
    """Return the absolute paths of the video and of all separate sounds, in order.

    Args:
        own_sound: whether the video keeps its soundtrack beside separate sounds.

    Raises:
        MediaError: a path leads out of the folder, or the video has to be read and cannot be.
    """
    paths = [inside(folder, path) for path in item.media]
    if item.video is not None and len(paths) > 1 and not own_sound:
        paths[0] = without_soundtrack(paths[0])
    return [str(path) for path in paths]


def user_turn(item: Item, folder: Path, *, own_sound: bool = True) -> list[dict[str, Any]]:
    """Return one user turn: the video, each numbered sound after its name, the question.

    Arguments and errors are those of `media_paths`.
    """
    paths = iter(media_paths(item, folder, own_sound=own_sound))
    content: list[dict[str, str]] = []
    if item.video is not None:
        content.append({"type": "video", "url": next(paths)})
    if item.audio is not None:
        content.append({"type": "audio", "url": next(paths)})
    for number, path in enumerate(paths, start=1):
        content.append({"type": "text", "text": f"Audio {number}:"})
        content.append({"type": "audio", "url": path})
    content.append({"type": "text", "text": question_text(item)})
    return [{"role": "user", "content": content}]
