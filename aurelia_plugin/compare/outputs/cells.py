"""Cells of tables: how figures are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aurelia_plugin.compare.result import Contrast, Figure, Interval

__all__ = [
    "COLUMN_TITLES",
    "NONE",
    "Section",
    "amount",
    "between",
    "money",
    "pvalue",
    "share",
    "signed",
    "slug",
    "span",
]

COLUMN_TITLES: Final = {
    "music_avqa": "Music-AVQA",
    "avsd": "AVSD",
    "captioning": "AV-Captioning",
    "compositional": "AV-Compositional",
    "geoiq": "AV-GeoIQ",
    "meme": "AV-Meme",
    "dm_match": "DM-Match",
    "custom": "Own data",
}
"""The paper's names of the columns."""

NONE: Final = "-"
"""Stands for what is not known or not defined."""


@dataclass(frozen=True)
class Section:
    """One table: `name` is fit for a file, the first column holds names, the others figures.

    Attributes:
        text: whether cells are texts of models, to be shown whole.
        least: columns that a narrow terminal goes without, the least important first.
    """

    name: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    text: bool = False
    least: tuple[str, ...] = ()


def share(value: float | None, digits: int = 1) -> str:
    """Return a fraction in percent."""
    return NONE if value is None else f"{100 * value:.{digits}f}"


def signed(value: float | None, digits: int = 1) -> str:
    """Return a difference in percent with its sign; zero has none."""
    if value is None:
        return NONE
    text = f"{100 * value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def span(interval: Interval | None, *, sign: bool = False) -> str:
    """Return an interval in percent."""
    if interval is None:
        return NONE
    one = signed if sign else share
    return f"{one(interval.low)} to {one(interval.high)}"


def between(one: Figure | Contrast) -> str:
    """Return the interval of a score or a gain, or why there is none."""
    if one.interval is None:
        return one.missing or NONE
    return span(one.interval, sign=isinstance(one, Contrast))


def pvalue(value: float | None) -> str:
    """Return a p value."""
    return NONE if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def amount(value: float | None, form: str = ",.0f") -> str:
    """Return a number that is no share."""
    return NONE if value is None else format(value, form)


def money(value: float | None) -> str:
    """Return US dollars."""
    return NONE if value is None else f"${value:,.4f}" if value < 1 else f"${value:,.2f}"


def slug(label: str) -> str:
    """Return a label as part of a file's name."""
    return "".join(char if char.isalnum() else "_" for char in label).strip("_")
