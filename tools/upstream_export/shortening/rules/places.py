"""What rules are given of a statement, and what they ask of it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from upstream_export.shortening.expressions import (
    width,
)

__all__ = [
    "INDENT",
    "WIDTH",
    "Change",
    "Place",
    "Rule",
    "assigned",
    "assignment",
    "is_generator",
    "only",
    "plain_if",
    "returned",
]


WIDTH: Final = 236


INDENT: Final = 4


class Place(NamedTuple):
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
        """Return whether a statement's first line has room here."""
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


Rule = Callable[[ast.stmt, Place], Change]


def only(body: list[ast.stmt]) -> ast.stmt | None:
    """Return the one statement of a body, or None."""
    return body[0] if len(body) == 1 else None


def plain_if(statement: ast.stmt | None) -> ast.If | None:
    """Return a statement that is `if` without `else`, or None."""
    return statement if isinstance(statement, ast.If) and not statement.orelse else None


def is_generator(function: ast.FunctionDef) -> bool:
    """Return whether a function yields."""
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(function))


def returned(statement: ast.Return) -> ast.expr:
    """Return what a statement returns."""
    return statement.value if statement.value is not None else ast.Constant(None)


def assigned(statement: ast.stmt | None) -> tuple[str, ast.expr] | None:
    """Return name and value of a plain assignment."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            return target.id, statement.value
    return None


def assignment(name: str, value: ast.expr) -> ast.Assign:
    """Return `name = value`."""
    return ast.Assign([ast.Name(name, ast.Store())], value)
