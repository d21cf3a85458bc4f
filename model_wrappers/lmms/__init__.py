"""object model that lmms-eval brings, behind the backend protocol."""

from __future__ import annotations

__all__: list[str] = []
