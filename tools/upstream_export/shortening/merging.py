"""Functions that are called in one place: their statements put there."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from upstream_export.shortening.calls import given_by
from upstream_export.shortening.expressions import is_pure, names_of, put_in, swapped
from upstream_export.shortening.rules.places import is_generator

__all__ = ["merged"]

_SCOPES: Final = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp, ast.Lambda)
_LONGEST: Final = 80  # statements of a function after it took another's


class _Callee(NamedTuple):
    """A function or method.

    Attributes:
        owner: the body that it stands in.
        method: whether it is called on `self`.
    """

    function: ast.FunctionDef
    owner: list[ast.stmt]
    method: bool


def merged(tree: ast.Module, kept: frozenset[str]) -> bool:
    """Put one function's statements where it is called; return whether there was one."""
    callees = list(_callees(tree))
    uses = Counter(one for statement in tree.body for one in _used(statement))
    callers: dict[str, _Callee] = {}
    for caller in callees:
        callers |= dict.fromkeys(_used(caller.function), caller)
    for callee in callees:
        name = callee.function.name
        use = f".{name}" if callee.method else name
        if name in kept or name.startswith("__") or uses[use] != 1 or use not in callers:
            continue
        caller = callers[use]
        if caller.function is callee.function or not _is_plain(callee.function):
            continue
        if callee.method and caller.owner is not callee.owner:
            continue
        if _put(caller.function, callee):
            callee.owner.remove(callee.function)
            return True
    return False


def _used(node: ast.AST) -> Iterator[str]:
    """Yield the names that are loaded, and behind a dot those of attributes."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield f".{one.attr}"


def _callees(tree: ast.Module) -> Iterator[_Callee]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef):
            yield _Callee(statement, tree.body, False)
        elif isinstance(statement, ast.ClassDef):
            for method in statement.body:
                if isinstance(method, ast.FunctionDef):
                    yield _Callee(method, statement.body, True)


def _is_plain(function: ast.FunctionDef) -> bool:
    """Return whether a function is no generator, decorated, recursive or of variable arguments."""
    arguments = function.args
    unusual = function.decorator_list or arguments.vararg or arguments.kwarg or arguments.kwonlyargs
    return not unusual and not any(
        isinstance(one, ast.Yield | ast.YieldFrom | ast.Nonlocal | ast.Global)
        for one in ast.walk(function)
    )


def _names(node: ast.AST, callee: _Callee) -> bool:
    name = callee.function.name
    if isinstance(node, ast.Attribute):
        return callee.method and node.attr == name
    return not callee.method and isinstance(node, ast.Name) and node.id == name


def _is_call(node: ast.AST, callee: _Callee) -> bool:
    return isinstance(node, ast.Call) and _names(node.func, callee)


def _put(caller: ast.FunctionDef, callee: _Callee) -> bool:
    """Put a function into its caller, if the call is a statement's own."""
    if _statements(caller) + _statements(callee.function) > _LONGEST:
        return False
    for body in _bodies(caller):
        for number, statement in enumerate(body):
            call = _own_call(statement, callee)
            if call is None:
                continue
            written = _written(caller, callee, statement, call)
            if written is None:
                return False
            body[number : number + 1] = written
            return True
    return False


def _statements(function: ast.FunctionDef) -> int:
    return sum(isinstance(one, ast.stmt) for one in ast.walk(function))


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for one in ast.walk(node):
        for field in ("body", "orelse"):
            body = getattr(one, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def _expression(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """Return the field and the expression that a statement evaluates first, and once."""
    if isinstance(statement, ast.Return | ast.Assign | ast.Expr) and statement.value is not None:
        return "value", statement.value
    if isinstance(statement, ast.If):
        return "test", statement.test
    if isinstance(statement, ast.For):
        return "iter", statement.iter
    return None


def _own_call(statement: ast.stmt, callee: _Callee) -> ast.Call | None:
    found = _expression(statement)
    if found is None:
        return None
    for one in ast.walk(found[1]):
        if isinstance(one, ast.Call) and _is_call(one, callee):
            return one
    return None


_PLACE: Final = "the call"  # no name of anything


def _written(
    caller: ast.FunctionDef, callee: _Callee, statement: ast.stmt, call: ast.Call
) -> list[ast.stmt] | None:
    body = copy.deepcopy(callee.function)
    returns = [one for one in ast.walk(body) if isinstance(one, ast.Return)]
    tail = isinstance(statement, ast.Return) and statement.value is call
    single = len(returns) == 1 and body.body[-1] is returns[0]
    if not tail and not single:
        return None
    given = given_by(callee.function, call, [ast.Name("self", ast.Load())] if callee.method else [])
    if given is None or (isinstance(statement, ast.Return) and is_generator(caller)):
        return None
    before = _bound(body, given, caller)
    if tail:
        return [*before, *body.body]
    field, expression = _expression(statement) or ("", call)
    last = returns[0].value or ast.Constant(None)
    made = put_in(_marked(expression, call), _PLACE, last)
    if made is None or not is_pure(expression):
        return None
    setattr(statement, field, made)
    return [*before, *body.body[:-1], statement]


def _marked(expression: ast.expr, call: ast.Call) -> ast.expr:
    """Return an expression with a name in place of a call."""
    copies: dict[int, ast.AST] = {}
    copied = copy.deepcopy(expression, copies)
    mark = ast.Name(_PLACE, ast.Load())
    return mark if expression is call else swapped(copied, copies[id(call)], mark)


def _bound(
    body: ast.FunctionDef, given: Mapping[str, ast.expr], caller: ast.FunctionDef
) -> list[ast.stmt]:
    """Give a body its arguments and names of its own; return the assignments before it."""
    stored = {
        one.id
        for one in ast.walk(body)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    taken = names_of(caller) | {one.arg for one in ast.walk(caller) if isinstance(one, ast.arg)}
    renamed: dict[str, str] = {}
    before: list[ast.stmt] = []
    for name, value in given.items():
        if isinstance(value, ast.Name) and name not in stored:
            renamed[name] = value.id
            continue
        renamed[name] = _free(name, taken)
        before.append(ast.Assign([ast.Name(renamed[name], ast.Store())], value))
    for name in sorted(stored - given.keys()):
        renamed[name] = _free(name, taken)
    for one in ast.walk(body):
        if isinstance(one, ast.Name) and one.id in renamed:
            one.id = renamed[one.id]
    for one in ast.walk(body):
        if isinstance(one, ast.Lambda):
            for argument in ast.walk(one.args):
                if isinstance(argument, ast.arg):
                    argument.arg = renamed.get(argument.arg, argument.arg)
    return before


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name}{number}"
        number += 1
    taken.add(free)
    return free
