"""The column of questions that lead from an instrument to the country that it comes from."""

from __future__ import annotations

__all__: list[str] = []
