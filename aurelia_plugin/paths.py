"""Where this package keeps what it makes: one cache folder per user."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_dir"]


def cache_dir() -> Path:
    """Return the cache folder: `AURELIA_CACHE`, else `aurelia` in the user's cache folder.

    The folder is not created here.
    """
    named = os.environ.get("AURELIA_CACHE")
    if named:
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "aurelia"
