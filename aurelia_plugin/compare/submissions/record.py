"""One submission: a run of this package's tasks in one file, with all that its figures rest on."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.records import Record
from aurelia_plugin.files.storable import Storable

__all__ = ["Submission", "SubmittedItem", "SubmittedTask", "digest_of_submission", "text_digest"]

_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Word = Annotated[str, Field(max_length=2_000)]


def text_digest(question: str, gold: str) -> str:
    """Return the SHA-256 of a question's text, as the task asks it, and its gold answer."""
    return sha256("\0".join((question, gold)).encode("utf-8", "replace")).hexdigest()


class SubmittedTask(Record):
    """One task, as the harness recorded it: what scores a reply, and how answers are decoded."""

    name: _Word
    version: _Word | None
    metric: _Word
    parser: _Word
    generation: Mapping[str, JsonValue]
    n: int


class SubmittedItem(Record):
    """One question and what was answered.

    Attributes:
        text: digest of the question's text and gold answer.
        content: digest of clip and text, by the run's record; None where there is none.
        cluster: digest of the video's name, which other questions may share.
        answer: the reply in full.
        failed: `agents` or `target`, if one of them failed; such an answer is wrong.
        dropped: evidence that was not delivered.
    """

    id: _Word
    task: _Word
    column: _Word
    category: _Word
    text: _Hex
    content: str | None
    cluster: _Hex
    answer: Storable
    score: _Share
    unparsed: bool | None
    failed: _Word | None = None
    dropped: tuple[_Word, ...] = ()


class SubmittedFigure(Record):
    """A score and its 95% interval over a column, or over all (`name` is empty)."""

    name: _Word
    n: int
    score: _Share
    low: _Share | None
    high: _Share | None


class Submission(Record):
    """A run in one file.

    Attributes:
        name: what the board calls it.
        target: identity of the model that answered; `agents`: role to identity.
        settings: the plugin's, resolved, without names of folders.
        versions: of this package, the harness and the tasks.
        evidence: role to what was delivered, by the run's record.
        digest: SHA-256 of all other fields.
    """

    form: Literal["aurelia-submission"] = "aurelia-submission"
    form_version: Literal[1] = 1
    name: _Word
    url: _Word | None = None
    created: _Word
    benchmark: _Word
    target: _Word
    models: Mapping[str, tuple[_Word, ...]] = Field(default_factory=dict)
    condition: _Word | None
    media: _Word | None
    agents: Mapping[str, _Word] = Field(default_factory=dict)
    settings: Mapping[str, JsonValue] = Field(default_factory=dict)
    model_args: Mapping[str, _Word] = Field(default_factory=dict)
    prompts: Mapping[str, _Word] = Field(default_factory=dict)
    versions: Mapping[str, _Word] = Field(default_factory=dict)
    seeds: Mapping[str, _Word] = Field(default_factory=dict)
    evidence: Mapping[str, Mapping[str, JsonValue]] = Field(default_factory=dict)
    tasks: tuple[SubmittedTask, ...] = Field(min_length=1)
    figures: tuple[SubmittedFigure, ...]
    items: tuple[SubmittedItem, ...] = Field(min_length=1)
    digest: _Hex


def digest_of_submission(content: Mapping[str, JsonValue]) -> str:
    """Return the digest of a submission's other fields, given in their JSON form."""
    return digest_of({key: value for key, value in content.items() if key != "digest"})
