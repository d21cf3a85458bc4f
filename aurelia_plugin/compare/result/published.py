"""Published figures that stand beside measured ones."""

from __future__ import annotations

from aurelia_plugin.files.records import Record

__all__ = [
    "BoardPlace",
    "BoardRow",
    "ReportedFigure",
]


class ReportedFigure(Record):
    """A published cell, in percent as printed. Reported, never a target."""

    model: str
    column: str
    zero_shot_first: float
    zero_shot_second: float
    with_aurelia: float | None
    printed_gain: float | None
    misprint: bool = False


class BoardRow(Record):
    """One line of a published board; `arm` is set for measured ones. Scores in percent."""

    rank: int
    model: str
    score: float
    arm: str | None = None
    note: str = ""


class BoardPlace(Record):
    """A published board with the measured rows in their places.

    Attributes:
        differs: what differs between the board's protocol and these runs (split, prompt, judge).
    """

    board: str
    title: str
    source: str
    dated: str
    metric: str
    rows: tuple[BoardRow, ...]
    differs: tuple[str, ...]
