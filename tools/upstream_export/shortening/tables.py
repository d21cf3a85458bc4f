"""A module's patterns and words as a table beside it: what is data is written as data."""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["Tables", "take_tables"]

_LONG: Final = 3000  # characters of a pattern that is made from Unicode's own tables


class Tables(NamedTuple):
    """What is taken out: name -> pattern and flags, set of words, or list or mapping."""

    patterns: dict[str, tuple[str, int]]
    words: dict[str, list[str]]
    lists: dict[str, object]

    def written(self) -> str:
        """Return the table as JSON, a name a line."""
        parts = []
        for title, rows in self._asdict().items():
            lines = [
                f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
                for name, value in rows.items()
            ]
            parts.append(f' "{title}": {{\n' + ",\n".join(lines) + "\n }")
        return "{\n" + ",\n".join(parts) + "\n}\n"


def take_tables(tree: ast.Module, source: str) -> Tables:
    """Take the constants out of a module and write `P.NAME`, `W.NAME` and `L.NAME` for them.

    Args:
        tree: the module, changed in place.
        source: that gives their values when it is executed.

    Raises:
        ValueError: a name is none that can stand behind a dot.
    """
    values: dict[str, object] = {"__name__": "bundle"}
    exec(compile(source, "bundle", "exec"), values)
    tables = Tables({}, {}, {})
    taken: dict[str, str] = {}
    short: dict[str, str] = {}
    left: list[ast.stmt] = []
    for statement in tree.body:
        name = _constant(statement)
        if name is None:
            left.append(statement)
            continue
        plain = name.strip("_")
        while plain in short:
            plain += "_"
        letter = _put(tables, plain, values[name])
        if letter is None:
            left.append(statement)
            continue
        if keyword.iskeyword(plain):
            raise ValueError(f"{name}: cannot stand behind a dot.")
        short[plain] = name
        taken[name] = f"{letter}.{plain}"
    tree.body = left
    _Dotted(taken).visit(tree)
    return tables


def _constant(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _put(tables: Tables, name: str, value: object) -> str | None:
    if isinstance(value, re.Pattern):
        if len(value.pattern) > _LONG:
            return None
        tables.patterns[name] = (value.pattern, value.flags & ~re.UNICODE)
        return "P"
    if isinstance(value, set | frozenset) and all(isinstance(one, str) for one in value):
        tables.words[name] = sorted(value)
        return "W"
    plain = _plain(value)
    if plain is not None and plain != {}:
        tables.lists[name] = plain
        return "L"
    return None


def _plain(value: object) -> object:
    """Return lists and mappings of texts and numbers as JSON has them, or None."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, tuple | list):
        found = [_plain(one) for one in value]
        return None if None in found else found
    if isinstance(value, Mapping):
        rows = {key: _plain(one) for key, one in value.items()}
        if None in rows.values() or not all(isinstance(key, str) for key in rows):
            return None
        return rows
    return None


class _Dotted(ast.NodeTransformer):
    def __init__(self, taken: Mapping[str, str]) -> None:
        self._taken = taken

    def visit_Name(self, node: ast.Name) -> ast.AST:
        letter, _, name = self._taken.get(node.id, "").partition(".")
        return ast.Attribute(ast.Name(letter, ast.Load()), name, node.ctx) if name else node
