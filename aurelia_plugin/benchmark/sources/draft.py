"""What a reader gives, and how annotation files are opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.errors import ConfigError

__all__ = ["Draft", "Reading", "bad_file", "cause_of", "media_place", "read_json"]


class Draft(NamedTuple):
    """An item whose media are still to be found.

    Attributes:
        item: with media paths as they will stand in the manifest.
        media: those paths -> the name of the file in the source, by which it is searched.
    """

    item: Item
    media: dict[str, str]


@dataclass(frozen=True)
class Reading:
    """All usable rows of a source in the order of its files, and what was left out and why."""

    drafts: tuple[Draft, ...]
    notes: tuple[str, ...] = ()


def bad_file(path: Path, cause: str, wanted: str) -> ConfigError:
    """Return the error for an annotation file that is not what it should be."""
    return ConfigError(f"{path}: {cause}", f"Name {wanted}.")


def cause_of(error: Exception) -> str:
    """Return the first problem of an item that is none, or the error's own text."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


def read_json(path: Path, wanted: str) -> Any:
    """Return the content of a JSON file.

    Raises:
        ConfigError: it cannot be read; `wanted` says what to name instead.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise bad_file(path, str(error), wanted) from error


def media_place(column: str, name: str) -> str:
    """Return where a source's file stands in the benchmark's folder."""
    return f"media/{column}/{Path(name).name}"
