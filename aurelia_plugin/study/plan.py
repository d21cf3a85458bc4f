"""What a study is made of: targets, tasks, arms, and the folder that it fills."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import Field, ValidationError, field_serializer, field_validator

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.records import Record
from aurelia_plugin.redaction import environment_without_secrets
from aurelia_plugin.running.conditions.table import conditions
from aurelia_plugin.settings import AureliaSettings, MediaMode, explain, validated
from aurelia_plugin.spec import BackendSpec
from aurelia_plugin.study.arms import ARM_FORM, ArmSpec, read_arm, read_arms
from aurelia_plugin.study.packaged import find_plan, packaged_plans

__all__ = ["DEFAULT_CONDITIONS", "Arm", "StudyPlan", "plan_from", "read_plan"]

DEFAULT_CONDITIONS = ("none", "cot", "placebo", "aurelia", "consistency")
"""The arms of a study that names none."""

_OWN = frozenset({"condition", "media", "target", "traces", "seed"})
"""Settings that the study sets itself."""


class StudyPlan(Record):
    """The keys of a study's YAML file; on the command line some of them are flags.

    Raises (by `plan_from`): `ConfigError` if a value is unknown or unfit.
    """

    targets: tuple[str, ...] = Field(min_length=1)
    """Catalogue ids, with or without `aurelia_`, or backend specs."""
    tasks: tuple[str, ...] = Field(min_length=1)
    """Tasks or groups of lmms-eval, this package's or any other."""
    conditions: tuple[ArmSpec, ...] = Field(tuple(map(read_arm, DEFAULT_CONDITIONS)), min_length=1)
    """The arms: `CONDITION` or `CONDITION@MEDIA`, for example `none@muted`; with a name and
    settings of its own `NAME=CONDITION[KEY=VALUE,...]`, or a mapping of names to such settings."""
    out: Path
    """The folder that the study fills."""
    limit: int | float | None = Field(None, gt=0)
    """Items of each task at most; below 1 a share of them."""
    seed: int = 0
    """The setting `seed` of every arm, and the seed of the statistics."""
    reference: str | None = None
    """The arm that the others are compared with; by default `none`, else the first."""
    model_args: dict[str, Any] = Field(default_factory=dict)
    """Settings and target options of every arm, such as `agents` or `threshold`."""
    target_args: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """The same for single targets, by their name in `targets`."""
    processes: int = Field(1, ge=1)
    """Processes of each run, started by `accelerate launch`; answers do not depend on it."""
    flags: tuple[str, ...] = ()
    """More flags of lmms-eval, for example `--batch_size` and `4`."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Environment variables of the runs. Secrets do not belong here: this file is kept."""
    draws: int = Field(4000, ge=100)
    """Draws of the bootstrap."""
    prices: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Model to US dollars for a million tokens read and written."""
    boards: tuple[str, ...] = ()
    """Published boards into which the arms are put (see `aurelia compare --board`)."""
    page_media: Literal["link", "copy", "none"] = "link"
    """Whether the page links the clips, has copies of them beside it, or shows none."""
    thumbnails: bool = True
    """Whether pictures and waveforms of the clips are drawn for the page."""

    @field_validator("conditions", mode="before")
    @classmethod
    def _read_arms(cls, values: object) -> object:
        return read_arms(values)

    @field_serializer("conditions")
    def _written_arms(self, values: tuple[ArmSpec, ...]) -> list[str | dict[str, Any]]:
        return [one.written() for one in values]

    @field_validator("targets", "tasks")
    @classmethod
    def _differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("names one thing twice")
        return values

    @field_validator("conditions")
    @classmethod
    def _named_apart(cls, values: tuple[ArmSpec, ...]) -> tuple[ArmSpec, ...]:
        names = [one.name.casefold() for one in values]  # they are folders
        if len(set(names)) < len(names):
            raise ValueError("names one arm twice")
        return values

    @field_validator("environment")
    @classmethod
    def _no_secrets(cls, values: dict[str, str]) -> dict[str, str]:
        allowed = environment_without_secrets(values)
        secret = [name for name in values if name not in allowed]
        if secret:
            raise ValueError(f"{secret[0]} looks like a secret: export it instead")
        return values

    @field_validator("boards")
    @classmethod
    def _known_boards(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        from aurelia_plugin.compare.outputs.boards import load_board

        for name in values:
            try:
                load_board(name)
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return values

    @field_validator("limit")
    @classmethod
    def _whole(cls, value: float | None) -> int | float | None:
        # The harness takes a limit below 1 for a share, and cuts 2.5 to 2 without a word.
        if value is not None and value >= 1 and not float(value).is_integer():
            raise ValueError("is a number of items, or a share below 1")
        return int(value) if value is not None and value >= 1 else value

    @property
    def arms(self) -> Iterator[Arm]:
        """All arms, target by target, in order."""
        for target in self.targets:
            for spec in self.conditions:
                yield Arm(self, target, spec.name)

    @property
    def traces(self) -> Path:
        """The traces folder that all arms share."""
        return self.out / "traces"


@dataclass(frozen=True)
class Arm:
    """One target under one condition.

    Attributes:
        label: the arm's name.
    """

    plan: StudyPlan = field(compare=False, repr=False)
    target: str
    label: str

    @property
    def spec(self) -> ArmSpec:
        """The arm as the plan has it."""
        return next(one for one in self.plan.conditions if one.name == self.label)

    @property
    def condition(self) -> str:
        """The setting `condition`."""
        return self.spec.condition

    @property
    def media(self) -> str:
        """The setting `media`."""
        return self.spec.media or "full"

    @property
    def name(self) -> str:
        """The target's name as part of a path."""
        name = self.target.removeprefix("aurelia_")
        plain = re.sub(r"[^\w.-]+", "-", name).strip("-.")
        return plain if plain == name else f"{plain[:40]}-{digest_of(self.target)[:8]}"

    @property
    def folder(self) -> Path:
        """Where this arm's runs and state are kept."""
        return self.plan.out / "arms" / self.name / self.label

    @property
    def given(self) -> dict[str, Any]:
        """Settings and target options, those of the study itself left aside."""
        of_target = self.plan.target_args.get(self.target, {})
        return {**self.plan.model_args, **of_target, **self.spec.settings}

    @property
    def settings(self) -> AureliaSettings:
        """The settings of the plugin, as far as they are given.

        Raises:
            ConfigError: one of them is unfit.
        """
        known = {k: v for k, v in self.given.items() if k in AureliaSettings.model_fields}
        own = {"condition": self.condition, "media": self.media, "seed": self.plan.seed}
        return validated({**known, **own, "target": self.target}, f"arm {self.label}")

    def arguments(self, output: Path, traces: Path) -> list[str]:
        """Return the arguments of `python -m lmms_eval`; `output` takes its results.

        Raises:
            ConfigError: a value cannot be written as `--model_args`.
        """
        media = {} if self.spec.media is None else {"media": self.spec.media}
        given: dict[str, Any] = {"condition": self.condition, **media, "seed": self.plan.seed}
        given |= {**self.given, "traces": str(traces)}
        model = f"aurelia_{BackendSpec.parse(self.target).model}"
        if BackendSpec.parse(self.target).provider:
            model, given = "aurelia", {"target": self.target, **given}
        limit = [] if self.plan.limit is None else ["--limit", str(self.plan.limit)]
        return [
            *("--model", model),
            *("--model_args", ",".join(_pair(key, value) for key, value in given.items())),
            *("--tasks", ",".join(self.plan.tasks)),
            *limit,
            *("--output_path", str(output)),
            "--log_samples",
            *self.plan.flags,
        ]


