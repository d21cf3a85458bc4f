"""Packages laid as pip leaves them: their modules, and a dist-info that names entry points."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from aurelia_plugin import extensions

__all__ = ["Install", "installing"]

Install = Callable[[str, str, Mapping[str, str]], None]
"""Takes a package's name, its entry_points.txt, and its files by their places."""


def installing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """The body of a fixture: what it lays is forgotten at the end."""
    extensions._warn.cache_clear()
    known = set(sys.modules)

    def lay(name: str, points: str, files: Mapping[str, str]) -> None:
        site = folder / f"site-{name}"
        for place, content in files.items():
            (site / place).parent.mkdir(parents=True, exist_ok=True)
            (site / place).write_text(content)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        monkeypatch.syspath_prepend(str(site))

    yield lay
    for name in set(sys.modules) - known:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
