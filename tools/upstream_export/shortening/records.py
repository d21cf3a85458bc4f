"""Records and enumerations on one line each, and no notes on types."""

from __future__ import annotations

import ast

__all__ = ["plain_assignments", "plain_records", "without_docstrings"]


def plain_records(tree: ast.Module) -> None:
    """Write classes of named fields as calls."""
    for number, statement in enumerate(tree.body):
        if not isinstance(statement, ast.ClassDef) or len(statement.bases) != 1:
            continue
        base = statement.bases[0]
        if not isinstance(base, ast.Name):
            continue
        if base.id == "NamedTuple" and all(isinstance(s, ast.AnnAssign) for s in statement.body):
            tree.body[number] = _named_tuple(statement)
        elif base.id == "IntEnum":
            tree.body[number] = _enumeration(statement)


def _named_tuple(statement: ast.ClassDef) -> ast.Assign:
    fields = [one for one in statement.body if isinstance(one, ast.AnnAssign)]
    names = " ".join(one.target.id for one in fields if isinstance(one.target, ast.Name))
    defaults: list[ast.expr] = [one.value for one in fields if one.value is not None]
    keywords = [ast.keyword("defaults", ast.Tuple(defaults, ast.Load()))] if defaults else []
    return _called("namedtuple", statement.name, names, keywords)


def _enumeration(statement: ast.ClassDef) -> ast.Assign:
    """Return an enumeration, whose members count from 0."""
    members = [one for one in statement.body if isinstance(one, ast.Assign)]
    values = [ast.literal_eval(one.value) for one in members]
    if values != list(range(len(values))):
        raise ValueError(f"{statement.name} does not count from 0.")
    names = " ".join(ast.unparse(one.targets[0]) for one in members)
    return _called("IntEnum", statement.name, names, [ast.keyword("start", ast.Constant(0))])


def _called(kind: str, name: str, fields: str, keywords: list[ast.keyword]) -> ast.Assign:
    made = ast.Call(
        ast.Name(kind, ast.Load()), [ast.Constant(name), ast.Constant(fields)], keywords
    )
    return ast.Assign([ast.Name(name, ast.Store())], made)


def plain_assignments(tree: ast.Module) -> None:
    """Take the types off assignments; fields of records keep theirs."""
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            body = getattr(node, field, None)
            if isinstance(body, list) and not isinstance(node, ast.ClassDef):
                setattr(node, field, [_plain(one) for one in body])


def _plain(statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return ast.Assign([statement.target], statement.value)
    return statement


def without_docstrings(tree: ast.Module, kept: frozenset[str]) -> None:
    """Take the docstrings off functions and classes, but for those that others use."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name in kept:
            continue
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
