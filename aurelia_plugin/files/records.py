"""Frozen records, and what is wrong with a text that is none."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.strict_json import check_json

__all__ = ["Record", "parse_record", "problem_of"]

R = TypeVar("R", bound=BaseModel)


class Record(BaseModel):
    """A frozen record: unknown fields are refused, numbers are finite, fields have docstrings."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


def parse_record(form: type[R], content: bytes) -> R:
    """Return the record in a stored JSON file.

    Types are not converted (no text for a number, no `true` for 1), and a key stands once.

    Args:
        form: the record's class.
        content: the file's bytes, UTF-8.

    Raises:
        ValueError: it is no such record; `problem_of` says why in one line.
    """
    # The schema comes first: its parser ends at 200 levels and refuses lone surrogates.
    record = form.model_validate_json(content, strict=True)
    check_json(content)
    return record


def problem_of(error: Exception) -> str:
    """Return the first problem of a record that is none, with its field, or the error's text."""
    if not isinstance(error, ValidationError):
        return shown(str(error))
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return shown(f"{where}: {what}" if where else what)
