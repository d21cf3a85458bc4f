"""Where this package keeps what it makes: one cache folder per user."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.shown import shown

__all__ = ["cache_dir", "inside", "name_problem"]

_LONGEST_NAME: Final = 255
_LONGEST_PATH: Final = 4_000  # 4,095 where it stands; the folder's own path takes part of it


def cache_dir() -> Path:
    """Return the cache folder: `AURELIA_CACHE`, else `aurelia` in the user's cache folder.

    The folder is not created here.
    """
    named = os.environ.get("AURELIA_CACHE")
    if named:
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "aurelia"


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that a manifest names, relative to the manifest's folder.

    Links count as what they lead to. Those of a Hugging Face cache, where each file of a snapshot
    is a link into the same data set's `blobs`, are within it.

    Raises:
        MediaError: the path, or what it links to, lies outside the folder; it is a circle of links,
            or no name that a file can have.
    """
    problem = name_problem(name)
    if problem is not None:
        raise MediaError(shown(folder / name), problem, "Name a file in the folder.")
    path, home = folder / name, folder.resolve()
    homes = [home]
    if "snapshots" in home.parts:
        root = Path(*home.parts[: len(home.parts) - home.parts[::-1].index("snapshots") - 1])
        homes.append(root / "blobs")
    try:
        real = _resolved(path)
    except (OSError, RuntimeError) as error:  # before Python 3.13 a circle of links is the latter
        raise MediaError(
            shown(path), "a circle of links", "Put the file itself into the folder."
        ) from error
    if not any(real.is_relative_to(place) for place in homes):
        raise MediaError(
            shown(path),
            f"leads out of the folder {folder}",
            "Put the file itself into the folder: a manifest cannot name others.",
        )
    return path


def _resolved(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise
        return path.resolve()  # not there, or not to be read: whoever opens it says so


def name_problem(name: str) -> str | None:
    """Return why no file can have this name, or None: NUL, surrogates, longer than systems take."""
    if "\0" in name:
        return "its name holds the NUL character"
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        return "its name holds a character that no file name can hold (a lone surrogate)"
    if len(encoded) > _LONGEST_PATH or max(map(len, encoded.split(b"/"))) > _LONGEST_NAME:
        return f"its name is too long ({len(encoded)} bytes)"
    return None
