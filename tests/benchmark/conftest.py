from __future__ import annotations

from pathlib import Path

import pytest

import aurelia_plugin

_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session", autouse=True)
def _task_package() -> None:
    """Make `aurelia_plugin.task_yamls` importable in a checkout that is not installed."""
    if str(_CHECKOUT) not in aurelia_plugin.__path__:
        aurelia_plugin.__path__.append(str(_CHECKOUT))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test its own cache folder and default settings."""
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AVREASONBENCH_MINI_SEED", raising=False)
    monkeypatch.delenv("AVREASONBENCH_MINI_ITEMS", raising=False)
    return tmp_path / "cache"
