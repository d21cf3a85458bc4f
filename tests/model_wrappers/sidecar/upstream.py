"""Stand-ins for upstream code, and checkouts of the real thing where the user names one."""

from __future__ import annotations

import ast
import os
import warnings
from pathlib import Path

import pytest

STUBS = Path(__file__).with_name("stubs")


def checkout(system: str) -> Path:
    """Return the checkout that `AURELIA_UPSTREAM_<SYSTEM>` names; skip the test without one."""
    variable = f"AURELIA_UPSTREAM_{system.upper()}"
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} names no checkout of the upstream code")
    folder = Path(named)
    assert folder.is_dir(), f"{variable}={named} is no folder"
    return folder


def python_of(system: str) -> str:
    """Return the interpreter that `AURELIA_<SYSTEM>_PYTHON` names; skip the test without one."""
    variable = f"AURELIA_{system.upper()}_PYTHON"
    named = os.environ.get(variable)
    if not named:
        pytest.skip(f"{variable} names no interpreter of the system's environment")
    return named


def signatures(folder: Path) -> dict[str, list[str]]:
    """Return the arguments of every function and method in a file or below a folder, by name."""
    found: dict[str, list[str]] = {}
    for path in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of upstream's own escape sequences
            tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef):
                        found[f"{node.name}.{inner.name}"] = _arguments(inner)
            elif isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, _arguments(node))
    return found


def _arguments(node: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in node.args.args]
