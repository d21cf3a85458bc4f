"""Studies: all arms of a comparison in one command, resumable, with all that repeats them."""

from __future__ import annotations

__all__: list[str] = []
