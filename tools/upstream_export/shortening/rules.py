"""Rules that write statements of a function on fewer lines: each keeps what the function returns.

A rule looks at a statement and the one after it, and returns how many of them what it writes takes
the place of, or None where it does not apply.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from upstream_export.shortening.expressions import (
    both,
    either,
    is_pure,
    names_of,
    negated,
    put_in,
    same,
    width,
    with_assignment,
)

__all__ = ["shorten_function"]

_WIDTH: Final = 236
_INDENT: Final = 4


class _Place(NamedTuple):
    """Where a statement stands.

    Attributes:
        following: the statement after it.
        last: that one is the last of its block.
        in_loop: the block is a loop's.
        room: characters that a line has.
    """

    function: ast.FunctionDef
    following: ast.stmt | None
    last: bool
    in_loop: bool
    room: int

    def fits(self, statement: ast.stmt) -> bool:
        return width(statement) <= self.room

    def counts(self) -> tuple[Counter[str], Counter[str]]:
        """Return how often each name is loaded and stored in the function."""
        loaded: Counter[str] = Counter()
        stored: Counter[str] = Counter()
        for node in ast.walk(self.function):
            if isinstance(node, ast.Name):
                (loaded if isinstance(node.ctx, ast.Load) else stored)[node.id] += 1
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                loaded[node.target.id] += 1
            elif isinstance(node, ast.arg):
                stored[node.arg] += 1
        return loaded, stored


Change = tuple[int, list[ast.stmt]] | None
Rule = Callable[[ast.stmt, _Place], Change]


def shorten_function(function: ast.FunctionDef, indent: int) -> None:
    """Rewrite a function in place until no rule applies.

    Args:
        indent: of its first line, in characters.
    """
    before = ""
    while before != (now := ast.dump(function)):
        before = now
        function.body = _block(function, function.body, indent + _INDENT, False)
    function.body = _grouped(function.body, indent + _INDENT)


def _block(
    function: ast.FunctionDef, body: list[ast.stmt], indent: int, in_loop: bool
) -> list[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If | ast.For | ast.While):
            loops = not isinstance(statement, ast.If)
            inner = loops or in_loop
            statement.body = _block(function, statement.body, indent + _INDENT, inner)
            statement.orelse = _block(function, statement.orelse, indent + _INDENT, in_loop)
    written = list(body)
    place = 0
    while place < len(written):
        following = written[place + 1] if place + 1 < len(written) else None
        at = _Place(function, following, place + 2 == len(written), in_loop, _WIDTH - indent)
        change = next((one for rule in _RULES if (one := rule(written[place], at))), None)
        if change is None:
            place += 1
            continue
        taken, statements = change
        written[place : place + taken] = statements
        place = max(0, place - 1)
    return written


def _only(body: list[ast.stmt]) -> ast.stmt | None:
    return body[0] if len(body) == 1 else None


def _plain_if(statement: ast.stmt | None) -> ast.If | None:
    found = statement if isinstance(statement, ast.If) and not statement.orelse else None
    return found


def _is_generator(function: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(function))


def _returned(statement: ast.Return) -> ast.expr:
    return statement.value if statement.value is not None else ast.Constant(None)


def _assigned(statement: ast.stmt | None) -> tuple[str, ast.expr] | None:
    """Return name and value of a plain assignment."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            return target.id, statement.value
    return None


