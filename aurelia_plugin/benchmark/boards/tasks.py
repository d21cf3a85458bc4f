"""The functions that the boards' YAML files name; a document is one item.

`lmms_eval_specific_kwargs` says which board it is, and how the sound is given: `separate`, as a
medium of its own beside the silent video, which every wrapper hears; or `soundtrack`, inside the
video, as models that interleave frames and sound were trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from aurelia_plugin.benchmark.boards.board_set import BoardSet
from aurelia_plugin.benchmark.boards.known import BOARD_SETS, by_title
from aurelia_plugin.benchmark.boards.places import board_folder
from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.data.table import item_of_row
from aurelia_plugin.benchmark.metric_lists import SCORES, Metric
from aurelia_plugin.benchmark.reading import options_of
from aurelia_plugin.benchmark.results import item_results
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.places import inside
from aurelia_plugin.media.audio import wav_file
from aurelia_plugin.media.containers.muting import without_soundtrack
from aurelia_plugin.media.medium import Media

__all__ = [
    "METRICS",
    "doc_to_messages",
    "doc_to_target",
    "doc_to_text",
    "doc_to_visual",
    "official_mean",
    "process_results",
]

Doc = dict[str, object]
Settings = Mapping[str, object]

_SOUNDS: Final = ("separate", "soundtrack")


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: Settings | None = None) -> str:
    """Return the question, its options with their letters, and the form of the answer."""
    item = item_of_row(doc)
    lines = [item.question]
    lines += [f"{letter}. {text}" for letter, text in options_of(item).items()]
    letters = ", ".join(item.letters[:-1])
    # A letter alone: the boards' own rules read the beginning of the reply, or all of it.
    return "\n".join(
        [*lines, f"Reply with one letter, {letters} or {item.letters[-1]}, and nothing else."]
    )


def doc_to_visual(doc: Doc, lmms_eval_specific_kwargs: Settings | None = None) -> list[str]:
    """Return the absolute paths of the video and, if it is given separately, of its sound.

    Raises:
        MediaError: the video is missing or cannot be read.
    """
    board, sound = _settings(lmms_eval_specific_kwargs)
    return [str(path) for path in _media(board, item_of_row(doc), sound)]


def doc_to_messages(
    doc: Doc, lmms_eval_specific_kwargs: Settings | None = None
) -> list[dict[str, object]]:
    """Return one user turn: the video, its sound if it is given separately, the question.

    Raises:
        MediaError: the video is missing or cannot be read.
    """
    paths = doc_to_visual(doc, lmms_eval_specific_kwargs)
    kinds = ("video", "audio")
    content = [{"type": kind, "url": path} for kind, path in zip(kinds, paths, strict=False)]
    content.append({"type": "text", "text": doc_to_text(doc, lmms_eval_specific_kwargs)})
    return [{"role": "user", "content": content}]


def doc_to_target(doc: Doc) -> str:
    """Return the letter of the right option."""
    return item_of_row(doc).answer


def process_results(doc: Doc, results: list[str]) -> dict[str, object]:
    """Score the reply: the keys of `results.item_results`, and `official` by the board's rule."""
    item = item_of_row(doc)
    board = by_title(item.source.dataset)
    right = board.official(results[0], item.answer, options_of(item))
    return {
        **item_results(item, results[0]),
        "column": board.name,
        "official": {"right": right, "video": item.cluster},
    }


def official_mean(values: Sequence[Mapping[str, object]]) -> float:
    """Return the share right of the questions that the board's own rule counts."""
    counted = [bool(value["right"]) for value in values if value["right"] is not None]
    return sum(counted) / len(counted) if counted else 0.0


METRICS: Final[list[Metric]] = [
    *SCORES,
    {"metric": "official", "aggregation": official_mean, "higher_is_better": True},
]


def _settings(settings: Settings | None) -> tuple[BoardSet, str]:
    name, sound = (str((settings or {}).get(key)) for key in ("board", "sound"))
    if name not in BOARD_SETS or sound not in _SOUNDS:
        raise ConfigError(
            f"lmms_eval_specific_kwargs: board={name}, sound={sound}: there is no such board or "
            "way of giving the sound.",
            f"Name a board ({', '.join(BOARD_SETS)}) and a way ({', '.join(_SOUNDS)}).",
        )
    return BOARD_SETS[name], sound


def _media(board: BoardSet, item: Item, sound: str) -> list[Path]:
    assert item.video is not None  # each board's items have one
    video = inside(board_folder(board), item.video)
    beside = next((path for path in board.sounds(video) if path.is_file()), None)
    if sound == "soundtrack":
        return [video]
    heard = beside or wav_file(Media.file("video", video))
    return [without_soundtrack(video), *([heard] if heard is not None else [])]
