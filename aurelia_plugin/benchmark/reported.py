"""The published figures, as data with their provenance. They are reported, never a target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import yaml
from pydantic import Field

from aurelia_plugin.files.records import Record

__all__ = ["Cell", "Misprint", "Published", "Reported", "Row", "reported"]


class Cell(Record):
    """Figures of one model in one column, in percent.

    Attributes:
        first: the first zero-shot figure; its meaning is not established.
        second: the second one, the baseline of the printed gain.
        with_aurelia: the figure with AURELIA.
        gain: the relative gain as printed.
        misprint: whether the printed gain does not follow from the figures.
    """

    first: float
    second: float
    with_aurelia: float | None = Field(default=None, alias="with")
    gain: float | None = None
    misprint: bool = False

    @property
    def computed_gain(self) -> float | None:
        """The relative gain over the second figure, in percent."""
        if self.with_aurelia is None:
            return None
        return 100 * (self.with_aurelia - self.second) / self.second


class Row(Record):
    """A model's row of the main table, both halves; sizes as printed."""

    model: str
    size: str | None
    size_with_aurelia: str | None = None
    closed: bool
    cells: Mapping[str, Cell]


class Misprint(Record):
    """A printed gain and what the printed figures give."""

    model: str
    column: str
    printed: float
    computed: float
    note: str = ""


class Published(Record):
    """Where figures were published, and what to know before using them."""

    title: str
    source: str
    notes: tuple[str, ...]
    misprints: tuple[Misprint, ...] = ()
    poster_misprints: tuple[Misprint, ...] = ()
    column: str | None = None
    figures: Mapping[str, float] = Field(default_factory=dict)


class Reported(Record):
    """Everything in `reported.yaml`."""

    paper: Published
    rows: tuple[Row, ...]
    av_odyssey: Published

    def row(self, model: str) -> Row | None:
        """Return a model's row, or None."""
        return next((row for row in self.rows if row.model == model), None)


@lru_cache(maxsize=1)
def reported() -> Reported:
    """Return the published figures."""
    text = (files("aurelia_plugin.benchmark") / "reported.yaml").read_text(encoding="utf-8")
    return Reported.model_validate(yaml.safe_load(text))
