"""Options of backends: each has its own schema, and an unknown option is an error."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.redaction import is_secret_name
from aurelia_plugin.settings import AureliaSettings

__all__ = ["BackendOptions", "read_options"]

OptionsT = TypeVar("OptionsT", bound="BackendOptions")


class BackendOptions(BaseModel):
    """Base of every backend's options."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, use_attribute_docstrings=True
    )


def read_options(form: type[OptionsT], values: Mapping[str, object], backend: str) -> OptionsT:
    """Return the options of one backend.

    Raises:
        ConfigError: naming each unknown or unfit option, and the options there are.
    """
    try:
        return form.model_validate(dict(values))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}={fault['input']!r}: {fault['msg']}"
            for fault in error.errors()
        )
        known = ", ".join(sorted(form.model_fields)) or "none"
        if any(is_secret_name(str(fault["loc"][-1])) for fault in error.errors() if fault["loc"]):
            raise ConfigError(
                f"{backend}: {faults}.",
                "Keys come from the environment only: logs, results and the process list show "
                f"--model_args. Take it out and renew the key. Options: {known}.",
            ) from None  # pydantic's own text quotes the value
        meant = _meant(error, form)
        raise ConfigError(
            f"{backend}: {faults}.",
            f"Correct or remove them.{meant} This backend's options: {known}.",
        ) from error


def _meant(error: ValidationError, form: type[BaseModel]) -> str:
    """Return which option or setting a misspelt one may have been, "" if none is near."""
    known = [*form.model_fields, *AureliaSettings.model_fields]
    for fault in error.errors():
        near = get_close_matches(str(fault["loc"][-1]), known, 1) if fault["loc"] else []
        if fault["type"] == "extra_forbidden" and near:
            return f" Did you mean {near[0]}?"
    return ""
