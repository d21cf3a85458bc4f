"""Rules for branches and guards."""

from __future__ import annotations

import ast

from upstream_export.shortening.expressions import (
    both,
    either,
    negated,
    same,
)
from upstream_export.shortening.rules.places import (
    Change,
    Place,
    assigned,
    assignment,
    is_generator,
    only,
    plain_if,
    returned,
)

__all__ = ["continue_guard", "guards_alike", "if_in_if", "return_after_guard", "two_branches"]


def if_in_if(statement: ast.stmt, place: Place) -> Change:
    """`if a:` with nothing but `if b:` in it."""
    outer = plain_if(statement)
    inner = plain_if(only(outer.body)) if outer else None
    if outer is None or inner is None:
        return None
    made = ast.If(both(outer.test, inner.test), inner.body, [])
    return (1, [made]) if place.fits(made) else None


def two_branches(statement: ast.stmt, place: Place) -> Change:
    """Two branches that return, or assign the same."""
    if not isinstance(statement, ast.If):
        return None
    first, second = only(statement.body), only(statement.orelse)
    made: ast.stmt
    if isinstance(first, ast.Return) and isinstance(second, ast.Return):
        made = ast.Return(ast.IfExp(statement.test, returned(first), returned(second)))
    else:
        one, other = assigned(first), assigned(second)
        if one is None or other is None or one[0] != other[0]:
            return None
        made = assignment(one[0], ast.IfExp(statement.test, one[1], other[1]))
    return (1, [made]) if place.fits(made) else None


def return_after_guard(statement: ast.stmt, place: Place) -> Change:
    """`if a: return b` before `return c`."""
    guard = plain_if(statement)
    first = only(guard.body) if guard else None
    second = place.following
    if guard is None or not isinstance(first, ast.Return) or not isinstance(second, ast.Return):
        return None
    if is_generator(place.function):
        return None
    made = ast.Return(_chosen(guard.test, returned(first), returned(second)))
    return (2, [made]) if place.fits(made) else None


def _chosen(test: ast.expr, first: ast.expr, second: ast.expr) -> ast.expr:
    """Return `first if test else second`; of two branches that are alike, one."""
    if isinstance(second, ast.IfExp) and same(first, second.body):
        return ast.IfExp(either(test, second.test), first, second.orelse)
    return ast.IfExp(test, first, second)


def guards_alike(statement: ast.stmt, place: Place) -> Change:
    """Two guards with the same consequence."""
    first, second = plain_if(statement), plain_if(place.following)
    if first is None or second is None:
        return None
    one, other = only(first.body), only(second.body)
    if one is None or other is None or not same(one, other):
        return None
    if not isinstance(one, ast.Return | ast.Continue | ast.Break):
        return None
    made = ast.If(either(first.test, second.test), first.body, [])
    return (2, [made]) if place.fits(made) else None


def continue_guard(statement: ast.stmt, place: Place) -> Change:
    """`if a: continue` before a loop's last statement."""
    guard = plain_if(statement)
    if guard is None or not place.last or place.following is None or not place.in_loop:
        return None
    if not isinstance(only(guard.body), ast.Continue):
        return None
    inner = plain_if(place.following)
    test = negated(guard.test)
    if inner is not None:
        made = ast.If(both(test, inner.test), inner.body, [])
    elif isinstance(place.following, ast.Expr | ast.Assign | ast.AugAssign):
        made = ast.If(test, [place.following], [])
    else:
        return None
    return (2, [made]) if place.fits(made) else None
