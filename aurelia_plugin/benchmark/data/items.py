"""One benchmark item, and the JSON-lines manifests that hold them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from aurelia_plugin.errors import ConfigError

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "FREE_TEXT_COLUMNS",
    "MANIFEST",
    "Item",
    "Medium",
    "ReasoningSource",
    "Source",
    "item_schema",
    "read_items",
    "write_items",
]

Medium = Literal["sound", "picture"]

MANIFEST = "manifest.jsonl"
"""Name of the manifest in a benchmark's folder."""

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


def _inside(path: str) -> str:
    parts = PurePosixPath(path)
    windows = "\\" in path or path[1:2] == ":"
    if not path.strip() or windows or parts.is_absolute() or ".." in parts.parts:
        raise ValueError(
            f"{path!r} is not a path below the manifest's folder, written with forward slashes"
        )
    return path


MediaPath = Annotated[
    str, AfterValidator(_inside), Field(description="Relative to the folder of the manifest.")
]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Fields that only some sources have are left out where they say nothing.
        row: dict[str, Any] = handler(self)
        return {
            key: value
            for key, value in row.items()
            if value is not None or key not in ("licence", "question_type", "reasoning_source")
        }


class Source(_Row):
    """Where an item was taken from: a data set and the row's id in it."""

    dataset: str
    id: str
    licence: Annotated[
        str | None, Field(description="Terms of the annotation and of the media, in words.")
    ] = None


class ReasoningSource(_Row):
    """Which loop wrote an item's reasoning steps: `aurelia data annotate` fills it in."""

    score: Annotated[int, Field(ge=1, le=10, description="Of the caption of these steps.")]
    threshold: Annotated[int, Field(ge=1, le=10, description="From which a score is accepted.")]
    iterations: Annotated[int, Field(ge=1, description="Until the steps were accepted.")]
    trace: Annotated[str, Field(description="Key of the trace that holds the whole loop.")]
    reasoner: Annotated[str, Field(description="Identity of the model that wrote the steps.")]
    summarizer: str
    evaluator: Annotated[str, Field(description="Identity of the model that gave the score.")]
    prompts_digest: str


class Item(_Row):
    """One question over one clip, with its gold answer.

    Media paths are relative to the folder of the manifest. With `options`, `answer` is the letter
    of the right one. `facts` maps an attribute of `benchmark.synthetic.vocabulary` to the value
    that a right answer states. `question_type` is the source's own, such as
    "Audio-Visual Counting" in MUSIC-AVQA.
    """

    id: Annotated[str, Field(min_length=1, description="Unique in the manifest.")]
    column: Annotated[str, Field(json_schema_extra={"enum": list(COLUMNS)})]
    category: Annotated[str, Field(json_schema_extra={"enum": list(CATEGORIES)})]
    question: str
    options: Annotated[
        tuple[str, ...] | None, Field(description="Texts without letters; null if open.")
    ] = None
    answer: Annotated[str, Field(description="With options, the letter of the right one.")]
    references: Annotated[
        tuple[str, ...], Field(description="Other right answers, or reference sentences.")
    ] = ()
    video: MediaPath | None = None
    audio: MediaPath | None = None
    audios: Annotated[
        tuple[MediaPath, ...], Field(description="Several sounds, named Audio 1, Audio 2, ...")
    ] = ()
    source: Source
    reasoning_steps: tuple[str, ...] | None = None
    step_answers: tuple[str, ...] | None = None
    reasoning_source: Annotated[
        ReasoningSource | None,
        Field(description="Where the reasoning steps are from, if agents wrote them."),
    ] = None
    needs: tuple[Medium, ...] = ()
    facts: dict[str, str] = {}
    question_type: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Item:
        problems = []
        if self.column not in COLUMNS:
            problems.append(f"column {self.column!r} is not one of {', '.join(COLUMNS)}")
        if self.category not in CATEGORIES:
            problems.append(f"category {self.category!r} is not one of {', '.join(CATEGORIES)}")
        if self.options is not None and self.answer not in self.letters:
            problems.append(f"answer {self.answer!r} is not one of {', '.join(self.letters)}")
        if self.step_answers is not None and len(self.step_answers) != len(
            self.reasoning_steps or ()
        ):
            problems.append("step_answers and reasoning_steps differ in length")
        if self.reasoning_source is not None and not self.reasoning_steps:
            problems.append("reasoning_source stands without reasoning_steps")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def media(self) -> tuple[str, ...]:
        """The paths of the video and of all separate sounds, in order."""
        named = (self.video, self.audio, *self.audios)
        return tuple(path for path in named if path is not None)

    @property
    def cluster(self) -> str:
        """What questions about the same clip share: its first medium, else the item's own id."""
        return next(iter(self.media), self.id)

    @property
    def letters(self) -> tuple[str, ...]:
        """The option letters, `A` first; empty for an open question."""
        return tuple(chr(ord("A") + index) for index in range(len(self.options or ())))


def item_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one line of a manifest."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Item.model_json_schema(mode="validation"),
        "title": "One line of an AVReasonBench manifest",
    }


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
