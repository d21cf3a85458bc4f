"""The generated parts of the documentation, called by the cog blocks in the Markdown files."""

from __future__ import annotations

import os
import subprocess
import sys
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from aurelia_plugin.model_wrappers.catalogue import rows
from aurelia_plugin.settings import AureliaSettings

__all__ = ["catalogue_table", "command_help", "options_table", "settings_table"]


def settings_table() -> str:
    """Return the settings of a run as a Markdown table."""
    return options_table(AureliaSettings)


def options_table(form: type[BaseModel]) -> str:
    """Return the fields of a schema as a Markdown table."""
    lines = ["| key | values | default | meaning |", "|---|---|---|---|"]
    for name, field in form.model_fields.items():
        default = "–" if field.default is None else f"`{field.default}`"
        meaning = " ".join((field.description or "").split())
        lines.append(f"| `{name}` | {_values(field.annotation, field)} | {default} | {meaning} |")
    return "\n".join(lines)


def _values(annotation: Any, field: Any) -> str:
    choices = [part for part in get_args(annotation) or (annotation,) if part is not NoneType]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if choices == [int]:
        low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
        high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
        if low is None:
            return "integer"
        return f"{low} or more" if high is None else f"{low} to {high}"
    return "true, false" if choices == [bool] else "text"


def catalogue_table() -> str:
    """Return the catalogue of targets as a Markdown table."""
    lines = ["| id | system | backend | status | note |", "|---|---|---|---|---|"]
    lines += [
        f"| `aurelia_{row.id}` | {row.system} | `{row.backend}` | {row.status} | {row.note} |"
        for row in rows().values()
    ]
    return "\n".join(lines)


def command_help(*arguments: str) -> str:
    """Return what `aurelia ... --help` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "aurelia_plugin", *arguments, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    return done.stdout.rstrip()
