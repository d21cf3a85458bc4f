"""What the YAML files call: one document is one item of a manifest."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.benchmark.metrics import score_item
from aurelia_plugin.benchmark.schema import Item
from aurelia_plugin.benchmark.synthetic.build import chosen_folder
from aurelia_plugin.benchmark.table import item_of_row
from aurelia_plugin.benchmark.vocabulary import VOCABULARY

__all__ = [
    "doc_to_messages",
    "doc_to_target",
    "doc_to_text",
    "doc_to_visual",
    "process_results",
]

Doc = dict[str, Any]

_FREE_TEXT = "Answer in one sentence. End with one line: Answer: <sentence>"


def _instruction(item: Item) -> str:
    if item.options is not None:
        return "End with one line: Answer: <letter>"
    if len(item.facts) != 1:
        return _FREE_TEXT
    (attribute,) = item.facts
    words = VOCABULARY[attribute]
    if attribute in ("number", "presence", "place", "sound"):
        return f"End with one line: Answer: <{', '.join(words)}>"
    return "End with one line: Answer: <name>"


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: dict[str, Any] | None = None) -> str:
    """Return the question, its options if any, and the form of the answer."""
    item = item_of_row(doc)
    lines = [item.question]
    lines += [
        f"{letter}. {text}" for letter, text in zip(item.letters, item.options or (), strict=True)
    ]
    return "\n".join([*lines, _instruction(item)])


def doc_to_visual(doc: Doc) -> list[str]:
    """Return the absolute paths of the video and of all separate sounds, in order."""
    item = item_of_row(doc)
    folder = chosen_folder()
    media = [item.video, item.audio, *item.audios]
    return [str(folder / path) for path in media if path is not None]


def doc_to_messages(
    doc: Doc, lmms_eval_specific_kwargs: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return one user turn: the video, each numbered sound after its name, the question."""
    item = item_of_row(doc)
    folder = chosen_folder()
    content: list[dict[str, str]] = []
    if item.video is not None:
        content.append({"type": "video", "url": str(folder / item.video)})
    if item.audio is not None:
        content.append({"type": "audio", "url": str(folder / item.audio)})
    for number, path in enumerate(item.audios, start=1):
        content.append({"type": "text", "text": f"Audio {number}:"})
        content.append({"type": "audio", "url": str(folder / path)})
    content.append({"type": "text", "text": doc_to_text(doc, lmms_eval_specific_kwargs)})
    return [{"role": "user", "content": content}]


def doc_to_target(doc: Doc) -> str:
    """Return the gold answer."""
    return item_of_row(doc).answer


def process_results(doc: Doc, results: list[str]) -> dict[str, float]:
    """Score the reply; the keys are those of `metrics.score_item`."""
    return score_item(item_of_row(doc), results[0])
