"""How lmms-eval's own extractors and this package read a corpus of multiple-choice replies.

    python benchmarks/answer_readers.py CORPUS.yaml

CORPUS holds `replies`: a list of rows with `options` (texts), `gold` (a letter), `reply`, and
`want` (`score`, and `unparsed` where it matters). Printed: how many replies each reader reads as
wanted, and for how many it gives credit that it should not.
"""

from __future__ import annotations

import argparse
import importlib
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypedDict

import yaml
from rich.console import Console
from rich.table import Table

from aurelia_plugin.benchmark.reading import as_choice

Reader = Callable[[str, Mapping[str, str]], str | None]


class Row(TypedDict):
    """One row of a corpus."""

    options: list[str] | None
    gold: str
    reply: str
    want: dict[str, int]


def _function(module: str, name: str) -> Callable[..., object]:
    found: Callable[..., object] = getattr(importlib.import_module(module), name)
    return found


def _mcq(reply: str, options: Mapping[str, str]) -> str | None:
    read = _function("lmms_eval.tasks._task_utils.mcq_extract", "extract_mcq_answer")
    return str(read(reply, list(options))) or None


def _omni_bench(reply: str, options: Mapping[str, str]) -> str | None:
    read = _function("lmms_eval.tasks.omni_bench.utils", "parse_multi_choice_response")
    random.seed(0)  # it guesses where it reads nothing
    return str(read(reply, list(options), dict(options)))


def _av_odyssey(reply: str, options: Mapping[str, str]) -> str | None:
    read = _function("lmms_eval.tasks.av_odyssey.utils", "parse_multi_choice_response")
    random.seed(0)
    return str(read(reply, list(options), dict(options)))


def _filter(reply: str, options: Mapping[str, str]) -> str | None:
    made = _function("lmms_eval.filters.extraction", "MultiChoiceRegexFilter")
    chosen = made(group_select=0, ignore_case=True, ignore_punctuation=True)
    doc = {"choices": [f"({letter}) {text}" for letter, text in options.items()]}
    read: list[list[str]] = chosen.apply([[reply]], [doc])  # type: ignore[attr-defined]
    return read[0][0].strip("() ").upper()


READERS: Final[Mapping[str, Reader]] = {
    "aurelia": lambda reply, options: as_choice(reply, options).value,
    "lmms-eval mcq_extract": _mcq,
    "lmms-eval omni_bench": _omni_bench,
    "lmms-eval av_odyssey": _av_odyssey,
    "lmms-eval MultiChoiceRegexFilter": _filter,
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path)
    rows: list[Row] = yaml.safe_load(parser.parse_args().corpus.read_text("utf-8"))["replies"]
    rows = [row for row in rows if row["options"]]
    table = Table("reader", "read as wanted", "credit not due", "of")
    for name, read in READERS.items():
        right = undue = 0
        for row in rows:
            options = {chr(65 + n): str(text) for n, text in enumerate(row["options"] or ())}
            try:
                said = read(row["reply"], options)
            except (KeyError, IndexError, TypeError, ValueError):
                said = None  # some readers fail on what they do not expect
            credit = int(said == row["gold"])
            parsed = row["want"].get("unparsed", 0) == 0 or said not in options
            right += credit == row["want"]["score"] and parsed
            undue += credit > row["want"]["score"]
        table.add_row(name, str(right), str(undue), str(len(rows)))
    Console().print(table)


if __name__ == "__main__":
    main()
