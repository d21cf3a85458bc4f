"""One bundle as several modules: what some names need, and what others need beside it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Split", "split"]


class Split(NamedTuple):
    """What a source comes to.

    Attributes:
        shared: the definitions that the shared names need, with the source's imports.
        used: the names of `shared` that the other modules import.
        rests: what other names need beside it, each with an import of what it uses.
    """

    shared: str
    used: frozenset[str]
    rests: tuple[str, ...]


def split(
    source: str, shared: Collection[str], others: Sequence[Collection[str]], module: str
) -> Split:
    """Split a bundle.

    Constants of the shared module that a rest uses are written in it too: they are data.

    Args:
        source: made by `bundling.bundle`.
        shared: the names that one module is to have.
        others: the names that each of the others is to have.
        module: the dotted name of the shared one.
    """
    tree = ast.parse(source)
    made = {name: one for one in tree.body if (name := _name(one)) is not None}
    common = _reached(made, shared)
    used: set[str] = set()
    rests = []
    for names in others:
        own = _reached(made, names) - common
        needed = {one for name in own for one in _names(made[name])} | set(names)
        copied = _reached(made, {one for one in needed & common if _is_constant(made[one])})
        functions = {one for one in copied if not _is_constant(made[one])}
        imported = (needed & common) - copied | functions
        used |= imported
        line = ast.parse(f"from {module} import {', '.join(sorted(imported))}").body
        rests.append(_source(tree, own | (copied - functions), line))
    return Split(_source(tree, common, []), frozenset(used), tuple(rests))


def _source(tree: ast.Module, names: Collection[str], imported: Sequence[ast.stmt]) -> str:
    """Return the source of a module with these definitions."""
    head = [one for one in tree.body if _name(one) is None]
    body = [one for one in tree.body if _name(one) in names]
    return ast.unparse(ast.Module([*head, *imported, *body], []))


def _name(statement: ast.stmt) -> str | None:
    """Return what a definition defines; None for anything else."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    target = statement.target if isinstance(statement, ast.AnnAssign) else target
    return target.id if isinstance(target, ast.Name) else None


def _is_constant(statement: ast.stmt) -> bool:
    return not isinstance(statement, ast.FunctionDef | ast.ClassDef)


def _names(statement: ast.stmt) -> set[str]:
    """Return the names of other definitions that one uses, its own variables left out."""
    if isinstance(statement, ast.ClassDef):
        parts = [*statement.bases, *statement.body]
        return {name for part in parts for name in _loaded(part) - _bound(part)}
    return _loaded(statement) - _bound(statement)


def _loaded(node: ast.AST) -> set[str]:
    return {
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
    }


def _bound(node: ast.AST) -> set[str]:
    if not isinstance(node, ast.FunctionDef):
        return set()
    names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    stored = {one.id for one in names if isinstance(one.ctx, ast.Store)}
    return stored | {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}


def _reached(made: Mapping[str, ast.stmt], names: Collection[str]) -> set[str]:
    """Return names and all that their definitions use."""
    found: set[str] = set()
    asked = [name for name in names if name in made]
    while asked:
        name = asked.pop()
        if name not in found:
            found.add(name)
            asked += [one for one in _names(made[name]) if one in made]
    return found
