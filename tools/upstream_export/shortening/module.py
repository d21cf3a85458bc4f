"""A bundle on as few lines as its rules allow, and its tables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

from upstream_export.shortening.expressions import names_of
from upstream_export.shortening.functions import as_lambdas, inlined, pruned
from upstream_export.shortening.merging import merged
from upstream_export.shortening.records import (
    plain_assignments,
    plain_records,
    without_docstrings,
)
from upstream_export.shortening.rules.applying import shorten_function
from upstream_export.shortening.tables import take_tables

__all__ = ["Short", "shortened"]


class Short(NamedTuple):
    """A module and the JSON file beside it, which it reads."""

    module: str
    table: str


_READING: Final = """\
_TABLES = json.loads(Path(__file__).with_name("{file}").read_text(encoding="utf-8"))
P = SimpleNamespace(
    **{{name: re.compile(*form) for name, form in _TABLES["patterns"].items()}}
)
W = SimpleNamespace(**{{name: frozenset(words) for name, words in _TABLES["words"].items()}})
L = SimpleNamespace(**_TABLES["lists"])
"""
_IMPORTS: Final = (
    "import json, re",
    "from collections import namedtuple",
    "from pathlib import Path",
    "from types import SimpleNamespace",
)


def shortened(source: str, kept: frozenset[str], file: str, whole: str | None = None) -> Short:
    """Return a module that does what `source` does.

    Args:
        source: made by `bundling.bundle`.
        kept: the functions that others call.
        file: the name of the table's file.
        whole: what the source is a part of, where it does not stand alone.
    """
    tree = ast.parse(source)
    title = ast.get_docstring(tree, clean=False)
    tree.body.pop(0)
    records = {one.name for one in tree.body if isinstance(one, ast.ClassDef)}
    without_docstrings(tree, kept - records)
    plain_assignments(tree)
    tables = take_tables(tree, whole or source)
    plain_records(tree)
    pruned(tree, kept)
    _rewritten(tree, kept)
    imports = [one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
    tree.body = [one for one in tree.body if one not in imports]
    future, *others = [ast.unparse(one) for one in imports]
    code = f"{_READING.format(file=file)}\n{ast.unparse(ast.fix_missing_locations(tree))}\n"
    head = [f'"""{title}"""', future, *_needed([*others, *_IMPORTS], code)]
    return Short("\n".join(head) + f"\n{code}", tables.written())


def _rewritten(tree: ast.Module, kept: frozenset[str]) -> None:
    done: set[str] = set()
    while True:
        for function, indent in _functions(tree):
            if ast.dump(function) not in done:
                shorten_function(function, indent)
                done.add(ast.dump(function))
        if not inlined(tree, kept) and not merged(tree, kept):
            break
    as_lambdas(tree, kept)
    ast.fix_missing_locations(tree)


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef, int]]:
    """Yield functions and methods with their indents."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield statement, 0
        elif isinstance(statement, ast.ClassDef):
            yield from ((one, 4) for one in statement.body if isinstance(one, ast.FunctionDef))


def _needed(imports: list[str], text: str) -> list[str]:
    """Return the import statements without the names that a text does not use."""
    used = names_of(ast.parse(text))
    kept = []
    for line in imports:
        statement = ast.parse(line).body[0]
        assert isinstance(statement, ast.Import | ast.ImportFrom)
        statement.names = [one for one in statement.names if (one.asname or one.name) in used]
        if statement.names:
            kept.append(ast.unparse(statement))
    return kept
