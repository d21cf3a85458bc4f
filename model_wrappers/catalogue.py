"""The catalogue of targets: what each is, how it is reached, and what is known about it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.settings import explain

__all__ = ["CATALOGUE", "Row", "row", "rows"]

CATALOGUE = Path(__file__).with_name("catalogue.yaml")


class Row(BaseModel):
    """One target. The fields are explained at the top of `catalogue.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    system: str
    backend: str
    options: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    license: str
    status: Literal["run", "run-tiny", "read", "unavailable"]
    note: str


class _Catalogue(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[Row, ...]


@functools.cache
def rows() -> dict[str, Row]:
    """Return the rows by id.

    Raises:
        ConfigError: if the file cannot be read.
    """
    try:
        text = CATALOGUE.read_text(encoding="utf-8")
        catalogue = _Catalogue.model_validate(yaml.safe_load(text))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{CATALOGUE}: {error}", "Reinstall the package.") from error
    except ValidationError as error:
        raise ConfigError(*explain(error, str(CATALOGUE))) from error
    return {row.id: row for row in catalogue.rows}


def row(target: str) -> Row:
    """Return a target's row.

    Raises:
        ConfigError: if there is none.
    """
    known = rows()
    if target not in known:
        raise ConfigError(
            f"{target!r} is not in the catalogue.",
            f"Use one of: {', '.join(sorted(known))}; or a backend spec such as "
            "transformers:Qwen/Qwen2.5-Omni-7B.",
        )
    return known[target]
