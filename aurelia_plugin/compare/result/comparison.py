"""The one result object of a comparison."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from aurelia_plugin.compare.result.audits import Audits
from aurelia_plugin.compare.result.figures import Contrast, Figure, Verdict
from aurelia_plugin.compare.result.items import ItemRow
from aurelia_plugin.compare.result.parts import ScopeKind
from aurelia_plugin.compare.result.published import BoardPlace, ReportedFigure
from aurelia_plugin.compare.result.runs import RunInfo
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.records import Record

__all__ = [
    "COMPARISON",
    "RESULT_SCHEMA",
    "Comparison",
    "Method",
]

COMPARISON: Final = "comparison.json"
"""The file's name in the folder of a comparison."""

RESULT_SCHEMA: Final = 2
"""1 had two intervals for each figure and no verdicts."""


class Method(Record):
    """How the figures were made."""

    level: float = 0.95
    draws: int
    seed: int
    power: float = 0.8
    alpha: float = 0.05
    cluster: str
    allowed: tuple[str, ...] = ()


class Comparison(Record):
    """Runs side by side.

    Attributes:
        created: UTC, ISO 8601.
        reference: label of the arm that others are compared with.
        columns, categories: names in the order of the tables.
        figures: arms in the order of `runs`; within an arm all, mean over columns, columns,
            categories, answer classes, answers.
        contrasts: likewise, each arm against the reference.
        verdicts: what follows, with the contrasts against every control.
        notes: what a reader must know: items left out, differences that were allowed.
    """

    schema_version: int = RESULT_SCHEMA
    created: str
    version: str
    method: Method
    reference: str
    runs: tuple[RunInfo, ...]
    columns: tuple[str, ...]
    categories: tuple[str, ...]
    figures: tuple[Figure, ...]
    contrasts: tuple[Contrast, ...]
    verdicts: tuple[Verdict, ...] = ()
    audits: Audits = Audits()
    reported: tuple[ReportedFigure, ...] = ()
    boards: tuple[BoardPlace, ...] = ()
    notes: tuple[str, ...] = ()
    items: tuple[ItemRow, ...]

    def run(self, label: str) -> RunInfo:
        """Return an arm; KeyError if there is none of that label."""
        return {run.label: run for run in self.runs}[label]

    def figure(self, arm: str, kind: ScopeKind, name: str = "") -> Figure | None:
        """Return an arm's figures over a scope; `name` is not needed for the whole."""
        for figure in self.figures:
            if (figure.arm, figure.kind) == (arm, kind) and name in ("", figure.name):
                return figure
        return None

    def contrast(self, arm: str, kind: ScopeKind, name: str = "") -> Contrast | None:
        """Return an arm against the reference over a scope."""
        for contrast in self.contrasts:
            if (contrast.arm, contrast.kind) == (arm, kind) and name in ("", contrast.name):
                return contrast
        return None

    def write(self, folder: Path) -> Path:
        """Write `comparison.json` into the folder, made if need be, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / COMPARISON
        write_atomically(path, self.model_dump_json(indent=1).encode("utf-8"))
        return path

    @classmethod
    def read(cls, path: Path) -> Comparison:
        """Read a comparison from its file or its folder.

        Raises:
            ConfigError: there is none, or it is of another version.
        """
        file = path / COMPARISON if path.is_dir() else path
        again = "Make it again from its runs with `aurelia compare`."
        try:
            text = file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{file}: {error.strerror or error}.", "Name a folder that holds a comparison."
            ) from error
        try:
            version = json.loads(text).get("schema_version")
        except (ValueError, AttributeError) as error:
            raise ConfigError(f"{file}: not a comparison ({error}).", again) from error
        if version != RESULT_SCHEMA:
            raise ConfigError(
                f"{file}: a comparison of form {version}; this version reads form {RESULT_SCHEMA}.",
                again,
            )
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise ConfigError(
                f"{file}: not a comparison of this version ({place}: {error.errors()[0]['msg']}).",
                again,
            ) from error
