"""The families of synthetic questions: one module a column, and what they draw from."""

from __future__ import annotations

__all__: list[str] = []
