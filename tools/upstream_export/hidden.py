"""Hides the plugin from a process: `pytest -p upstream_export.hidden`, or by importing it."""

from __future__ import annotations

import importlib.abc
import importlib.metadata
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__: list[str] = []

_PACKAGE = "aurelia_plugin"


class _Hidden(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] == _PACKAGE:
            raise ModuleNotFoundError(f"{fullname} is hidden", name=fullname)
        return None


_plain: Callable[..., Any] = importlib.metadata.entry_points


def _others(**selection: str) -> Any:
    found = _plain(**selection)
    if not selection:  # all groups, in a form that differs from Python to Python
        return found
    return importlib.metadata.EntryPoints(e for e in found if not e.value.startswith(_PACKAGE))


importlib.metadata.entry_points = _others  # type: ignore[assignment]
sys.meta_path.insert(0, _Hidden())
