"""Functions that are one expression: put where they are called, or written on one line."""

from __future__ import annotations

import ast
import copy
from collections import Counter, defaultdict
from typing import Final

from upstream_export.shortening.calls import given_by
from upstream_export.shortening.expressions import assigned_in, is_pure, names_of, put_in, uses

__all__ = ["as_lambdas", "inlined", "pruned"]

_SHORT: Final = 60
_ALTOGETHER: Final = 240


def inlined(tree: ast.Module, kept: frozenset[str]) -> bool:
    """Put one function that is one expression where it is called; return whether there was one."""
    calls: dict[str, list[ast.Call]] = defaultdict(list)
    loaded: Counter[str] = Counter()
    for one in ast.walk(tree):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name):
            calls[one.func.id].append(one)
        elif isinstance(one, ast.Name):
            loaded[one.id] += 1
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name in kept:
            continue
        expression, found = _expression(function), calls[function.name]
        if expression is None or not found or _too_long(expression, len(found)):
            continue
        if len(found) != loaded[function.name] or uses(function, function.name):
            continue  # it is used in another way, or calls itself
        written = [_written(function, expression, call) for call in found]
        if any(one is None for one in written):
            continue
        tree.body.remove(function)
        _Put(dict(zip(map(id, found), written, strict=True))).visit(tree)
        return True
    return False


def as_lambdas(tree: ast.Module, kept: frozenset[str]) -> None:
    """Write functions that are one expression on one line each."""
    for number, function in enumerate(tree.body):
        if not isinstance(function, ast.FunctionDef) or function.name in kept:
            continue
        expression = _expression(function, assigning=True)
        if expression is None:
            continue
        arguments = copy.deepcopy(function.args)
        for one in ast.walk(arguments):
            if isinstance(one, ast.arg):
                one.annotation = None
        value: ast.expr = ast.Lambda(arguments, expression)
        for decorator in reversed(function.decorator_list):
            value = ast.Call(decorator, [value], [])
        tree.body[number] = ast.Assign([ast.Name(function.name, ast.Store())], value)


def _expression(function: ast.FunctionDef, *, assigning: bool = False) -> ast.expr | None:
    if len(function.body) != 1 or (function.decorator_list and not assigning):
        return None
    body = function.body[0]
    if not isinstance(body, ast.Return) or body.value is None:
        return None
    return None if assigned_in(body.value) and not assigning else body.value


def _too_long(expression: ast.expr, calls: int) -> bool:
    length = len(ast.unparse(expression))
    return calls > 1 and length > _SHORT and calls * length > _ALTOGETHER


def _written(function: ast.FunctionDef, expression: ast.expr, call: ast.Call) -> ast.expr | None:
    given = given_by(function, call)
    if given is None:
        return None
    own = {
        one.id
        for one in ast.walk(expression)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    made = copy.deepcopy(expression)
    marked = {name: f"{name} given" for name in given}  # no name of anything else
    for one in ast.walk(made):
        if isinstance(one, ast.Name) and one.id in marked and isinstance(one.ctx, ast.Load):
            one.id = marked[one.id]
    for name, value in given.items():
        times = uses(made, marked[name])
        if names_of(value) & own or (not times and not is_pure(value)):
            return None
        if times > 1 and not _simple(value):
            return None
        if times and _simple(value):
            made = _Given(marked[name], value).visit(made)
        elif times:
            put = put_in(made, marked[name], value)
            if put is None:
                return None
            made = put
    return made


def _simple(value: ast.expr) -> bool:
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name | ast.Constant)


class _Given(ast.NodeTransformer):
    def __init__(self, name: str, value: ast.expr) -> None:
        self._name = name
        self._value = value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._value) if node.id == self._name else node


class _Put(ast.NodeTransformer):
    def __init__(self, places: dict[int, ast.expr | None]) -> None:
        self._places = places

    def visit_Call(self, node: ast.Call) -> ast.AST:
        written = self._places.get(id(node))
        if written is None:
            return self.generic_visit(node)
        put: ast.AST = self.visit(written) if isinstance(written, ast.expr) else node
        return put


def pruned(tree: ast.Module, kept: frozenset[str]) -> None:
    """Remove what nothing uses any more."""
    while True:
        loaded = Counter(
            one.id
            for one in ast.walk(tree)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
        )
        left = [one for one in tree.body if _is_used(one, loaded, kept)]
        if len(left) == len(tree.body):
            return
        tree.body = left


def _is_used(statement: ast.stmt, loaded: Counter[str], kept: frozenset[str]) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name in kept or loaded[statement.name] > 0
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id in kept or loaded[statement.targets[0].id] > 0
    return True
