"""What a reader gives, and how annotation files are opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.sources.montage import Montage
from aurelia_plugin.benchmark.sources.selection import by_ids, by_seed
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.records import problem_of
from aurelia_plugin.files.regular import read_regular
from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.strict_json import parse_json
from aurelia_plugin.files.text_lines import decoded

__all__ = ["Draft", "Pool", "Reading", "bad_file", "media_place", "parsed", "unique_place"]

_MOST_BYTES: Final = 1024 * 2**20
_PLAIN_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.]*")
_PLAIN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_LONGEST: Final = 120


F = TypeVar("F", bound=BaseModel)


class Draft(NamedTuple):
    """An item whose media are still to be found.

    Attributes:
        item: with media paths as they will stand in the manifest.
        media: those paths -> the name of the file in the source, by which it is searched.
        montage: what the item's video is made from, where it is no file of the source.
    """

    item: Item
    media: dict[str, str]
    montage: Montage | None = None


class Pool(Protocol):
    """What a column's items can be chosen from."""

    @property
    def rows(self) -> int:
        """How many rows or clips of the source are usable."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""

    @property
    def has_shipped_rows(self) -> bool:
        """Whether the ids that this package ships are of these annotations."""

    def drawn(self, column: str, number: int | None, seed: int) -> list[Draft]:
        """Return `number` drafts (None: as many as there are), the same ones for a seed."""

    def named(self, ids: Sequence[str], what: str) -> list[Draft]:
        """Return the drafts with these ids, in their order.

        Raises:
            ConfigError: the annotations do not give some of them; `what` names the ids.
        """


@dataclass(frozen=True)
class Reading:
    """All usable rows of a source in the order of its files, and what was left out and why."""

    drafts: tuple[Draft, ...]
    notes: tuple[str, ...] = ()
    has_shipped_rows: bool = True

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.drafts)

    def drawn(self, column: str, number: int | None, seed: int) -> list[Draft]:
        """Return the drafts that the seed ranks first; see `selection.by_seed`."""
        return by_seed(self.drafts, column, number, seed)

    def named(self, ids: Sequence[str], what: str) -> list[Draft]:
        """Return the drafts with these ids; see `selection.by_ids`."""
        return by_ids(self.drafts, ids, what)


def bad_file(path: Path, cause: str, wanted: str) -> ConfigError:
    """Return the error for an annotation file that is not what it should be."""
    return ConfigError(f"{path}: {cause}", f"Name {wanted}.")


def read_json(path: Path, wanted: str) -> JsonValue:
    """Return the content of a JSON file.

    Raises:
        ConfigError: it cannot be read; `wanted` says what to name instead.
    """
    try:
        return parse_json(decoded(1, read_regular(path, _MOST_BYTES)))
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else None
        raise bad_file(path, cause or problem_of(error), wanted) from error


def parsed(form: type[F], value: JsonValue, path: Path, where: str, wanted: str) -> F:
    """Return a part of an annotation file in its form; fields that it does not name are skipped.

    Args:
        form: the part's class.
        value: the part.
        path: the file.
        where: which part it is.
        wanted: what to name instead, if it has another form.

    Raises:
        ConfigError: it has another form.
    """
    try:
        return form.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        lacks = f"'{shown(field)}'" if field else "fields"
        raise bad_file(path, f"{where} has no {lacks} ({first['msg']})", wanted) from error


def media_place(column: str, name: str) -> str:
    """Return where a source's file stands in the benchmark's folder."""
    return f"media/{column}/{Path(name).name}"


def unique_place(column: str, item: str, name: str) -> str:
    """Return where the file that an item calls `name` stands: a place of its own.

    The place tells the two of every other item and name, in file systems that take no heed of case
    or of how letters are composed, too: what is not plain in them is told by a digest.
    """
    plain = f"{item}-{name}"
    if _PLAIN_ID.fullmatch(item) and _PLAIN_NAME.fullmatch(name) and len(plain) <= _LONGEST:
        return f"media/{column}/{plain}"
    path = PurePosixPath(re.sub(r"[^A-Za-z0-9_.-]", "_", f"{item}-{PurePosixPath(name).name}"))
    suffix = path.suffix if len(path.suffix) <= 6 else ""
    stem = path.name[: len(path.name) - len(suffix)][-_LONGEST:].lstrip(".")
    digest = digest_of([item, name])[:12]
    return f"media/{column}/{stem}-{digest}{suffix}"
