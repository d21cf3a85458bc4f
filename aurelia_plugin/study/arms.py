"""How the arms of a study are written: a condition, a name, settings of its own, a media mode."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from aurelia_plugin.arguments import read_pairs, split_list
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record

__all__ = ["ARM_FORM", "ArmSpec", "read_arm", "read_arms"]

ARM_FORM: Final = "[NAME=]CONDITION[[KEY=VALUE,...]][@MEDIA]"
"""How an arm is written on one line."""

_WRITTEN: Final = re.compile(
    r"(?:(?P<name>[^=\[\]@]*)=)?(?P<condition>[^=\[\]@]+)(?:\[(?P<settings>.*)\])?(?:@(?P<media>.*))?",
    re.DOTALL,
)
_NAME: Final = re.compile(r"\w[\w.+-]{0,59}(?:@\w+)?")
"""A name is part of a path, and of `NAME=DIR` on command lines."""


class ArmSpec(Record):
    """One arm of a study, the same for all its targets.

    Attributes:
        name: unique in the study; by default the condition, with `@` and the media mode where that
            is given.
        condition: the setting `condition`.
        media: the setting `media`; None where it is not given.
        settings: settings and target options of this arm alone; they go before the study's.
    """

    name: str
    condition: str
    media: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether the name says all."""
        return not self.settings and self.name == _own_name(self.condition, self.media)

    def written(self) -> str | dict[str, Any]:
        """Return the arm as a study's YAML file has it."""
        if self.plain:
            return self.name
        media = {} if self.media is None else {"media": self.media}
        return {self.name: {"condition": self.condition, **media, **self.settings}}


def read_arms(values: object) -> object:
    """Return the arms of a list, of a mapping by name, or of one line; `ArmSpec`s stay.

    Raises:
        ConfigError: an entry is no arm.
    """
    if isinstance(values, str):
        values = split_list(values)
    if isinstance(values, Mapping):
        values = [{name: value} for name, value in values.items()]
    if not isinstance(values, (list, tuple)):
        return values  # pydantic says what is wrong
    return tuple(one if isinstance(one, ArmSpec) else read_arm(one) for one in values)


def read_arm(value: object) -> ArmSpec:
    """Return the arm of one line (`ARM_FORM`), or of a mapping of its name to what it is.

    Raises:
        ConfigError: it is written otherwise.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, Mapping) and len(value) == 1:
        name, about = next(iter(value.items()))
        return _from_mapping(str(name), about)
    raise _unreadable(value)


def _from_text(text: str) -> ArmSpec:
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise _unreadable(text)
    condition, media = match["condition"].strip(), match["media"]
    settings = read_pairs(split_list(match["settings"] or ""), f"arm {text}:")
    if settings and match["name"] is None:
        raise ConfigError(
            f"{text}: an arm with settings of its own needs a name.",
            f"Write NAME={text}: the name stands in tables, plots and folders.",
        )
    own = _own_name(condition, media)
    return _named(match["name"] if match["name"] is not None else own, condition, media, settings)


def _from_mapping(name: str, about: object) -> ArmSpec:
    if about is None:
        return _from_text(name)
    if isinstance(about, str):
        return _from_text(f"{name}={about}")
    if not isinstance(about, Mapping):
        raise _unreadable({name: about})
    settings = {str(key): value for key, value in about.items()}
    condition, media = settings.pop("condition", name), settings.pop("media", None)
    return _named(name, str(condition), None if media is None else str(media), settings)


def _named(name: str, condition: str, media: str | None, settings: dict[str, Any]) -> ArmSpec:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name of an arm.",
            "Use letters, digits, dots, dashes and underscores, at most 60.",
        )
    return ArmSpec(name=name, condition=condition, media=media, settings=settings)


def _own_name(condition: str, media: str | None) -> str:
    return condition if media is None else f"{condition}@{media}"


def _unreadable(value: object) -> ConfigError:
    return ConfigError(
        f"{value!r} is no arm.",
        f"Write {ARM_FORM}, for example steps5=aurelia[max_iterations=5], or in YAML "
        "`steps5: {condition: aurelia, max_iterations: 5}`.",
    )
