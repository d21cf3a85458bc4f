"""Where an item's medium lies: a path below the manifest's folder; how such files are named."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from aurelia_plugin.files.places import name_problem
from aurelia_plugin.files.shown import shown

__all__ = ["SOUND_ENDINGS", "VIDEO_ENDINGS", "MediaPath", "is_below"]

VIDEO_ENDINGS: Final = frozenset(
    {".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".flv", ".wmv", ".ts"}
    | {".mts", ".m2ts", ".3gp", ".ogv", ".vob"}
)
SOUND_ENDINGS: Final = frozenset(
    {".wav", ".mp3", ".flac", ".ogg", ".oga", ".m4a", ".aac", ".opus", ".wma", ".aiff", ".aif"}
)


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
