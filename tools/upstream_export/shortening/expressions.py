"""What the rules know of expressions: what they use, in which order, and what they change."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

__all__ = [
    "assigned_in",
    "both",
    "either",
    "is_pure",
    "may_move",
    "names_of",
    "negated",
    "put_in",
    "same",
    "swapped",
    "uses",
    "width",
    "with_assignment",
]

_CHANGING = frozenset(
    ("add", "append", "clear", "extend", "insert", "next", "pop", "remove", "sort", "update")
)
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


def names_of(*nodes: ast.AST) -> set[str]:
    """Return all names that stand in these nodes."""
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


def uses(node: ast.AST, name: str) -> int:
    """Return how often a node loads a name."""
    found = Counter(
        one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
    )
    return found[name]


def is_pure(node: ast.AST) -> bool:
    """Return whether an expression changes nothing but names: calls are known by theirs."""
    for one in ast.walk(node):
        if isinstance(one, ast.Yield | ast.YieldFrom):
            return False
        if isinstance(one, ast.Call):
            called = one.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in _CHANGING:
                return False
    return True


def assigned_in(node: ast.AST) -> set[str]:
    """Return the names that an expression assigns (`:=`)."""
    return {one.target.id for one in ast.walk(node) if isinstance(one, ast.NamedExpr)}


def may_move(value: ast.expr, into: ast.expr) -> bool:
    """Return whether a value means the same when it is evaluated inside a later expression."""
    return (
        is_pure(value)
        and not assigned_in(value) & names_of(into)
        and not assigned_in(into) & names_of(value)
    )


def same(first: ast.AST, second: ast.AST) -> bool:
    """Return whether two nodes are written alike."""
    return ast.dump(first) == ast.dump(second)


def width(statement: ast.stmt) -> int:
    """Return how long a statement's first line is."""
    if isinstance(statement, ast.If):
        statement = ast.If(statement.test, [ast.Pass()], [])
    elif isinstance(statement, ast.For):
        statement = ast.For(statement.target, statement.iter, [ast.Pass()], [])
    statement.lineno = 0
    return len(ast.unparse(statement).partition("\n")[0])


def negated(test: ast.expr) -> ast.expr:
    """Return the opposite of a test."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _OPPOSITE:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def either(first: ast.expr, second: ast.expr) -> ast.BoolOp:
    """Return `first or second`."""
    return ast.BoolOp(ast.Or(), [*_tests(first, ast.Or), *_tests(second, ast.Or)])


def both(first: ast.expr, second: ast.expr) -> ast.BoolOp:
    """Return `first and second`."""
    return ast.BoolOp(ast.And(), [*_tests(first, ast.And), *_tests(second, ast.And)])


def _tests(test: ast.expr, kind: type[ast.boolop]) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, kind) else [test]


class _Use(NamedTuple):
    """A place where a name is loaded.

    Attributes:
        node: the name itself.
        certain: it is evaluated whenever the whole expression is, and once.
    """

    node: ast.Name
    certain: bool


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


def _in_order(node: ast.AST, name: str, certain: bool = True) -> Iterator[_Use]:
    """Yield the uses of a name in the order in which they are evaluated."""
    if isinstance(node, ast.Name):
        if node.id == name and isinstance(node.ctx, ast.Load):
            yield _Use(node, certain)
        return
    for part, always in _parts_in_order(node):
        yield from _in_order(part, name, certain and always)


def _parts_in_order(node: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Yield a node's parts as they are evaluated, and whether each is whenever the node is."""
    if isinstance(node, ast.Lambda):
        yield node.body, False
    elif isinstance(node, ast.IfExp):
        yield from ((node.test, True), (node.body, False), (node.orelse, False))
    elif isinstance(node, ast.BoolOp):
        yield from ((value, not number) for number, value in enumerate(node.values))
    elif isinstance(node, ast.Compare):
        yield node.left, True
        yield from ((value, not number) for number, value in enumerate(node.comparators))
    elif isinstance(node, _COMPREHENSIONS):
        yield from _comprehended(node)
    else:
        yield from ((child, True) for child in ast.iter_child_nodes(node))


def _comprehended(
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
) -> Iterator[tuple[ast.AST, bool]]:
    for number, part in enumerate(node.generators):
        yield part.iter, not number
        yield from ((test, False) for test in part.ifs)
    for field in ("key", "value", "elt"):
        if hasattr(node, field):
            yield getattr(node, field), False


def put_in(expression: ast.expr, name: str, value: ast.expr) -> ast.expr | None:
    """Return an expression with a value in place of the one certain use of a name, or None."""
    found = list(_in_order(expression, name))
    if len(found) != 1 or not found[0].certain or not may_move(value, expression):
        return None
    if assigned_in(value) and found[0].node in _iterated(expression):
        return None
    return _replaced(expression, found[0].node, value)


def with_assignment(expression: ast.expr, name: str, value: ast.expr) -> ast.expr | None:
    """Return an expression that assigns a name where it is used first, or None.

    Nothing is assigned where the first use is uncertain, where names of the value may change
    before it, or in what a comprehension goes through, which Python forbids.
    """
    copied = copy.deepcopy(expression)
    found = list(_in_order(copied, name))
    if not found or not found[0].certain or found[0].node in _iterated(copied):
        return None
    if not may_move(value, expression):
        return None
    assigned = ast.NamedExpr(ast.Name(name, ast.Store()), value)
    return assigned if copied is found[0].node else swapped(copied, found[0].node, assigned)


def _iterated(expression: ast.expr) -> set[ast.AST]:
    return {
        one
        for node in ast.walk(expression)
        if isinstance(node, _COMPREHENSIONS)
        for part in node.generators
        for one in ast.walk(part.iter)
    }


def _replaced(expression: ast.expr, place: ast.Name, value: ast.expr) -> ast.expr:
    marked = place.id
    copied = copy.deepcopy(expression)
    (found,) = _in_order(copied, marked)
    return value if copied is found.node else swapped(copied, found.node, value)


class _Swap(ast.NodeTransformer):
    def __init__(self, place: ast.AST, value: ast.expr) -> None:
        self._place = place
        self._value = value

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._place:
            return self._value
        self.generic_visit(node)
        return node


def swapped(expression: ast.expr, place: ast.AST, value: ast.expr) -> ast.expr:
    """Return an expression, changed in place, with a value where a part of it was."""
    changed = _Swap(place, value).visit(expression)
    assert isinstance(changed, ast.expr)
    return changed
