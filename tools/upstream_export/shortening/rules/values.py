"""Rules for values that get a name."""

from __future__ import annotations

import ast
from collections.abc import Callable

from upstream_export.shortening.expressions import (
    is_pure,
    names_of,
    put_in,
    with_assignment,
)
from upstream_export.shortening.rules.places import (
    Change,
    Place,
    assigned,
    assignment,
    only,
    plain_if,
)

__all__ = ["kept_or_changed", "named_in_use", "then_changed", "used_once"]


def used_once(statement: ast.stmt, place: Place) -> Change:
    """A value that is named for the next statement alone."""
    named = assigned(statement)
    if named is None or place.following is None:
        return None
    loaded, stored = place.counts()
    if stored[named[0]] != 1 or loaded[named[0]] != 1:
        return None
    return _in_next(named, place, put_in)


def named_in_use(statement: ast.stmt, place: Place) -> Change:
    """A value that is named where it is used first (`:=`)."""
    named = assigned(statement)
    if named is None or place.following is None:
        return None
    if isinstance(named[1], ast.Constant | ast.Name):
        return None
    return _in_next(named, place, with_assignment)


def _in_next(
    named: tuple[str, ast.expr],
    place: Place,
    put: Callable[[ast.expr, str, ast.expr], ast.expr | None],
) -> Change:
    after = place.following
    whole: ast.expr | None
    if isinstance(after, ast.Return) and after.value is not None:
        whole = put(after.value, *named)
        made: ast.stmt | None = ast.Return(whole)
    elif isinstance(after, ast.If):
        whole = put(after.test, *named)
        made = ast.If(whole, after.body, after.orelse) if whole is not None else None
    elif isinstance(after, ast.For):
        whole = put(after.iter, *named)
        made = ast.For(after.target, whole, after.body, after.orelse) if whole is not None else None
    elif isinstance(after, ast.Assign):
        whole = put(after.value, *named) if named[0] not in names_of(*after.targets) else None
        if assigned(after) is None or isinstance(whole, ast.NamedExpr):
            return None
        made = ast.Assign(after.targets, whole) if whole is not None else None
    elif isinstance(after, ast.Expr) and not isinstance(after.value, ast.Yield):
        whole = put(after.value, *named)
        made = ast.Expr(whole) if whole is not None else None
    else:
        return None
    if whole is None or made is None or isinstance(whole, ast.NamedExpr):
        return None
    return (2, [made]) if place.fits(made) else None


def then_changed(statement: ast.stmt, place: Place) -> Change:
    """`x = a` before `if b: x = c`."""
    named, after = assigned(statement), plain_if(place.following)
    changed = assigned(only(after.body)) if after else None
    if named is None or after is None or changed is None or changed[0] != named[0]:
        return None
    if named[0] in names_of(after.test, changed[1]) or not is_pure(named[1]):
        return None
    made = assignment(named[0], ast.IfExp(after.test, changed[1], named[1]))
    return (2, [made]) if place.fits(made) else None


def kept_or_changed(statement: ast.stmt, place: Place) -> Change:
    """`if a: x = b`, where x has a value."""
    guard = plain_if(statement)
    changed = assigned(only(guard.body)) if guard else None
    if guard is None or changed is None or not _has_value(changed[0], place.function):
        return None
    kept = ast.Name(changed[0], ast.Load())
    made = assignment(changed[0], ast.IfExp(guard.test, changed[1], kept))
    return (1, [made]) if place.fits(made) else None


def _has_value(name: str, function: ast.FunctionDef) -> bool:
    """Return whether a name has one from the function's arguments or its own first block."""
    if any(one.arg == name for one in ast.walk(function.args) if isinstance(one, ast.arg)):
        return True
    return any(
        isinstance(one, ast.Assign) and name in names_of(*one.targets) for one in function.body
    )
