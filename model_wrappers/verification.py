"""Records of targets that somebody ran with their real weights (`aurelia verify`)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from aurelia_plugin.calling.backend import Evidence
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record, parse_record, problem_of

__all__ = [
    "VERIFIED",
    "FileFact",
    "MediumFact",
    "Published",
    "RuleFact",
    "ScoreFact",
    "Verification",
    "read_verification",
    "verifications",
]

VERIFIED = Path(__file__).with_name("verified")
"""The records of this package: a row whose record is here has the status `run`."""


class FileFact(Record):
    """One file of the weights."""

    path: str
    """Relative to the folder of the weights."""
    bytes: int
    sha256: str


class MediumFact(Record):
    """Whether a medium reaches the model, and why that is said (`aurelia probe`)."""

    medium: Literal["picture", "sound"]
    reached: bool
    reason: str


class RuleFact(Record):
    """Whether the adapter keeps a rule (`aurelia sidecar conformance`), and what was seen."""

    rule: str
    holds: bool
    why: str


class ScoreFact(Record):
    """One arm over the fixed items; shares are fractions."""

    condition: str
    n: int
    score: float
    low: float | None
    """Lower end of the score's 95% interval; None where there is none."""
    high: float | None
    method: str
    """What made the interval."""
    unanswered: int
    """Questions without an answer because a call failed."""
    dropped: int | None
    """Questions of which some evidence was not delivered."""


class Published(Record):
    """A figure that others published for this system on a public set, and how to measure it."""

    board: str
    model: str
    """The system, as the board calls it."""
    score: float
    """In percent, as printed."""
    command: str


class Verification(Record):
    """What one run of `aurelia verify` found."""

    format: Literal[1] = 1
    target: str
    """The catalogue id."""
    system: str
    """What answered, as it names itself: scores are reported under this name."""
    tiny: bool
    """Whether it was a tiny instance with random weights, which says nothing about scores."""
    made: str
    """When: UTC, ISO 8601."""
    aurelia: str
    """The version of this package."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Of what ran: Python, platform, packages, the upstream commit."""
    backend: str
    """The backend's identity, which changes with whatever can change a reply."""
    weights: tuple[FileFact, ...] = ()
    """The files of the weights, where they are files of the user's."""
    evidence: Evidence
    """What was delivered of the probe's clip."""
    media: tuple[MediumFact, ...]
    rules: tuple[RuleFact, ...] = ()
    """Empty for what is no sidecar."""
    task: str
    items: int
    seed: int
    scores: tuple[ScoreFact, ...]
    published: tuple[Published, ...] = ()
    command: str
    """What repeats it."""
    faults: tuple[str, ...]
    """Why this does not verify the target; empty where it does."""

    @property
    def lifts(self) -> bool:
        """Whether the target may be called run with its real weights."""
        return not self.tiny and not self.faults


@functools.cache
def verifications() -> Mapping[str, Verification]:
    """Return the package's records by target.

    Raises:
        ConfigError: if one cannot be read, or does not verify what its name says.
    """
    found = {}
    for path in sorted(VERIFIED.glob("*.json")):
        record = read_verification(path)
        if record.target != path.stem or not record.lifts:
            why = "; ".join(record.faults) or ("a tiny instance" if record.tiny else "its name")
            raise ConfigError(
                f"{path} does not verify {path.stem}: {why}.",
                f"Put in a record without faults, of {record.target}, as {record.target}.json.",
            )
        found[record.target] = record
    return found


def read_verification(path: Path) -> Verification:
    """Return the record in a file.

    Raises:
        ConfigError: if it is none.
    """
    try:
        return parse_record(Verification, path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error}", "Name a record of `aurelia verify`.") from error
    except ValueError as error:
        raise ConfigError(
            f"{path} is no record of `aurelia verify`: {problem_of(error)}",
            "Make it anew with the same version of this package.",
        ) from error
