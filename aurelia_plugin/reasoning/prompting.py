"""Prompt sets: folders of Jinja2 templates and one `preset.yaml`, packaged or the user's own.

A set is layered: the packaged `default`, over it the preset, over it what `prompts=` names. A
file in a later layer replaces the file of the same name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import jinja2
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationError

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.reasoning.roles import RoleStyles
from aurelia_plugin.settings import explain

__all__ = ["PACKAGED_PROMPTS", "PromptSet"]

PACKAGED_PROMPTS = Path(__file__).parent / "prompts"

_LOOP_FILES = (
    "again.jinja",
    "evaluator.jinja",
    "feedback.jinja",
    "preset.yaml",
    "reasoner.jinja",
    "summarizer.jinja",
)
_ANSWER_FILES = (
    "cot.jinja",
    "critique.jinja",
    "inject.jinja",
    "look.jinja",
    "look_again.jinja",
    "modality.jinja",
    "refine.jinja",
)
_JUDGING_FILES = ("evaluator_answer.jinja", "evaluator_steps.jinja")
_FILES = _LOOP_FILES + _ANSWER_FILES + _JUDGING_FILES

_ITERATION = {"question": "?", "steps": ("step",), "step_answers": ("answer",)}
_VALUES: dict[str, dict[str, object]] = {
    "again": {"problem": "problem", "wanted": "wanted"},
    "cot": {},
    "critique": {"question": "?"},
    "evaluator": {"question": "?", "caption": "caption"},
    "evaluator_answer": {"question": "?", "answer": "answer"},
    "evaluator_steps": {**_ITERATION, "final_answer": "answer"},
    "feedback": {**_ITERATION, "caption": "caption", "score": 1, "feedback": "feedback"},
    "inject": {"steps": ("step",), "step_answers": ("answer",)},
    "look": {"seconds": 1.0, "left": 3},
    "look_again": {"question": "?", "given": "seconds 0 to 1", "left": 2},
    "modality": {"question": "?"},
    "reasoner": {"question": "?"},
    "refine": {"question": "?"},
    "summarizer": {**_ITERATION, "final_answer": "answer"},
}
"""What each template may use, with a value of the right kind."""

# What an expression in a template can raise beside Jinja's own errors.
_RENDERING = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class PromptSet:
    """The prompts of one run, read once.

    Args:
        preset: a packaged set.
        prompts: a packaged set or the path of a folder laid over the preset; None for none.

    Raises:
        ConfigError: if a folder does not exist, holds an unknown file, or a file cannot be
            parsed.
    """

    def __init__(self, preset: str = "default", prompts: str | None = None) -> None:
        layers = [PACKAGED_PROMPTS / "default", PACKAGED_PROMPTS / preset]
        if prompts is not None:
            layers.append(_folder(prompts))
        self._sources = _read(layers)
        self.styles = self._styles()
        self._environment = ImmutableSandboxedEnvironment(
            loader=jinja2.DictLoader(
                {n: s for n, (s, _) in self._sources.items() if n.endswith(".jinja")}
            ),
            undefined=jinja2.StrictUndefined,
            trim_blocks=False,
            keep_trailing_newline=False,
            autoescape=False,
        )
        for name, values in _VALUES.items():
            self.render(name, values)  # a mistake shows now, not after calls were paid for

    def _styles(self) -> RoleStyles:
        source, path = self._sources["preset.yaml"]
        try:
            return RoleStyles.model_validate(yaml.safe_load(source) or {})
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: {error}", "Correct the YAML.") from error
        except ValidationError as error:
            raise ConfigError(*explain(error, str(path))) from error

    def _compiled(self, name: str) -> jinja2.Template:
        try:
            return self._environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise ConfigError(
                f"{self._sources[name][1]}, line {error.lineno}: {error.message}",
                "Correct the template (Jinja2).",
            ) from error

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """Return the text of the template `name`.

        Raises:
            ConfigError: if the template uses a value that it is not given.
        """
        template = self._compiled(f"{name}.jinja")
        try:
            return template.render(values).strip()
        except _RENDERING as error:
            raise ConfigError(
                f"{self._sources[f'{name}.jinja'][1]}: {error}",
                f"The template may use: {', '.join(sorted(values))}.",
            ) from error

    @property
    def loop_digest(self) -> str:
        """Digest of the files that decide what the agents are asked; part of a trace's key."""
        return self._digest(_LOOP_FILES)

    @property
    def steps_digest(self) -> str:
        """Digest of the prompt with which an evaluator judges steps; part of such traces' keys."""
        return self._digest(("evaluator_steps.jinja",))

    @property
    def digests(self) -> dict[str, str]:
        """Short digest of every file, for the record of a run."""
        return {name: self._digest((name,))[:12] for name in sorted(self._sources)}

    def _digest(self, names: tuple[str, ...]) -> str:
        rows = [
            [name, hashlib.sha256(self._sources[name][0].encode()).hexdigest()] for name in names
        ]
        return digest_of(rows)


def _folder(prompts: str) -> Path:
    packaged = PACKAGED_PROMPTS / prompts
    folder = packaged if packaged.is_dir() else Path(prompts).expanduser()
    if not folder.is_dir():
        known = ", ".join(sorted(p.name for p in PACKAGED_PROMPTS.iterdir() if p.is_dir()))
        raise ConfigError(
            f"prompts={prompts}: no such folder.",
            f"Name a folder with .jinja files, or one of the packaged sets: {known}.",
        )
    return folder


def _read(layers: list[Path]) -> dict[str, tuple[str, Path]]:
    sources: dict[str, tuple[str, Path]] = {}
    for layer in layers:
        for path in sorted(layer.iterdir()):
            if path.suffix not in {".jinja", ".yaml"}:
                continue
            if path.name not in _FILES:
                raise ConfigError(
                    f"{path}: no prompt has this name.",
                    f"Use one of: {', '.join(sorted(_FILES))}.",
                )
            try:
                sources[path.name] = (path.read_text(encoding="utf-8"), path)
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(f"{path}: {error}", "Make it a readable UTF-8 file.") from error
    return sources