def _assignment(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _if_in_if(statement: ast.stmt, place: _Place) -> Change:
    """`if a:` with nothing but `if b:` in it."""
    outer = _plain_if(statement)
    inner = _plain_if(_only(outer.body)) if outer else None
    if outer is None or inner is None:
        return None
    made = ast.If(both(outer.test, inner.test), inner.body, [])
    return (1, [made]) if place.fits(made) else None


def _two_branches(statement: ast.stmt, place: _Place) -> Change:
    """Two branches that return, or assign the same."""
    if not isinstance(statement, ast.If):
        return None
    first, second = _only(statement.body), _only(statement.orelse)
    made: ast.stmt
    if isinstance(first, ast.Return) and isinstance(second, ast.Return):
        made = ast.Return(ast.IfExp(statement.test, _returned(first), _returned(second)))
    else:
        one, other = _assigned(first), _assigned(second)
        if one is None or other is None or one[0] != other[0]:
            return None
        made = _assignment(one[0], ast.IfExp(statement.test, one[1], other[1]))
    return (1, [made]) if place.fits(made) else None


def _return_after_guard(statement: ast.stmt, place: _Place) -> Change:
    """`if a: return b` before `return c`."""
    guard = _plain_if(statement)
    first = _only(guard.body) if guard else None
    second = place.following
    if guard is None or not isinstance(first, ast.Return) or not isinstance(second, ast.Return):
        return None
    if _is_generator(place.function):
        return None
    made = ast.Return(_chosen(guard.test, _returned(first), _returned(second)))
    return (2, [made]) if place.fits(made) else None


def _chosen(test: ast.expr, first: ast.expr, second: ast.expr) -> ast.expr:
    """Return `first if test else second`; of two branches that are alike, one."""
    if isinstance(second, ast.IfExp) and same(first, second.body):
        return ast.IfExp(either(test, second.test), first, second.orelse)
    return ast.IfExp(test, first, second)


def _guards_alike(statement: ast.stmt, place: _Place) -> Change:
    """Two guards with the same consequence."""
    first, second = _plain_if(statement), _plain_if(place.following)
    if first is None or second is None:
        return None
    one, other = _only(first.body), _only(second.body)
    if one is None or other is None or not same(one, other):
        return None
    if not isinstance(one, ast.Return | ast.Continue | ast.Break):
        return None
    made = ast.If(either(first.test, second.test), first.body, [])
    return (2, [made]) if place.fits(made) else None


def _continue_guard(statement: ast.stmt, place: _Place) -> Change:
    """`if a: continue` before a loop's last statement."""
    guard = _plain_if(statement)
    if guard is None or not place.last or place.following is None or not place.in_loop:
        return None
    if not isinstance(_only(guard.body), ast.Continue):
        return None
    inner = _plain_if(place.following)
    test = negated(guard.test)
    if inner is not None:
        made = ast.If(both(test, inner.test), inner.body, [])
    elif isinstance(place.following, ast.Expr | ast.Assign | ast.AugAssign):
        made = ast.If(test, [place.following], [])
    else:
        return None
    return (2, [made]) if place.fits(made) else None


def _collecting_loop(statement: ast.stmt, place: _Place) -> Change:
    """A loop that appends or yields: a comprehension."""
    if not isinstance(statement, ast.For) or statement.orelse:
        return None
    parts = [ast.comprehension(statement.target, statement.iter, [], 0)]
    given: list[tuple[str, ast.expr]] = []
    body = statement.body
    while True:
        named = _assigned(body[0])
        if named is not None and len(body) > 1:
            given.append(named)
            body = body[1:]
            continue
        if len(body) != 1:
            return None
        inner = body[0]
        condition = _plain_if(inner)
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
    place: _Place,
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


def _list_filled_at_once(statement: ast.stmt, place: _Place) -> Change:
    """`x = []` before `x += [...]`."""
    named = _assigned(statement)
    filled = place.following
    if named is None or not isinstance(named[1], ast.List) or named[1].elts:
        return None
    if not isinstance(filled, ast.AugAssign) or not isinstance(filled.value, ast.ListComp):
        return None
    if not isinstance(filled.target, ast.Name) or filled.target.id != named[0]:
        return None
    if named[0] in names_of(filled.value):
        return None
    made = _assignment(named[0], filled.value)
    return (2, [made]) if place.fits(made) else None


def _search_loop(statement: ast.stmt, place: _Place) -> Change:
    """A loop that returns the first it finds, before `return`."""
    after = place.following
    if not isinstance(statement, ast.For) or statement.orelse:
        return None
    if not isinstance(after, ast.Return) or _is_generator(place.function):
        return None
    found = _plain_if(_only(statement.body))
    first = _only(found.body) if found else None
    if found is None or not isinstance(first, ast.Return):
        return None
    part = ast.comprehension(statement.target, statement.iter, [found.test], 0)
    chosen = ast.GeneratorExp(_returned(first), [part])
    made = ast.Return(ast.Call(ast.Name("next", ast.Load()), [chosen, _returned(after)], []))
    return (2, [made]) if place.fits(made) else None


def _whole_generator(statement: ast.stmt, place: _Place) -> Change:
    """A function that is one `yield from`."""
    if len(place.function.body) != 1 or place.function.body[0] is not statement:
        return None
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.YieldFrom):
        return 1, [ast.Return(statement.value.value)]
    return None


