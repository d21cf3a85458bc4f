"""The tasks: lmms-eval YAML files and what they call."""

from __future__ import annotations

__all__: list[str] = []
