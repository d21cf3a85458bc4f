"""The readers of replies as generated modules, with their tables beside them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from aurelia_plugin.compare.outputs.exports.bundling import Name, bundle
from upstream_export.formatting import formatted
from upstream_export.shortening.module import Short, shortened
from upstream_export.splitting import split

__all__ = ["SHARED", "answer_readers", "board_rules"]

SHARED: Final = Path("lmms_eval/tasks/_task_utils")
"""The folder of what tasks share."""

_READER: Final = "reply_reader"
_SCORING: Final = "aurelia_plugin.benchmark.scoring."
_BOARDS: Final = "aurelia_plugin.benchmark.boards."
_OPTIONS: Final = (
    Name("aurelia_plugin.calling.thinking", "spoken"),
    Name(_SCORING + "metrics", "score_choice"),
)
_ANSWERS: Final = (
    *_OPTIONS,
    Name(_SCORING + "labels", "label_set"),
    Name(_SCORING + "metrics", "score_answer"),
    Name(_SCORING + "metrics", "score_sentence"),
)
_RULES: Final = (
    *_OPTIONS,
    Name(_BOARDS + "letters", "unlettered"),
    Name(_BOARDS + "daily_omni", "begins_with_letter"),
    Name(_BOARDS + "jointavbench", "names_one_option"),
    Name(_BOARDS + "omnivideobench", "is_letter_alone"),
)
_TITLE: Final = """\
{what}

The module is generated from {where} of aurelia-lmms-eval, where changes belong;
patterns and words are in {table}.
"""
_READS: Final = (
    "Read the option that a reply chooses, without its thinking and without the gold answer."
)
_SCORES: Final = "Score replies to open questions; reading takes no gold answer."
_RULED: Final = "The boards' own rules."


def answer_readers(folder: Path, name: str) -> dict[Path, str]:
    """Return what scores all forms of answers: the shared reader, and a module in a folder.

    Args:
        folder: of the module.
        name: of the module and its table, without ending.
    """
    return {**_files(SHARED, _READER), **_files(folder, name)}


def board_rules(name: str) -> dict[Path, str]:
    """Return what scores options: the shared reader, and the boards' own rules beside it."""
    return {**_files(SHARED, _READER), **_files(SHARED, name)}


def _files(folder: Path, name: str) -> dict[Path, str]:
    short = _modules()[name]
    return {folder / f"{name}.py": short.module, folder / f"{name}.json": short.table}


@lru_cache(maxsize=1)
def _modules() -> dict[str, Short]:
    source = bundle((*_ANSWERS, *_RULES), "x")
    options, answers, rules = ({name.name for name in w} for w in (_OPTIONS, _ANSWERS, _RULES))
    others = (answers - options, rules - options)
    parts = split(source, options, others, f"{'.'.join(SHARED.parts)}.{_READER}")
    scoring, boards = "aurelia_plugin/benchmark/scoring", "aurelia_plugin/benchmark/boards"
    return {
        _READER: _made(parts.shared, parts.used | options, _READER, source, (_READS, scoring)),
        "scoring": _made(parts.rests[0], answers, "scoring", source, (_SCORES, scoring)),
        "board_rules": _made(parts.rests[1], rules, "board_rules", source, (_RULED, boards)),
    }


def _made(
    source: str, kept: frozenset[str] | set[str], name: str, whole: str, about: tuple[str, str]
) -> Short:
    table = f"{name}.json"
    what, where = about
    title = _TITLE.format(what=what, where=where, table=table)
    titled = source.replace('"""x"""', f'"""{title}"""', 1)
    short = shortened(titled, frozenset(kept), table, whole)
    return short._replace(module=formatted(short.module))
