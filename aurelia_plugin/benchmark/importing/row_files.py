"""Files of rows: JSON in several layouts, JSON lines, CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import JsonValue

from aurelia_plugin.benchmark.data.csv_rows import CSV_ENDINGS, csv_rows
from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.files.places import inside
from aurelia_plugin.files.regular import read_regular
from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.strict_json import parse_json, parse_object
from aurelia_plugin.files.text_lines import LineError, decoded, read_lines

__all__ = ["RawRow", "read_raw"]

_MOST_BYTES: Final = 256 * 2**20

_FORMS: Final = (
    "Name a .csv, .tsv, .jsonl or .json file in UTF-8, or a folder with such tables or with .json "
    "files."
)
"""What can be read, as the fix of an error."""


class RawRow(NamedTuple):
    """A row's fields as they stand, and its line (JSON lines, CSV) or entry (JSON), from 1."""

    number: int
    fields: Mapping[str, JsonValue]


def read_raw(path: Path, folder: Path | None, asked: Sequence[str]) -> list[RawRow]:
    """Return the rows of a .csv, .tsv, .jsonl or .json file.

    Args:
        path: the file.
        folder: out of which no link may lead, if it was found in one.
        asked: names of the field that tells one question from an object of several.

    Raises:
        ConfigError: it cannot be read; the message names the file and, where there is one, the row.
    """
    try:
        if folder is not None:
            inside(folder, path.relative_to(folder).as_posix())
        if path.suffix.lower() in CSV_ENDINGS:
            return [RawRow(row.line, dict(row.cells)) for row in csv_rows(path)]
        if path.suffix.lower() == ".jsonl":
            return list(_json_lines(path))
        return _json_rows(parse_json(decoded(1, read_regular(path, _MOST_BYTES))), asked)
    except LineError as error:
        fix = "Correct it there, and keep the file in UTF-8."
        raise ConfigError(f"{path}:{error.line}: {error.cause}", fix) from error
    except MediaError as error:
        raise ConfigError(f"{path}: {error.cause}", _FORMS) from error
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else shown(error)
        kind = "" if path.suffix.lower() == ".json" or isinstance(error, OSError) else " as JSON"
        raise ConfigError(f"{path}: cannot be read{kind}: {cause}", _FORMS) from error


def _json_lines(path: Path) -> Iterator[RawRow]:
    for line in read_lines(path):
        try:
            yield RawRow(line.number, parse_object(line.text))
        except ValueError as error:
            raise LineError(line.number, shown(error)) from error


def _json_rows(value: JsonValue, asked: Sequence[str]) -> list[RawRow]:
    """Return the rows of a list, of one row, of id -> row, or of one list under a name."""
    if isinstance(value, dict) and not any(name in value for name in asked):
        inner = list(value.values())
        if len(inner) == 1 and isinstance(inner[0], list):
            value = inner[0]
        else:
            value = [
                {"id": key, **row} if isinstance(row, dict) else row for key, row in value.items()
            ]
    value = [value] if isinstance(value, dict) else value
    if not isinstance(value, list):
        raise ValueError("is not a list of questions")
    rows = []
    for number, row in enumerate(value, start=1):
        if not isinstance(row, dict):
            raise ValueError(f"entry {number} is not a question but {shown(row, 60)}")
        rows.append(RawRow(number, row))
    return rows
