"""One benchmark item, and the JSON-lines manifests that hold them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from aurelia_plugin.errors import ConfigError

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "FREE_TEXT_COLUMNS",
    "Item",
    "Medium",
    "Source",
    "read_items",
    "write_items",
]

Medium = Literal["sound", "picture"]

COLUMNS = (
    "music_avqa",
    "avsd",
    "captioning",
    "compositional",
    "geoiq",
    "meme",
    "dm_match",
)

FREE_TEXT_COLUMNS = ("avsd", "captioning")

CATEGORIES = (
    "Country recognition",
    "Famous landmark",
    "Popular dish/food",
    "Currency",
    "Continent",
    "Flag specifics",
    "Popular dance form",
    "Geographical",
    "Language",
    "Commonsense reasoning",
    "Musical performances",
    "Dynamic scene",
    "Meme and humor",
    "Dance performances",
    "Indoor/kitchen scenarios",
    "Compositional",
    "Miscellaneous",
)


class Source(BaseModel):
    """Where an item was taken from: a data set and the row's id in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    id: str


class Item(BaseModel):
    """One question over one clip, with its gold answer.

    Media paths are relative to the folder of the manifest. With `options`, `answer` is the letter
    of the right one. `facts` maps an attribute of `aurelia_plugin.benchmark.vocabulary` to the
    value that a right answer states.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    column: str
    category: str
    question: str
    options: tuple[str, ...] | None = None
    answer: str
    references: tuple[str, ...] = ()
    video: str | None = None
    audio: str | None = None
    audios: tuple[str, ...] = ()
    source: Source
    reasoning_steps: tuple[str, ...] | None = None
    step_answers: tuple[str, ...] | None = None
    needs: tuple[Medium, ...] = ()
    facts: dict[str, str] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Item:
        if self.column not in COLUMNS:
            raise ValueError(f"column {self.column!r} is not one of {', '.join(COLUMNS)}")
        if self.category not in CATEGORIES:
            raise ValueError(f"category {self.category!r} is not one of {', '.join(CATEGORIES)}")
        if self.options is not None and self.answer not in self.letters:
            raise ValueError(f"answer {self.answer!r} is not one of {', '.join(self.letters)}")
        if self.step_answers is not None and len(self.step_answers) != len(
            self.reasoning_steps or ()
        ):
            raise ValueError("step_answers and reasoning_steps differ in length")
        return self

    @property
    def letters(self) -> tuple[str, ...]:
        """The option letters, `A` first; empty for an open question."""
        return tuple(chr(ord("A") + index) for index in range(len(self.options or ())))


def read_items(path: Path) -> Iterator[Item]:
    """Yield the items of a JSON-lines manifest, skipping blank lines.

    Raises:
        ConfigError: the file cannot be read, or a line is not an item; names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: {error}", "Name a manifest: one JSON object per line, in UTF-8."
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Item.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "line"
            raise ConfigError(
                f"{path}:{number}: {where}: {first['msg']}",
                f"Correct line {number} of the manifest.",
            ) from error


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Write a manifest: ASCII JSON, one item per line, replaced atomically."""
    # ASCII only: readers that split at U+2028 and its like then still see one item per line.
    text = "".join(json.dumps(item.model_dump(mode="json")) + "\n" for item in items)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="ascii")
    temporary.replace(path)
