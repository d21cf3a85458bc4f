"""Audits: what could make a gain mean something else than reasoning."""

from __future__ import annotations

__all__: list[str] = []
