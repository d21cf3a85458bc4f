"""Writing the page: its files, and the comparison as data that it can load from disk.

A page that is opened from disk may not fetch anything, so data are scripts that hand over JSON as
one string; the questions' details come in parts that are loaded when they are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from aurelia_plugin.compare.outputs.page.clips import ClipFiles, PageClips
from aurelia_plugin.compare.outputs.page.details import TraceDetails
from aurelia_plugin.compare.outputs.plots import Plot
from aurelia_plugin.compare.result import ArmAnswer, Comparison, ItemRow
from aurelia_plugin.files.atomic import write_atomically

__all__ = ["PART", "write_page"]

PART: Final = 50
"""Questions of which one file holds the details."""

_ASSETS: Final = (
    *("boot.js", "dom.js", "differences.js", "summary.js", "table.js"),
    *("timeline.js", "question.js", "app.js"),
)
_SEARCHED: Final = 300  # characters of each answer that the text search sees


def write_page(
    comparison: Comparison,
    folder: Path,
    *,
    title: str = "",
    plots: Sequence[Plot] = (),
    media: ClipFiles = "link",
    thumbnails: bool = True,
    provenance: Mapping[str, object] | None = None,
    say: Callable[[str], object] = lambda text: None,
) -> Path:
    """Write `index.html` and the folder `page` beside it, and return the page's path.

    Args:
        comparison: what is shown.
        title: what stands at the top; by default the target's name.
        plots: the plots in `folder/plots`.
        media: link the clips, copy them beside the page, or show none.
        thumbnails: whether strips of pictures and outlines of sounds are drawn.
        provenance: what a study wrote to repeat it.
        say: is told how far the media are.

    Raises:
        OSError: the folder cannot be written to.
    """
    _write_assets(folder)
    clips = PageClips(folder, media, thumbnails=thumbnails)
    traces = TraceDetails(comparison)
    thumbs: list[str | None] = []
    for start in range(0, len(comparison.items), PART):
        part = comparison.items[start : start + PART]
        clips.take(name for item in part for name in item.media)
        thumbs += [_thumb(clips, item) for item in part]
        details = [_detail(item, clips, traces) for item in part]
        _write_data(folder, f"details-{start // PART:04d}", details)
        if len(comparison.items) > PART:
            done = min(start + PART, len(comparison.items))
            say(f"page: {done} of {len(comparison.items)} questions")
    rows = [_row(item, thumb) for item, thumb in zip(comparison.items, thumbs, strict=True)]
    _write_data(folder, "rows", rows)
    _write_data(folder, "summary", _summary(comparison, title, plots, provenance))
    return folder / "index.html"


def _write_assets(folder: Path) -> None:
    assets = files("aurelia_plugin.compare.outputs.page") / "assets"
    write_atomically(folder / "index.html", (assets / "index.html").read_bytes())
    for name in (*_ASSETS, "page.css"):
        write_atomically(folder / "page" / name, (assets / name).read_bytes())


def _write_data(folder: Path, name: str, value: object) -> None:
    """Write one value as a script.

    The JSON is handed over as a string and parsed by the page: nothing in it can be code, and a
    key like `__proto__` is a key.
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    script = f"Aurelia.receive({json.dumps(name)},{json.dumps(text)});\n"
    write_atomically(folder / "page" / "data" / f"{name}.js", script.encode("ascii"))


def _summary(
    comparison: Comparison,
    title: str,
    plots: Sequence[Plot],
    provenance: Mapping[str, object] | None,
) -> dict[str, object]:
    whole = comparison.model_dump(mode="json", exclude={"items"})
    targets = list(dict.fromkeys(run.target for run in comparison.runs))
    return {
        **whole,
        "title": title or ", ".join(targets),
        "n": len(comparison.items),
        "part": PART,
        "plots": [plot._asdict() for plot in plots],
        "provenance": provenance,
    }


def _row(item: ItemRow, thumb: str | None) -> dict[str, object]:
    """Return what the table of questions needs; keys are short, for there may be thousands."""
    return {
        "i": item.id,
        "t": item.task,
        "c": item.column,
        "g": item.category,
        "a": item.answer_class,
        "q": item.question,
        "o": gold_text(item),
        "p": thumb,
        "m": {label: _arm_row(answer) for label, answer in item.arms.items()},
    }


def gold_text(item: ItemRow) -> str:
    """Return the right answer as people read it: a letter with its option's text."""
    place = ord(item.gold) - ord("A") if len(item.gold) == 1 else -1
    if item.options is None or not 0 <= place < len(item.options) or not item.options[place]:
        return item.gold
    return f"{item.gold}. {item.options[place]}"


def _arm_row(answer: ArmAnswer) -> list[object]:
    return [
        answer.right,
        answer.score,
        answer.change,
        answer.iterations,
        answer.best_score,
        answer.leak,
        bool(answer.unparsed),
        answer.failed,
        answer.answer[:_SEARCHED],
    ]


def _thumb(clips: PageClips, item: ItemRow) -> str | None:
    return next((strip for name in item.media if (strip := clips[name].strip) is not None), None)


def _detail(item: ItemRow, clips: PageClips, traces: TraceDetails) -> dict[str, Any]:
    known = traces.of(item)
    arms = {
        label: {**answer.model_dump(mode="json", exclude={"trace"}), **known["arms"][label]}
        for label, answer in item.arms.items()
    }
    return {
        "id": item.id,
        "task": item.task,
        "doc": item.doc_id,
        "needs": item.needs,
        "question": item.question,
        "gold": item.gold,
        "gold_text": gold_text(item),
        "options": item.options,
        "media": [clips[name].model_dump(mode="json") for name in item.media],
        "arms": arms,
        "traces": known["traces"],
    }
