"""The catalogue of targets: what each is, how it is reached, and what is known about it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.verification import verifications
from aurelia_plugin.settings import explain
from aurelia_plugin.spec import BackendSpec

__all__ = ["CATALOGUE", "Hears", "Row", "Status", "row", "row_named", "row_of", "rows"]

CATALOGUE = Path(__file__).with_name("catalogue.yaml")

Status = Literal["run", "run-tiny", "code-only", "read", "unavailable"]


class Hears(Record):
    """What of a clip's sound can reach the model."""

    soundtrack: bool = False
    """Whether it gets the soundtrack of a video."""
    clips: int | None = Field(0, ge=0)
    """Separate sounds in one prompt at most; null where only the context is the limit."""
    seconds: float | None = Field(None, gt=0)
    """Seconds of one sound at most; null where only the context is the limit."""


class Row(Record):
    """One target."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Its name on the command line; `aurelia_<id>` is its model name in lmms-eval."""
    system: str
    """The system, as its authors and the AURELIA paper call it."""
    size: str = ""
    """Its size or variant, as published."""
    paper: bool = False
    """Whether it is one of the 19 systems of the AURELIA paper's main table."""
    backend: str | None
    """`<provider>:<model>`; null where there is nothing to run."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Defaults of the backend's options."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Defaults of the run's settings while this row is the target."""
    prompts: str | None = None
    """The prompt set with which it is asked as an agent, where `prompts=` names none."""
    sees: tuple[Literal["video", "frames", "images"], ...] = ()
    """What it takes of pictures: whole videos, a video's frames as images, images."""
    hears: Hears = Hears()
    """What it takes of sound."""
    joint: Literal["yes", "no", "extension", "unknown"] = "unknown"
    """Whether one prompt holds picture and sound; `extension`: only in a way that its authors
    neither trained nor published."""
    languages: tuple[str, ...] = ()
    """Languages of its own prompt template."""
    context: int | None = Field(None, ge=1)
    """Tokens of its context, or of the text that it takes where that is cut earlier; null where
    that is not established."""
    license: str
    """Licence of the code."""
    weights_license: str = ""
    """Licence of the weights."""
    environment: str = ""
    """The Python environment that it needs: `plugin` is this package's own."""
    needs: tuple[str, ...] = ()
    """Modules that have to be importable in that environment, if it is this one."""
    sources: tuple[str, ...] = ()
    """Where licences, context and hub id were read, beyond the papers and repositories of the
    systems; what no source is named for stands on the model card, which was not reached."""
    weights: str | None = None
    """The hub id of the weights, where the backend's spec does not name them."""
    requires: tuple[str, ...] = ()
    """Versions of packages that it needs, as pip writes them."""
    secrets: tuple[str, ...] = ()
    """Environment variables of which one has to be set."""
    substitute: str | None = None
    """What to use instead, where the system itself cannot be had."""
    status: Status
    """run: with its real weights. run-tiny: a tiny instance with random weights. code-only:
    likewise, and no weights were ever published. read: source and documentation only. unavailable:
    cannot be had."""
    note: str
    """What a user has to know."""

    @property
    def takes(self) -> Capabilities:
        """What it takes of a clip."""
        hears = self.hears
        return Capabilities.declared(self.sees, hears.soundtrack, hears.clips, hears.seconds)

    @model_validator(mode="after")
    def _something_to_run(self) -> Row:
        if self.backend is None and self.status != "unavailable":
            raise ValueError("a row without backend has the status `unavailable`")
        return self


class _Catalogue(Record):
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _ids_differ(self) -> _Catalogue:
        ids = [row.id for row in self.rows]
        if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
            raise ValueError(f"ids that occur twice: {', '.join(sorted(twice))}")
        return self


@functools.cache
def rows() -> dict[str, Row]:
    """Return the rows by id; those with a record of `aurelia verify` have the status `run`.

    Raises:
        ConfigError: if the file or a record cannot be read.
    """
    try:
        text = CATALOGUE.read_text(encoding="utf-8")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        catalogue = _Catalogue.model_validate(yaml.load(text, Loader=loader))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{CATALOGUE}: {error}", "Reinstall the package.") from error
    except ValidationError as error:
        raise ConfigError(*explain(error, str(CATALOGUE))) from error
    run = verifications()
    return {
        row.id: row.model_copy(update={"status": "run"}) if row.id in run else row
        for row in catalogue.rows
    }


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


def row_named(spec: str) -> Row | None:
    """Return the row whose id a backend spec is, None for a spec with a provider.

    Raises:
        ConfigError: if it is an id that the catalogue lacks.
    """
    parsed = BackendSpec.parse(spec)
    return None if parsed.provider else row(parsed.model)


def row_of(spec: str) -> Row | None:
    """Return the row that a backend spec names by its id, or whose provider and model it has.

    Options of the spec may change what the model takes; the row does not know of them.

    Raises:
        ConfigError: if it is an id that the catalogue lacks.
    """
    parsed = BackendSpec.parse(spec)
    if not parsed.provider:
        return row(parsed.model)
    for known in rows().values():
        base = BackendSpec.parse(known.backend) if known.backend is not None else None
        if base is not None and (base.provider, base.model) == (parsed.provider, parsed.model):
            return known
    return None
