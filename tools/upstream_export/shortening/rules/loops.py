"""Rules for loops that collect or search."""

from __future__ import annotations

import ast

from upstream_export.shortening.expressions import (
    names_of,
    with_assignment,
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

__all__ = ["collecting_loop", "list_filled_at_once", "search_loop", "whole_generator"]


def collecting_loop(statement: ast.stmt, place: Place) -> Change:
    """A loop that appends or yields: a comprehension."""
    if not isinstance(statement, ast.For) or statement.orelse:
        return None
    parts = [ast.comprehension(statement.target, statement.iter, [], 0)]
    given: list[tuple[str, ast.expr]] = []
    body = statement.body
    while True:
        named = assigned(body[0])
        if named is not None and len(body) > 1:
            given.append(named)
            body = body[1:]
            continue
        if len(body) != 1:
            return None
        inner = body[0]
        condition = plain_if(inner)
        if condition is not None:
            test = _with_given(condition.test, given)
            if test is None:
                return None
            parts[-1].ifs.append(test)
            given = []
            body = condition.body
        elif isinstance(inner, ast.For) and not inner.orelse and not given:
            parts.append(ast.comprehension(inner.target, inner.iter, [], 0))
            body = inner.body
        else:
            break
    return _collected(body[0], parts, given, place)


def _with_given(expression: ast.expr, given: list[tuple[str, ast.expr]]) -> ast.expr | None:
    """Return an expression that makes the assignments before it, or None."""
    for name, value in reversed(given):
        made = with_assignment(expression, name, value)
        if made is None:
            return None
        expression = made
    return expression


def _collected(
    statement: ast.stmt,
    parts: list[ast.comprehension],
    given: list[tuple[str, ast.expr]],
    place: Place,
) -> Change:
    if not isinstance(statement, ast.Expr):
        return None
    called = statement.value
    if isinstance(called, ast.Yield) and called.value is not None:
        element = _with_given(called.value, given)
        if element is None:
            return None
        made: ast.stmt = ast.Expr(ast.YieldFrom(ast.GeneratorExp(element, parts)))
        return (1, [made]) if place.fits(made) else None
    if not (isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute)):
        return None
    target = called.func.value
    if called.func.attr != "append" or not isinstance(target, ast.Name):
        return None
    element = _with_given(called.args[0], given)
    tests = [test for part in parts for test in (part.iter, *part.ifs)]
    if element is None or target.id in names_of(element, *tests):
        return None
    made = ast.AugAssign(ast.Name(target.id, ast.Store()), ast.Add(), ast.ListComp(element, parts))
    return (1, [made]) if place.fits(made) else None


def list_filled_at_once(statement: ast.stmt, place: Place) -> Change:
    """`x = []` before `x += [...]`."""
    named = assigned(statement)
    filled = place.following
    if named is None or not isinstance(named[1], ast.List) or named[1].elts:
        return None
    if not isinstance(filled, ast.AugAssign) or not isinstance(filled.value, ast.ListComp):
        return None
    if not isinstance(filled.target, ast.Name) or filled.target.id != named[0]:
        return None
    if named[0] in names_of(filled.value):
        return None
    made = assignment(named[0], filled.value)
    return (2, [made]) if place.fits(made) else None


def search_loop(statement: ast.stmt, place: Place) -> Change:
    """A loop that returns the first it finds, before `return`."""
    after = place.following
    if not isinstance(statement, ast.For) or statement.orelse:
        return None
    if not isinstance(after, ast.Return) or is_generator(place.function):
        return None
    found = plain_if(only(statement.body))
    first = only(found.body) if found else None
    if found is None or not isinstance(first, ast.Return):
        return None
    part = ast.comprehension(statement.target, statement.iter, [found.test], 0)
    chosen = ast.GeneratorExp(returned(first), [part])
    made = ast.Return(ast.Call(ast.Name("next", ast.Load()), [chosen, returned(after)], []))
    return (2, [made]) if place.fits(made) else None


def whole_generator(statement: ast.stmt, place: Place) -> Change:
    """A function that is one `yield from`."""
    if len(place.function.body) != 1 or place.function.body[0] is not statement:
        return None
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.YieldFrom):
        return 1, [ast.Return(statement.value.value)]
    return None
