"""The settings of a run: one schema for `--model_args`, YAML and Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of, digest_of_path
from aurelia_plugin.files.records import Record

__all__ = ["AureliaSettings", "LoopPart", "MediaMode", "explain", "validated"]

MediaMode = Literal["full", "muted", "blanked", "swapped", "text"]
LoopPart = Literal["evaluator", "feedback", "summarizer"]


class AureliaSettings(Record):
    """What a run can be told. A value of None is filled from the target's catalogue row, then
    from the preset."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    condition: str = "aurelia"
    """The arm of the comparison: with reasoning, or one of its controls."""
    target: str | None = None
    """The model that answers: a catalogue id or a backend spec."""
    agents: str = "target"
    """The backend of all three agents, unless one is named below."""
    reasoner: str | None = None
    """The backend that proposes reasoning steps."""
    summarizer: str | None = None
    """The backend that turns steps and step answers into a caption."""
    evaluator: str | None = None
    """The backend that scores the caption against the clip."""
    blind_evaluator: Literal["refuse", "accept"] = "refuse"
    """Whether an evaluator is accepted that is known not to see or not to hear: it cannot tell
    whether a caption fits the clip."""
    threshold: int | None = Field(None, ge=1, le=10)
    """The score, 1 to 10, from which a caption is accepted."""
    max_iterations: int | None = Field(None, ge=1)
    """How many times steps are proposed at most."""
    preset: Literal["default", "paper"] = "default"
    """The packaged behaviour: prompts, threshold, iterations, frames."""
    prompts: str | None = None
    """A packaged prompt set or a folder whose files replace the preset's files of that name."""
    inject: Literal["steps", "steps_and_answers"] = "steps"
    """What of the best iteration is put in front of the question."""
    without: tuple[LoopPart, ...] = ()
    """Parts that the loop goes without: `evaluator` (the first steps count), `feedback`
    (`max_iterations` independent sets of steps, of which the best scored one is used), `summarizer`
    (the evaluator judges steps and findings instead of a caption)."""
    agents_media: Literal["full", "muted", "blanked", "text"] = "full"
    """What of the clip the agents get, whatever the target gets: `muted`, they only see; `blanked`,
    they only hear."""
    iteration: int | None = Field(None, ge=1)
    """Which iteration's steps are used, the last of a loop that has fewer; by default the best
    scored one's."""
    media: MediaMode = "full"
    """What of the clip is sent: as it is, without sound, without picture, another clip's sound,
    or no media at all. Holds for agents and target alike."""
    vote_temperature: float = Field(0.7, gt=0)
    """At which answers are sampled (`condition=consistency` and `best_of_n`; a task's own
    temperature goes first) and independent sets of steps (`without=feedback`)."""
    contrast: float | None = Field(None, gt=0)
    """Strength of contrastive decoding: alpha of `condition=avcd` (by default 0.5), gamma of
    `condition=mad` (2.5)."""
    looks: int = Field(3, ge=1)
    """How often the target may ask for a part of the clip under `condition=look_again`."""
    traces: str | None = None
    """The folder for traces and agent calls; by default in the user's cache."""
    precomputed: str | None = None
    """Where `condition=precomputed` finds steps: a traces folder, hf:ID or field:NAME."""
    on_agent_failure: Literal["empty", "zero_shot", "raise"] = "empty"
    """What becomes of a question whose agents failed or were stopped by the budget: no answer, a
    plain answer, or the end."""
    stop_after: int = Field(8, ge=0)
    """The run stops, and nothing is scored, when so many first calls of the target (of one
    process) all end in one permanent error, or none of fewer is answered; 0 goes on."""
    answers: Literal["kept", "fresh"] = "kept"
    """Whether replies of the target that are in the traces folder are used again; `fresh` asks
    anew."""
    max_calls: int | None = Field(None, ge=1)
    """Calls of agents, and of a target behind a network, at most; a run stops before it passes
    this. Holds for the whole run: its processes get equal shares."""
    max_tokens: int | None = Field(None, ge=1)
    """Tokens of these calls at most, read and written, likewise."""
    max_cost: float | None = Field(None, gt=0)
    """US dollars that these calls may cost, likewise."""
    price: str | None = None
    """US dollars per million input and output tokens: `IN/OUT` for models that the packaged table
    lacks, `MODEL:IN/OUT` for one model; several with `|`."""
    decoding: Literal["isolated", "in_process"] = "isolated"
    """Where files are decoded: in processes of their own, which a broken file cannot take the run
    along from, or in this one."""
    call_timeout: float | None = Field(None, gt=0)
    """Seconds after which a call counts as failed and is repeated; by default the backend's own
    `timeout`, and none on this machine."""
    seed: int = 0
    """Seeds the placebo's and the swapped sound's order, and all sampling."""
    config_digest: str | None = None
    """Checked against the digest of the files that the settings name."""

    @field_validator("without", mode="before")
    @classmethod
    def _parts(cls, value: object) -> object:
        parts = value.split("|") if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            return parts
        return tuple(sorted(dict.fromkeys(part for part in parts if part)))

    def role_specs(self) -> dict[str, str]:
        """Return the backend spec of each agent."""
        return {
            "reasoner": self.reasoner or self.agents,
            "summarizer": self.summarizer or self.agents,
            "evaluator": self.evaluator or self.agents,
        }

    def named_paths(self) -> dict[str, Path]:
        """Return the settings whose value names a file or folder that exists."""
        paths = {}
        for key in ("prompts", "precomputed", "target", *self.role_specs()):
            value = getattr(self, key, None) or (self.agents if key in self.role_specs() else None)
            candidate = str(value or "").partition("?")[0]
            if ":" not in candidate and key not in {"prompts", "precomputed"}:
                continue  # a catalogue id, which a folder of that name does not make a path
            candidate = candidate.partition(":")[2] or candidate
            if candidate and Path(candidate).expanduser().exists():
                paths[key] = Path(candidate).expanduser()
        return paths

    def files_digest(self) -> str | None:
        """Return a short digest of the contents of `named_paths`, None if there are none."""
        paths = self.named_paths()
        if not paths:
            return None
        digest = digest_of({key: digest_of_path(path) for key, path in paths.items()})
        return f"x{digest[:12]}"  # the letter keeps --model_args from reading it as a number

    def check_config_digest(self) -> str | None:
        """Return `files_digest()` after checking it against `config_digest`.

        Raises:
            ConfigError: if `config_digest` is given and does not match.
        """
        actual = self.files_digest()
        if self.config_digest is not None and self.config_digest != actual:
            named = ", ".join(f"{key}={path}" for key, path in self.named_paths().items())
            raise ConfigError(
                f"config_digest={self.config_digest} does not match the files that the settings "
                f"name ({named or 'none'}): their digest is {actual}.",
                f"Set config_digest={actual} if the change was meant, or restore the files.",
            )
        return actual


def validated(values: Mapping[str, object], source: str = "model_args") -> AureliaSettings:
    """Return the settings, or an error that names the setting and the fix.

    Raises:
        ConfigError: if a value is unknown or out of range.
    """
    try:
        return AureliaSettings.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(*explain(error, source)) from error


def explain(error: ValidationError, source: str) -> tuple[str, str]:
    """Return what is wrong with each setting of a pydantic error, and the fix."""
    faults = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "(all)"
        faults.append(f"{key}={fault.get('input')!r}: {fault['msg']}")
    return f"{source}: {'; '.join(faults)}.", f"Correct or remove these settings in {source}."