def _used_once(statement: ast.stmt, place: _Place) -> Change:
    """A value that is named for the next statement alone."""
    named = _assigned(statement)
    if named is None or place.following is None:
        return None
    loaded, stored = place.counts()
    if stored[named[0]] != 1 or loaded[named[0]] != 1:
        return None
    return _in_next(named, place, put_in)


def _named_in_use(statement: ast.stmt, place: _Place) -> Change:
    """A value that is named where it is used first (`:=`)."""
    named = _assigned(statement)
    if named is None or place.following is None:
        return None
    if isinstance(named[1], ast.Constant | ast.Name):
        return None
    return _in_next(named, place, with_assignment)


def _in_next(
    named: tuple[str, ast.expr],
    place: _Place,
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
        if _assigned(after) is None or isinstance(whole, ast.NamedExpr):
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


def _then_changed(statement: ast.stmt, place: _Place) -> Change:
    """`x = a` before `if b: x = c`."""
    named, after = _assigned(statement), _plain_if(place.following)
    changed = _assigned(_only(after.body)) if after else None
    if named is None or after is None or changed is None or changed[0] != named[0]:
        return None
    if named[0] in names_of(after.test, changed[1]) or not is_pure(named[1]):
        return None
    made = _assignment(named[0], ast.IfExp(after.test, changed[1], named[1]))
    return (2, [made]) if place.fits(made) else None


def _kept_or_changed(statement: ast.stmt, place: _Place) -> Change:
    """`if a: x = b`, where x has a value."""
    guard = _plain_if(statement)
    changed = _assigned(_only(guard.body)) if guard else None
    if guard is None or changed is None or not _has_value(changed[0], place.function):
        return None
    kept = ast.Name(changed[0], ast.Load())
    made = _assignment(changed[0], ast.IfExp(guard.test, changed[1], kept))
    return (1, [made]) if place.fits(made) else None


def _has_value(name: str, function: ast.FunctionDef) -> bool:
    """Return whether a name has one from the function's arguments or its own first block."""
    if any(one.arg == name for one in ast.walk(function.args) if isinstance(one, ast.arg)):
        return True
    return any(
        isinstance(one, ast.Assign) and name in names_of(*one.targets) for one in function.body
    )


_RULES: Final[tuple[Rule, ...]] = (
    _if_in_if,
    _two_branches,
    _return_after_guard,
    _guards_alike,
    _continue_guard,
    _collecting_loop,
    _list_filled_at_once,
    _search_loop,
    _whole_generator,
    _used_once,
    _named_in_use,
    _then_changed,
    _kept_or_changed,
)


_TOGETHER: Final = 4
_TOGETHER_WIDTH: Final = 200


def _grouped(body: list[ast.stmt], indent: int) -> list[ast.stmt]:
    """Write assignments that do not depend on each other on one line."""
    written: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.If | ast.For | ast.While):
            statement.body = _grouped(statement.body, indent + _INDENT)
            statement.orelse = _grouped(statement.orelse, indent + _INDENT)
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
    return made if width(made) + indent <= _WIDTH else statement


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
    named = _assigned(statement)
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
