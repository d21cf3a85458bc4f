from __future__ import annotations

from pathlib import Path

import pytest

from aurelia_plugin.files.places import cache_dir


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"
    monkeypatch.setenv("AURELIA_CACHE", "")
    assert cache_dir() == tmp_path / "xdg" / "aurelia"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == tmp_path / ".cache" / "aurelia"
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"
