"""The benchmark: items, answer extraction, metrics and the synthetic `avreasonbench_mini`."""

from __future__ import annotations

__all__: list[str] = []
