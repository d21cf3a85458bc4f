"""Where each arm comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from aurelia_plugin.files.records import Record
from aurelia_plugin.files.storable import Storable

__all__ = [
    "RunInfo",
    "TaskInfo",
]


class TaskInfo(Record):
    """One task of one run, as the harness recorded it.

    Attributes:
        metric: the key of the log that was read as the score.
        graded: whether the score takes other values than 0 and 1.
        parser: what scores a reply: the processing function, filters, judge.
        generation: how the task has answers decoded.
        data: data set path, name and revision as the task names them.
    """

    name: str
    version: str | None
    metric: str
    graded: bool
    n: int
    parser: str
    generation: Mapping[str, Any]
    data: str


class RunInfo(Record):
    """One arm: where it comes from and everything needed to run it again.

    Attributes:
        label: unique in the comparison; the key of every mapping over arms.
        condition, media: the plugin's settings; None for a run without the plugin.
        target: identity of the model that answered: the run record's, else the harness's.
        agents: role to identity.
        prompts: prompt file to digest.
        settings: the plugin's settings, resolved.
        model_args: as given to the harness.
        versions: `aurelia`, `harness`, `task:<name>`.
        models: role (or `target`) to the names by which the models themselves answered.
        seeds: the harness's and the plugin's.
        seconds: wall clock of the whole run.
        cost: in US dollars of the calls that this run made, by the prices that were given; calls
            whose replies were in the store cost nothing here.
        tokens, calls: by role.
        dropped: what was not delivered, with the reason: how many times; by role.
        problems: the first failures, in full.
        record: the plugin's record of the run; None if there is none.
        traces: the traces folder.
    """

    label: str
    harness: Literal["lmms-eval", "lm-eval"]
    folder: str
    date: str
    files: tuple[str, ...]
    model: str
    model_args: Mapping[str, str]
    condition: str | None = None
    media: str | None = None
    target: str
    agents: Mapping[str, str] = Field(default_factory=dict)
    threshold: int | None = None
    max_iterations: int | None = None
    prompts: Mapping[str, str] = Field(default_factory=dict)
    settings: Mapping[str, Any] = Field(default_factory=dict)
    config_digest: str | None = None
    versions: Mapping[str, str] = Field(default_factory=dict)
    models: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    seeds: Mapping[str, str] = Field(default_factory=dict)
    limit: float | None = None
    tasks: tuple[TaskInfo, ...]
    n: int
    seconds: float | None = None
    cost: float | None = None
    tokens: Mapping[str, Mapping[str, int]] = Field(default_factory=dict)
    calls: Mapping[str, int] = Field(default_factory=dict)
    dropped: Mapping[str, Mapping[str, int]] = Field(default_factory=dict)
    problems: tuple[Storable, ...] = ()
    record: str | None = None
    traces: str | None = None

    @property
    def called(self) -> str:
        """The target as people named it: a catalogue id or a spec; `target` is its identity."""
        if self.condition is None:
            return self.target
        return self.model_args.get("target") or self.model.removeprefix("aurelia_")
