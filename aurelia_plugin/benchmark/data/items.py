"""One benchmark item, and the JSON-lines manifests that hold them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from aurelia_plugin.benchmark.data.media_path import MediaPath
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.records import Record, problem_of
from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.storable import PLAIN, Plain
from aurelia_plugin.files.strict_json import check_json
from aurelia_plugin.files.text_lines import LineError, read_lines

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "CUSTOM",
    "FREE_TEXT_COLUMNS",
    "MANIFEST",
    "Item",
    "Medium",
    "OpenAnswer",
    "ReasoningSource",
    "Source",
    "StepLeak",
    "item_schema",
    "parse_item",
    "read_items",
    "write_items",
]

Medium = Literal["sound", "picture"]

StepLeak = Literal["leak", "clean", "unclear"]
"""Whether steps give the gold answer away; `unclear` where no rule can tell."""

OpenAnswer = Literal["phrase", "sentence", "number", "yes_no"]
"""What answers a question of the column `custom` that has no options."""

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

CUSTOM = "custom"
"""The column of data that are none of the paper's: any category, any kind of answer."""

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


_LEFT_OUT = frozenset(
    ("licence", "question_type", "answer_kind", "reasoning_source", "leak", "attempt")
)


class _Row(Record):
    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        # Fields that only some sources have are left out where they say nothing.
        row: dict[str, JsonValue] = handler(self)
        return {
            key: value for key, value in row.items() if value is not None or key not in _LEFT_OUT
        }


class Source(_Row):
    """Where an item was taken from: a data set and the row's id in it."""

    dataset: Plain
    id: Plain
    licence: Annotated[
        Plain | None, Field(description="Terms of the annotation and of the media, in words.")
    ] = None


class ReasoningSource(_Row):
    """Which loop wrote an item's reasoning steps: `aurelia data annotate` fills it in."""

    score: Annotated[int, Field(ge=1, le=10, description="Of the caption of these steps.")]
    threshold: Annotated[int, Field(ge=1, le=10, description="From which a score is accepted.")]
    iterations: Annotated[int, Field(ge=1, description="Until the steps were accepted.")]
    trace: Annotated[Plain, Field(description="Key of the trace that holds the whole loop.")]
    reasoner: Annotated[Plain, Field(description="Identity of the model that wrote the steps.")]
    summarizer: Plain
    evaluator: Annotated[Plain, Field(description="Identity of the model that gave the score.")]
    prompts_digest: Plain
    leak: Annotated[
        StepLeak | None, Field(description="Whether the steps give the answer away, by the rules.")
    ] = None
    attempt: Annotated[
        int | None, Field(ge=2, description="At which these steps were written, if not the first.")
    ] = None


class Item(_Row):
    """One question over one clip, with its gold answer.

    Media paths are relative to the folder of the manifest. With `options`, `answer` is the letter
    of the right one. `facts` maps an attribute of `benchmark.synthetic.vocabulary` to the value
    that a right answer states. `question_type` is the source's own, such as
    "Audio-Visual Counting" in MUSIC-AVQA. `answer_kind` is the form of an open answer of the
    column `custom`, a word or short phrase if it is not given.
    """

    id: Annotated[str, Field(min_length=1, description="Unique in the manifest."), PLAIN]
    column: Annotated[str, Field(json_schema_extra={"enum": [*COLUMNS, CUSTOM]})]
    category: Annotated[
        str,
        Field(
            min_length=1,
            description="One of the 17 in the examples; with column custom any text.",
            examples=list(CATEGORIES),
        ),
        PLAIN,
    ]
    question: Plain
    options: Annotated[
        tuple[Plain, ...] | None, Field(description="Texts without letters; null if open.")
    ] = None
    answer: Annotated[Plain, Field(description="With options, the letter of the right one.")]
    references: Annotated[
        tuple[Plain, ...], Field(description="Other right answers, or reference sentences.")
    ] = ()
    video: MediaPath | None = None
    audio: MediaPath | None = None
    audios: Annotated[
        tuple[MediaPath, ...], Field(description="Several sounds, named Audio 1, Audio 2, ...")
    ] = ()
    source: Source
    reasoning_steps: tuple[Plain, ...] | None = None
    step_answers: tuple[Plain, ...] | None = None
    reasoning_source: Annotated[
        ReasoningSource | None,
        Field(description="Where the reasoning steps are from, if agents wrote them."),
    ] = None
    needs: tuple[Medium, ...] = ()
    facts: dict[Plain, Plain] = Field({})
    question_type: Plain | None = None
    answer_kind: Annotated[
        OpenAnswer | None, Field(description="Of column custom, without options.")
    ] = None

    @model_validator(mode="after")
    def _consistent(self) -> Item:
        problems = []
        if self.column not in (*COLUMNS, CUSTOM):
            known = ", ".join((*COLUMNS, CUSTOM))
            problems.append(f"column {shown(self.column)!r} is not one of {known}")
        if self.category not in CATEGORIES and self.column != CUSTOM:
            problems.append(
                f"category {shown(self.category)!r} is not one of {', '.join(CATEGORIES)}"
            )
        if self.options is not None and self.answer not in self.letters:
            letters = ", ".join(self.letters)
            problems.append(f"answer {shown(self.answer)!r} is not one of {letters}")
        elif self.options and not self.options[self.letters.index(self.answer)].strip():
            problems.append(f"answer {self.answer} is an option without text")
        if self.answer_kind is not None and (self.column != CUSTOM or self.options is not None):
            problems.append("answer_kind is of open questions of the column custom alone")
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
    def is_sentence(self) -> bool:
        """Whether a sentence answers it, which is compared with reference sentences."""
        return self.column in FREE_TEXT_COLUMNS or self.answer_kind == "sentence"

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


def item_schema() -> dict[str, JsonValue]:
    """Return the JSON Schema (draft 2020-12) of one line of a manifest."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Item.model_json_schema(mode="validation"),
        "title": "One line of an AVReasonBench manifest",
    }


def parse_item(line: str) -> Item:
    """Return the item of one line of a manifest.

    Raises:
        ValueError: it is none; a pydantic.ValidationError where it is JSON.
    """
    item = Item.model_validate_json(line)
    check_json(line)
    return item


def read_items(path: Path) -> Iterator[Item]:
    """Yield the items of a JSON-lines manifest, skipping blank lines.

    Raises:
        ConfigError: the file cannot be read, or a line is not an item; names file and line.
    """
    form = "Name a manifest: one JSON object per line, in UTF-8."
    try:
        for line in read_lines(path):
            yield _item(path, line.number, line.text)
    except LineError as error:
        raise ConfigError(f"{path}:{error.line}: {error.cause}", form) from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}", form) from error


def _item(path: Path, number: int, line: str) -> Item:
    try:
        return parse_item(line)
    except ValueError as error:
        raise ConfigError(
            f"{path}:{number}: {problem_of(error)}", f"Correct line {number} of the manifest."
        ) from error


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Write a manifest: ASCII JSON, one item per line, replaced atomically.

    Raises:
        OSError: it cannot be written.
    """
    # ASCII only: readers that split at U+2028 and its like then still see one item per line.
    text = "".join(json.dumps(item.model_dump(mode="json")) + "\n" for item in items)
    write_atomically(path, text.encode("ascii"))
