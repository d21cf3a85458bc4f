"""Where an item's medium lies: a path below the manifest's folder."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from aurelia_plugin.files.places import name_problem
from aurelia_plugin.files.shown import shown

__all__ = ["MediaPath", "is_below"]


def is_below(path: str) -> bool:
    """Whether a path, with forward slashes, leads below the folder from which it is taken."""
    parts = PurePosixPath(path)
    windows = "\\" in path or path[1:2] == ":"
    named = name_problem(path) is None and bool(path.strip())
    return named and not (windows or parts.is_absolute() or ".." in parts.parts)


def _inside(path: str) -> str:
    problem = name_problem(path)
    if problem is not None:
        raise ValueError(problem)
    if not is_below(path):
        raise ValueError(
            f"{shown(repr(path))} is not a path below the manifest's folder, written with forward "
            "slashes"
        )
    return path


MediaPath = Annotated[
    str, AfterValidator(_inside), Field(description="Relative to the folder of the manifest.")
]
