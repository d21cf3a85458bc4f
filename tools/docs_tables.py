"""The generated parts of the documentation, called by the cog blocks in the Markdown files."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin
from unittest import mock

from pydantic import BaseModel

from aurelia_plugin.benchmark.sources.instruments.knowledge import knowledge
from aurelia_plugin.cli import parser
from aurelia_plugin.compare.outputs.boards import load_board, packaged_boards
from aurelia_plugin.model_wrappers import environments
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.catalogue import Row, rows
from aurelia_plugin.model_wrappers.lmms.forms import WrapperForm, forms
from aurelia_plugin.model_wrappers.providers import PROVIDERS
from aurelia_plugin.model_wrappers.sidecar.facts import adapter_facts, adapters
from aurelia_plugin.model_wrappers.transformers.families import families
from aurelia_plugin.running.conditions.table import CONDITIONS
from aurelia_plugin.settings import AureliaSettings
from aurelia_plugin.study.arms import ArmSpec
from aurelia_plugin.study.plan import StudyPlan

__all__ = [
    "adapters_table",
    "boards_table",
    "catalogue_table",
    "command_help",
    "commands_reference",
    "conditions_table",
    "environments_table",
    "families_table",
    "forms_table",
    "kept_output",
    "licences_table",
    "options_table",
    "own_options_table",
    "plan_table",
    "providers_reference",
    "settings_table",
    "targets_table",
]

_NONE = "\u2013"
_DATA: Final = Path(__file__).parents[1] / "docs" / "data"
_WIDTH: Final = "100"
"""Columns of the help texts, whatever the terminal."""


def settings_table() -> str:
    """Return the settings of a run as a Markdown table."""
    named = ", ".join(f"`{name}`" for name in CONDITIONS)
    return options_table(AureliaSettings).replace(
        "| `condition` | text |", f"| `condition` | {named} |"
    )


def conditions_table() -> str:
    """Return the conditions of this package as a Markdown table."""
    lines = ["| `condition=` | what the target is given |", "|---|---|"]
    lines += [f"| `{info.name}` | {info.help} |" for info in CONDITIONS.values()]
    return "\n".join(lines)


def options_table(form: type[BaseModel]) -> str:
    """Return the fields of a schema as a Markdown table."""
    return _fields_table(form, list(form.model_fields))


def own_options_table(form: type[BaseModel]) -> str:
    """Return the fields that a schema has beside those of its base, as a Markdown table."""
    return _fields_table(form, [name for name in form.model_fields if name in form.__annotations__])


def _fields_table(form: type[BaseModel], names: list[str]) -> str:
    lines = ["| key | values | default | meaning |", "|---|---|---|---|"]
    for name in names:
        field = form.model_fields[name]
        given = field.get_default(call_default_factory=True)
        default = _NONE if given in (None, ()) else f"`{given}`"
        meaning = " ".join((field.description or "").split()).replace("|", r"\|")
        lines.append(f"| `{name}` | {_values(field.annotation, field)} | {default} | {meaning} |")
    return "\n".join(lines)


def _values(annotation: Any, field: Any) -> str:
    if get_origin(annotation) is tuple and get_origin(get_args(annotation)[0]) is Literal:
        return f"{_values(get_args(annotation)[0], field)}; several with `\\|`"
    choices = [part for part in get_args(annotation) or (annotation,) if part is not NoneType]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if choices == [int]:
        low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
        high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
        if low is None:
            return "integer"
        return f"{low} or more" if high is None else f"{low} to {high}"
    if choices == [float]:
        return "number"
    return "true, false" if choices == [bool] else "text"


def plan_table() -> str:
    """Return the keys of a study's YAML file as a Markdown table."""
    lines = ["| key | values | default | meaning |", "|---|---|---|---|"]
    for name, field in StudyPlan.model_fields.items():
        names: dict[object, str] = {tuple: "list", dict: "mapping"}
        values = names.get(get_origin(field.annotation)) or _values(field.annotation, field)
        default = "required" if field.is_required() else _NONE
        shown = field.get_default(call_default_factory=True)
        if not field.is_required() and shown not in (None, (), {}):
            default = f"`{', '.join(map(_shown, shown)) if isinstance(shown, tuple) else shown}`"
        meaning = " ".join((field.description or "").split())
        lines.append(f"| `{name}` | {values} | {default} | {meaning} |")
    return "\n".join(lines)