def _pair(key: str, value: Any) -> str:
    """Return `key=value` as the harness reads it."""
    if isinstance(value, bool):
        return f"{key}={str(value).lower()}"
    if isinstance(value, (list, tuple)):
        value = "|".join(str(part) for part in value)
    text = str(value)
    # The harness splits at commas outside brackets, and an apostrophe hides all that follow.
    depth = 0
    for char in text:
        depth += (char in "{[") - (char in "}]")
        if char == "'" or (char == "," and depth == 0):
            raise ConfigError(
                f"{key}={text}: lmms-eval cannot take {char!r} in a value of --model_args.",
                "Name a file or folder without it, or leave the value out.",
            )
    return f"{key}={text}"


def plan_from(values: Mapping[str, Any], source: str) -> StudyPlan:
    """Return the plan that the values describe.

    Raises:
        ConfigError: a value is unknown or unfit, or an arm cannot be run as it is written.
    """
    try:
        plan = StudyPlan.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(*explain(error, source)) from error
    plan = plan.model_copy(update={"out": plan.out.expanduser().resolve()})
    unknown = sorted(set(plan.target_args) - set(plan.targets))
    if unknown:
        raise ConfigError(
            f"{source}: target_args names {', '.join(unknown)}, no target of this study.",
            f"Name one of: {', '.join(plan.targets)}.",
        )
    for arm in plan.arms:
        _check(arm, source)
    names = [one.name for one in plan.conditions]
    if plan.reference is not None and plan.reference not in names:
        raise ConfigError(
            f"{source}: reference={plan.reference} is not an arm.",
            f"Name one of: {', '.join(names)}.",
        )
    return plan


