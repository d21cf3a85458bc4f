"""The public columns, built by the command line from stand-in clips, and measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.benchmark.sources.compositional.events import read_events
from aurelia_plugin.cli import main
from aurelia_plugin.errors import AureliaError
from full_size.measuring import Span, spans_of, true_option
from full_size.numbered import make_clip

__all__ = ["Measured", "build", "items_of", "make_stand_ins", "measure"]

_NUMBERS = "numbers.txt"


class Measured(NamedTuple):
    """What the media say of made items.

    Attributes:
        right: items per arrangement whose media bear out the gold answer and nothing else.
        wrong: what is wrong with each of the others.
    """

    right: Counter[str]
    wrong: list[str]


def build(column: str, annotations: Sequence[Path], to: Path, *more: str) -> int:
    """Run `aurelia data build` and return its exit status."""
    files = [word for path in annotations for word in ("--annotations", str(path))]
    return main(["data", "build", column, *files, "--to", str(to), *more])


def make_stand_ins(missing: Path, clips: Path, seconds: float) -> int:
    """Make a numbered clip for each name of a list of missing media; return how many there are.

    Clips that are there stay. A clip's number is kept beside them; MUSIC-AVQA's and VALOR's have
    folders of their own, as users have them.
    """
    names = missing.read_text(encoding="utf-8").split() if missing.is_file() else []
    known = _numbers(clips)
    for name in names:
        number = known.setdefault(name, len(known))
        folder = clips / ("MUSIC-AVQA-videos-Real" if name[:-4].isdigit() else "VALOR-32K-videos")
        if not (folder / name).is_file():
            make_clip(folder / name, number, seconds)
    clips.mkdir(parents=True, exist_ok=True)
    (clips / _NUMBERS).write_text("".join(f"{name}\n" for name in known), encoding="utf-8")
    return len(names)


def _numbers(clips: Path) -> dict[str, int]:
    path = clips / _NUMBERS
    names = path.read_text(encoding="utf-8").split() if path.is_file() else []
    return {name: number for number, name in enumerate(names)}


def items_of(home: Path, column: str) -> list[Item]:
    """Return the items of one column of a benchmark's folder."""
    return [item for item in read_items(home / MANIFEST) if item.column == column]


def measure(home: Path, clips: Path, annotations: Sequence[Path]) -> Measured:
    """Measure every made clip, and compare the one option that is true with the gold answer."""
    numbers = _numbers(clips)
    labels = {
        numbers[event.file]: event.label
        for path in annotations
        for event in read_events(path).clips
        if event.file in numbers
    }
    result = Measured(Counter(), [])
    for item in items_of(home, "compositional"):
        fault = _fault(item, home, labels)
        if fault is None:
            result.right["/".join(item.source.id.split("|")[:2])] += 1
        else:
            result.wrong.append(f"{item.source.id}: {fault}")
    return result


def _fault(item: Item, home: Path, labels: dict[int, str]) -> str | None:
    assert item.options is not None
    assert item.video is not None
    try:
        spans: tuple[Span, ...] = spans_of(home / item.video)
    except (AureliaError, ValueError) as error:
        return str(error)
    true = true_option(item, spans, labels)
    gold = item.options[item.letters.index(item.answer)]
    return None if true == gold else f"measured {true!r} in {spans}, the gold is {gold!r}"
