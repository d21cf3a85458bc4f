"""A comparison from its folder, or made on the spot from a run's folder."""

from __future__ import annotations

from pathlib import Path

from aurelia_plugin.compare.comparing import compare
from aurelia_plugin.compare.result import COMPARISON, Comparison

__all__ = ["open_comparison"]


def open_comparison(path: Path) -> Comparison:
    """Return the comparison in a folder (or file); a run's folder gives one of a single arm.

    Raises:
        ConfigError: the folder holds neither.
    """
    if path.is_file() or (path / COMPARISON).is_file():
        return Comparison.read(path)
    return compare({path.resolve().name: path})
