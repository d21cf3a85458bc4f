from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_every_package_is_listed() -> None:
    """The layout is mapped by hand; a folder that is forgotten is missing in the wheel."""
    tomllib = pytest.importorskip("tomllib", reason="tomllib comes with Python 3.11")
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(path.parent.relative_to(ROOT / "aurelia_plugin").parts)
        for path in (ROOT / "aurelia_plugin").rglob("__init__.py")
    }
    for top in ("model_wrappers", "task_yamls"):
        for path in (ROOT / top).rglob("__init__.py"):
            found.add(".".join(path.parent.relative_to(ROOT).parts))
    expected = {f"aurelia_plugin.{name}" if name else "aurelia_plugin" for name in found}
    assert set(listed) == expected
