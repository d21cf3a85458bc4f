"""Rules that write statements of a function on fewer lines: each keeps what the function returns.

A rule looks at a statement and the one after it, and returns how many of them what it writes takes
the place of, or None where it does not apply.
"""

from __future__ import annotations

import ast
from typing import Final

from upstream_export.shortening.rules.branches import (
    continue_guard,
    guards_alike,
    if_in_if,
    return_after_guard,
    two_branches,
)
from upstream_export.shortening.rules.grouping import grouped
from upstream_export.shortening.rules.loops import (
    collecting_loop,
    list_filled_at_once,
    search_loop,
    whole_generator,
)
from upstream_export.shortening.rules.places import INDENT, WIDTH, Place, Rule
from upstream_export.shortening.rules.values import (
    kept_or_changed,
    named_in_use,
    then_changed,
    used_once,
)

__all__ = ["shorten_function"]


_RULES: Final[tuple[Rule, ...]] = (
    if_in_if,
    two_branches,
    return_after_guard,
    guards_alike,
    continue_guard,
    collecting_loop,
    list_filled_at_once,
    search_loop,
    whole_generator,
    used_once,
    named_in_use,
    then_changed,
    kept_or_changed,
)


def shorten_function(function: ast.FunctionDef, indent: int) -> None:
    """Rewrite a function in place until no rule applies.

    Args:
        indent: of its first line, in characters.
    """
    before = ""
    while before != (now := ast.dump(function)):
        before = now
        function.body = _block(function, function.body, indent + INDENT, False)
    function.body = grouped(function.body, indent + INDENT)


def _block(
    function: ast.FunctionDef, body: list[ast.stmt], indent: int, in_loop: bool
) -> list[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If | ast.For | ast.While):
            loops = not isinstance(statement, ast.If)
            inner = loops or in_loop
            statement.body = _block(function, statement.body, indent + INDENT, inner)
            statement.orelse = _block(function, statement.orelse, indent + INDENT, in_loop)
    written = list(body)
    place = 0
    while place < len(written):
        following = written[place + 1] if place + 1 < len(written) else None
        at = Place(function, following, place + 2 == len(written), in_loop, WIDTH - indent)
        change = next((one for rule in _RULES if (one := rule(written[place], at))), None)
        if change is None:
            place += 1
            continue
        taken, statements = change
        written[place : place + taken] = statements
        place = max(0, place - 1)
    return written
