"""Traces folders among people: checked, merged, and exchanged as data sets."""

from __future__ import annotations

__all__: list[str] = []