def _check(arm: Arm, source: str) -> None:
    known = conditions()
    if arm.condition not in known or arm.media not in get_args(MediaMode):
        raise ConfigError(
            f"{source}: there is no arm {arm.label!r}.",
            f"An arm is one of {', '.join(known)}, with @ and one of "
            f"{', '.join(get_args(MediaMode))} where evidence is taken away: {ARM_FORM}.",
        )
    if arm.label in known and arm.condition != arm.label:
        raise ConfigError(
            f"{source}: the arm {arm.label} is of the condition {arm.condition}: its name is that "
            "of another one.",
            "Give it another name.",
        )
    own = sorted(_OWN & set(arm.given))
    if own:
        raise ConfigError(
            f"{source}: model_args, or the arm {arm.label}, sets {', '.join(own)}, which the study "
            "sets itself.",
            "Use targets, conditions (CONDITION@MEDIA), seed and out.",
        )
    spec = BackendSpec.parse(arm.target)
    if not spec.provider:
        from aurelia_plugin.model_wrappers.catalogue import row

        row(spec.model)
    _ = arm.settings
    arm.arguments(arm.folder, arm.plan.traces)


def read_plan(path: Path, flags: Mapping[str, Any]) -> StudyPlan:
    """Return the plan of a YAML file, the user's or a packaged one.

    Args:
        path: the file; the name of a packaged one (`ablations.yaml`) where there is no such file.
        flags: of the command line; they replace its keys.

    Raises:
        ConfigError: the file cannot be read, or describes no study.
    """
    own = path.exists()
    path = find_plan(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"{path}: {error}",
            f"Name a study's YAML file, or a packaged one: {', '.join(packaged_plans())}.",
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: not a mapping.", "Write `targets:`, `tasks:` and `out:`.")
    out = values.get("out")
    if out is not None and "out" not in flags:  # beside the file, wherever it is started from
        beside = path.parent if own else Path.cwd()
        values["out"] = beside / Path(str(out)).expanduser()
    for key in ("targets", "tasks"):
        if isinstance(values.get(key), str):
            values[key] = [part.strip() for part in values[key].split(",")]
    limit = values.get("limit")
    if isinstance(limit, float) and math.isnan(limit):
        raise ConfigError(f"{path}: limit is not a number.", "Give a number of items.")
    return plan_from({**values, **flags}, str(path))
