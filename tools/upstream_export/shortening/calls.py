"""What a call gives to a function."""

from __future__ import annotations

import ast
from collections.abc import Sequence

__all__ = ["given_by"]


def given_by(
    function: ast.FunctionDef, call: ast.Call, first: Sequence[ast.expr] = ()
) -> dict[str, ast.expr] | None:
    """Return argument -> value of a call, defaults among them, or None for unusual ones.

    Args:
        function: that is called.
        call: of it.
        first: values before those of the call, as `self` is.
    """
    arguments = function.args
    values = [*first, *call.args]
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return None
    if any(isinstance(one, ast.Starred) for one in values):
        return None
    names = [one.arg for one in arguments.args]
    defaulted = names[len(names) - len(arguments.defaults) :]
    defaults = dict(zip(defaulted, arguments.defaults, strict=True))
    keywords = {one.arg: one.value for one in call.keywords if one.arg is not None}
    given = {**defaults, **dict(zip(names, values, strict=False)), **keywords}
    return {name: given[name] for name in names} if given.keys() == set(names) else None