def _shown(value: object) -> str:
    return value.name if isinstance(value, ArmSpec) else str(value)


def catalogue_table() -> str:
    """Return the catalogue of targets in short, as a Markdown table."""
    lines = ["| id | system | status | picture and sound in one prompt |", "|---|---|---|---|"]
    lines += [
        f"| `aurelia_{row.id}` | {_system(row)} | {row.status} | {row.joint} |"
        for row in rows().values()
    ]
    return "\n".join(lines)


def targets_table(*, paper: bool) -> str:
    """Return what each target sees and hears, as a Markdown table.

    Args:
        paper: the rows of the paper's systems, or the others.
    """
    head = "| id | system | backend | sees | hears | joint | languages | context | status | note |"
    lines = [head, "|---" * head.count("| ") + "|"]
    for row in rows().values():
        if row.paper is not paper:
            continue
        note = row.note if row.substitute is None else f"{row.note} Stands in: {row.substitute}."
        cells = [
            f"`aurelia_{row.id}`",
            _system(row),
            f"`{row.backend}`" if row.backend else _NONE,
            ", ".join(row.sees) or "nothing",
            _hears(row.takes),
            row.joint,
            ", ".join(row.languages),
            "?" if row.context is None else str(row.context),
            row.status,
            note,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def licences_table() -> str:
    """Return licences and environment of each target, as a Markdown table."""
    lines = ["| id | code | weights | environment | needs | read in |", "|---|---|---|---|---|---|"]
    for row in rows().values():
        needs = ", ".join(f"`{name}`" for name in (*row.needs, *row.requires, *row.secrets))
        lines.append(
            f"| `aurelia_{row.id}` | {row.license} | {row.weights_license} | {row.environment} | "
            f"{needs or _NONE} | {'; '.join(row.sources) or _NONE} |"
        )
    return "\n".join(lines)


def forms_table() -> str:
    """Return the form of requests of the models that lmms-eval brings, as a Markdown table."""
    lines = [
        "| model | class | soundtrack | media | left out because | besides |",
        "|---|---|---|---|---|---|",
    ]
    for model, form in forms().items():
        most = _most(form)
        why = form.why if most else _NONE
        if not form.pictures:
            most = ", ".join(filter(None, ("no pictures", most)))
        lines.append(
            f"| `lmms:{model}` | {'simple' if form.simple else 'chat'} | {form.soundtrack} | "
            f"{most or 'any number'} | {why} | {_besides(form) or _NONE} |"
        )
    return "\n".join(lines)


def _most(form: WrapperForm) -> str:
    parts = []
    if form.media is not None:
        parts.append(f"{form.media} in all")
    if form.of_a_kind is not None:
        parts.append(f"{form.of_a_kind} of a kind")
    if form.sounds is not None:
        parts.append(f"{form.sounds or 'no'} separate sounds")
    return ", ".join(parts)


def _besides(form: WrapperForm) -> str:
    parts = []
    if form.suffixes:
        parts.append(f"videos other than {' '.join(form.suffixes)} are written as MP4")
    if form.silent_track:
        parts.append("a video without sound gets a silent track")
    if form.stand_in:
        filler = {"picture": "a black picture", "sound": "a second of silence"}[form.stand_in]
        parts.append(f"text alone goes with {filler}")
    if form.alone:
        parts.append("one request a call")
    return "; ".join(parts)


def environments_table() -> str:
    """Return the environments of sidecars as a Markdown table."""
    lines = ["| environment | Python | programs | for |", "|---|---|---|---|"]
    users = {name: adapter_facts(name).environment for name in adapters()}
    for name in environments.names():
        made = environments.environment(name)
        programs = ", ".join(f"`{program}`" for program in made.programs) or _NONE
        who = ", ".join(f"`{user}`" for user, own in users.items() if own == name) or _NONE
        lines.append(f"| `{name}` | {made.pythons} | {programs} | {who} |")
    return "\n".join(lines)


def adapters_table() -> str:
    """Return the adapters, and what was verified of each row that uses one, as a Markdown table."""
    head = "| id | reported as | upstream | commit | status | options of its own |"
    lines = [head, "|---" * head.count("| ") + "|"]
    for row in rows().values():
        name = (row.backend or "").removeprefix("sidecar:")
        if name not in adapters():
            continue
        facts = adapter_facts(name)
        own = "; ".join(f"`{key}`: {meaning}" for key, meaning in facts.options.items()) or _NONE
        read = facts.commit[:7] or _NONE
        cells = [f"`aurelia_{row.id}`", facts.system, facts.upstream, read, row.status, own]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def families_table() -> str:
    """Return the facts about families of the transformers library, as a Markdown table."""
    lines = ["| model type | facts |", "|---|---|"]
    for model_type, family in families().items():
        facts = family.model_dump(exclude_defaults=True)
        written = "; ".join(f"`{key}`: {value}" for key, value in facts.items())
        lines.append(f"| `{model_type}` | {written or _NONE} |")
    return "\n".join(lines)


def _system(row: Row) -> str:
    return f"{row.system} {row.size}".strip()


def _hears(takes: Capabilities) -> str:
    text = ", ".join(takes.hearing) or "nothing"
    return f"{text}; {takes.sound_seconds:g} s" if takes.sound_seconds else text


def boards_table() -> str:
    """Return what is known of each packaged board's setting as Markdown sections."""
    lines = []
    for name in packaged_boards():
        board = load_board(name)
        best = max(board.published(), key=lambda row: row.score)
        lines += [
            f"### `{name}`: {board.title}",
            "",
            f"{board.source}, as of {board.dated}. {board.metric[0].upper()}"
            f"{board.metric[1:]}; n = {board.n:,}; {len(board.published())} rows, "
            f"{best.model} the highest with {best.score:.1f}.",
            "",
            "| | of the published figures |",
            "|---|---|",
            *(f"| {what} | {text} |" for what, text in board.protocol.items()),
            f"| tasks here | {', '.join(f'`{task}`' for task in board.tasks)} |",
            "",
            "```bash",
            board.closest,
            f"aurelia compare OUT --board {name}",
            "```",
            "",
        ]
    return "\n".join(lines).rstrip()


def facts_compared() -> str:
    """What was compared of the sources behind geoiq's facts, in a sentence."""
    table = knowledge()
    tested = {"iso3166", "iso4217", "cldr"}
    facts = [fact for fact in table.facts if not tested & set(fact.works)]
    cited = [source for fact in facts for source in fact.sources]
    read = [source for source in cited if source in table.compared]
    borne_out = sum(not set(fact.sources).isdisjoint(table.compared) for fact in facts)
    return (
        f"Of the {len(table.facts)} facts {len(table.facts) - len(facts)} are read from such a "
        f"standard. Behind the other {len(facts)} stand {len(cited)} citations; {len(read)} of "
        f"them were compared with the text of the work (`compared` in the file), which bore out "
        f"{borne_out} of the facts by at least one. The others were not compared."
    )


def providers_reference() -> str:
    """Return a section with the options of each packaged provider, as Markdown."""
    parts = []
    for name, module in PROVIDERS.items():
        form = importlib.import_module(module).OPTIONS
        table = options_table(form) if form.model_fields else "No options."
        parts.append(f"## {name}\n\n{table}")
    return "\n\n".join(parts)


def kept_output(name: str, *, without_table: bool = False) -> str:
    """Return what a command of the documentation printed when it was last run, as a code block.

    Without the table: its first and its last paragraph.
    """
    text = (_DATA / f"{name}.txt").read_text(encoding="utf-8").rstrip()
    if without_table:
        first, *_, last = text.split("\n\n")
        text = f"{first}\n[...]\n{last}"
    return f"```text\n{text}\n```"


def command_help(*arguments: str) -> str:
    """Return what `aurelia ... --help` prints."""
    with mock.patch.dict(os.environ, {"COLUMNS": _WIDTH}):
        found: argparse.ArgumentParser = parser()
        for word in arguments:
            found = dict(_below(found))[word]
        return found.format_help().rstrip()


def commands_reference() -> str:
    """Return the help of every command, as Markdown."""
    with mock.patch.dict(os.environ, {"COLUMNS": _WIDTH}):
        return "\n\n".join(_sections(parser()))


def _sections(above: argparse.ArgumentParser, level: str = "##") -> Iterator[str]:
    for _, command in _below(above):
        yield f"{level} {command.prog}\n\n```text\n{command.format_help().rstrip()}\n```"
        yield from _sections(command, f"{level}#")


def _below(above: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield the subcommands of a command, by name."""
    for action in above._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()
