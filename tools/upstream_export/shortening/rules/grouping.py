"""Statements on one line that do not depend on each other."""

from __future__ import annotations

import ast
from typing import Final

from upstream_export.shortening.expressions import (
    is_pure,
    names_of,
    width,
)
from upstream_export.shortening.rules.places import (
    INDENT,
    WIDTH,
    assigned,
)

__all__ = ["grouped"]


_TOGETHER: Final = 4


_TOGETHER_WIDTH: Final = 200


def grouped(body: list[ast.stmt], indent: int) -> list[ast.stmt]:
    """Write assignments that do not depend on each other on one line."""
    written: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If | ast.For | ast.While):
            statement.body = grouped(statement.body, indent + INDENT)
            statement.orelse = grouped(statement.orelse, indent + INDENT)
        statement = _appended(statement, indent)
        made = _together(written[-1], statement) if written else None
        if made is not None and width(made) + indent <= _TOGETHER_WIDTH:
            written[-1] = made
        else:
            written.append(statement)
    return written


def _appended(statement: ast.stmt, indent: int) -> ast.stmt:
    """Return what appends if a test holds, or one of two things, as one line."""
    if not isinstance(statement, ast.If) or len(statement.body) != 1:
        return statement
    first = _append(statement.body[0])
    if first is None or names_of(statement.test) & {first[0]}:
        return statement
    other: ast.expr = ast.List([], ast.Load())
    if statement.orelse:
        second = _append(statement.orelse[0]) if len(statement.orelse) == 1 else None
        if second is None or second[0] != first[0]:
            return statement
        other = ast.List([second[1]], ast.Load())
    value = ast.IfExp(statement.test, ast.List([first[1]], ast.Load()), other)
    made = ast.AugAssign(ast.Name(first[0], ast.Store()), ast.Add(), value)
    return made if width(made) + indent <= WIDTH else statement


def _append(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return the list and what is appended to it."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    if call.func.attr != "append" or not isinstance(call.func.value, ast.Name):
        return None
    return call.func.value.id, call.args[0]


def _together(before: ast.stmt, statement: ast.stmt) -> ast.stmt | None:
    names, values = _targets(before), _targets(statement)
    if names is None or values is None or len(names[0]) + len(values[0]) > _TOGETHER:
        return None
    if {one.id for one in names[0]} & names_of(*values[1]):
        return None
    if not all(is_pure(one) for one in (*values[1], *names[1])):
        return None
    if any(
        isinstance(one, ast.NamedExpr)
        for value in (*names[1], *values[1])
        for one in ast.walk(value)
    ):
        return None
    targets: list[ast.expr] = [*names[0], *values[0]]
    return ast.Assign(
        [ast.Tuple(targets, ast.Store())], ast.Tuple([*names[1], *values[1]], ast.Load())
    )


def _targets(statement: ast.stmt) -> tuple[list[ast.Name], list[ast.expr]] | None:
    named = assigned(statement)
    if named is not None:
        return [ast.Name(named[0], ast.Store())], [named[1]]
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, value = statement.targets[0], statement.value
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        return None
    names = [one for one in target.elts if isinstance(one, ast.Name)]
    if len(names) != len(target.elts) or any(isinstance(v, ast.Starred) for v in value.elts):
        return None
    return names, value.elts
