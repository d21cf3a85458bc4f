"""The functions that the YAML files of all task groups name; a document is one item.

A group's `_template` says by `lmms_eval_specific_kwargs: {default: {benchmark: NAME}}` which
benchmark's folder holds its media.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from aurelia_plugin.benchmark.data.candidates import candidate_results
from aurelia_plugin.benchmark.data.documents import media_paths, question_text, user_turn
from aurelia_plugin.benchmark.data.home import AUTHORS, PUBLIC, Benchmark, require_item
from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.data.table import item_of_row
from aurelia_plugin.benchmark.judging import chosen_judge
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.benchmark.results import about, item_results
from aurelia_plugin.benchmark.synthetic.build import chosen_folder, require_media
from aurelia_plugin.errors import ConfigError

__all__ = [
    "doc_to_messages",
    "doc_to_target",
    "doc_to_text",
    "doc_to_visual",
    "process_candidate",
    "process_results",
    "process_scores",
]

Doc = dict[str, object]


class _Group(NamedTuple):
    """One group of tasks.

    Attributes:
        folder: returns where its media lie.
        benchmark: of real data, whose manifest may lack a split.
        own_sound: whether a video keeps its soundtrack beside separate sounds.
        make: makes the media of a question that are not there yet.
    """

    folder: Callable[[], Path]
    benchmark: Benchmark | None = None
    own_sound: bool = False
    make: Callable[[Item, Path], None] = lambda item, folder: None

    def media_of(self, item: Item) -> Path:
        """Return the folder with the media of a question, which are there then."""
        folder = self.folder()
        self.make(item, folder)
        return folder


_GROUPS: Final[Mapping[str, _Group]] = {
    AUTHORS.name: _Group(AUTHORS.folder, AUTHORS),
    PUBLIC.name: _Group(PUBLIC.folder, PUBLIC),
    "avreasonbench_mini": _Group(chosen_folder, own_sound=True, make=require_media),
}


def _group(settings: Mapping[str, object] | None) -> _Group:
    name = str((settings or {}).get("benchmark"))
    if name not in _GROUPS:
        raise ConfigError(
            f"lmms_eval_specific_kwargs: benchmark={name} is no benchmark of this package.",
            f"Name one of {', '.join(_GROUPS)} in the task's file.",
        )
    return _GROUPS[name]


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: Mapping[str, object] | None = None) -> str:
    """Return the question, its options if any, and the form of the answer.

    The harness calls it once when it loads a task, so faults are raised here: elsewhere it would
    try five times and hide the message.

    Raises:
        ConfigError: the manifest has no item for the task, or the judge cannot be used.
    """
    group = _group(lmms_eval_specific_kwargs)
    item = item_of_row(doc)
    if group.benchmark is not None:
        chosen_judge()
        item = require_item(group.benchmark, item)
    return question_text(item)


def doc_to_visual(
    doc: Doc, lmms_eval_specific_kwargs: Mapping[str, object] | None = None
) -> list[str]:
    """Return the absolute paths of the video and of all separate sounds, in order.

    Beside separate sounds a real video is given without its own: it would be heard twice, or give
    the answer away.

    Raises:
        MediaError: the video cannot be read.
    """
    group = _group(lmms_eval_specific_kwargs)
    item = item_of_row(doc)
    return media_paths(item, group.media_of(item), own_sound=group.own_sound)


def doc_to_messages(
    doc: Doc, lmms_eval_specific_kwargs: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """Return one user turn: the video, each numbered sound after its name, the question.

    The video is that of `doc_to_visual`.
    """
    group = _group(lmms_eval_specific_kwargs)
    item = item_of_row(doc)
    return user_turn(item, group.media_of(item), own_sound=group.own_sound)


def doc_to_target(doc: Doc) -> str:
    """Return the gold answer."""
    return item_of_row(doc).answer


def process_results(doc: Doc, results: list[str]) -> dict[str, Any]:
    """Score the reply; the keys are those of `results.item_results`."""
    return item_results(item_of_row(doc), results[0])


def process_scores(doc: Doc, results: list[str]) -> dict[str, Any]:
    """Score the reply without caption metrics and judge; the keys are those of `score_item`."""
    item = item_of_row(doc)
    return {**score_item(item, results[0]), **about(item)}


def process_candidate(doc: Doc, results: list[str]) -> dict[str, Any]:
    """Read the rating of one candidate sound of a DM-Match question."""
    return candidate_results(item_of_row(doc), results[0])
