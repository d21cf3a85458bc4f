"""Where this package keeps what it makes: one cache folder per user."""

from __future__ import annotations

import os
from pathlib import Path

from aurelia_plugin.errors import MediaError

__all__ = ["cache_dir", "inside"]


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
        MediaError: the path, or what it links to, lies outside the folder.
    """
    path, home = folder / name, folder.resolve()
    homes = [home]
    if "snapshots" in home.parts:
        root = Path(*home.parts[: len(home.parts) - home.parts[::-1].index("snapshots") - 1])
        homes.append(root / "blobs")
    real = path.resolve()
    if not any(real.is_relative_to(place) for place in homes):
        raise MediaError(
            path,
            f"leads out of the folder {folder}",
            "Put the file itself into the folder: a manifest cannot name others.",
        )
    return path
