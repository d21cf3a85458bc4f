"""What is known of one board's data set: where it lies, how its rows read, how it scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.calling.thinking import spoken
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import problem_of

__all__ = ["BoardRow", "BoardSet", "Official", "parsed_rows", "without_thinking"]

Official = Callable[[str, str, Mapping[str, str]], bool | None]
"""Whether a reply is right by the board's own rule: of the reply, the right letter, and letter ->
text of the options. None where the rule leaves the question out of its figure."""


class BoardRow(BaseModel):
    """Base of a board's rows; fields that are not asked for are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class BoardSet(NamedTuple):
    """One board.

    Attributes:
        name: of its task, without `aurelia_`; the column in logs.
        title: as its authors write it; the items' data set.
        variable: the environment variable that names a local folder.
        annotations: the file with the questions, in the folder or at the hub.
        hub: the data set's id at the Hugging Face hub.
        archive: of the media, at the hub; empty where there is none, or none that is known.
        layout: where the media have to lie, in words.
        licence: of questions and media, in words.
        items: makes the items of the file's content.
        official: the board's own scoring.
        sounds: endings that turn a video's path, without its own ending, into that of its sound.
    """

    name: str
    title: str
    variable: str
    annotations: str
    hub: str
    archive: str
    layout: str
    licence: str
    items: Callable[[JsonValue], Iterator[Item]]
    official: Official
    sounds: Callable[[Path], Sequence[Path]]


R = TypeVar("R", bound=BoardRow)


def parsed_rows(title: str, form: type[R], content: JsonValue) -> Iterator[R]:
    """Yield the rows of a JSON list.

    Raises:
        ConfigError: it is no list, or a row has another form; names the row, from 1.
    """
    fix = f"Take the file as {title} publishes it."
    if not isinstance(content, list):
        raise ConfigError(f"{title}: the file with the questions is no list.", fix)
    for number, row in enumerate(content, start=1):
        try:
            yield form.model_validate(row)
        except ValueError as error:
            raise ConfigError(f"{title}: entry {number}: {problem_of(error)}", fix) from error


def without_thinking(reply: str) -> str:
    """Return a reply without its thinking; empty where that does not end. The rest stays whole."""
    said = spoken(reply)
    return "" if said.unclosed else said.text
