"""How a backend is called: the seam, retries, pacing, budget, prices."""

from __future__ import annotations

__all__: list[str] = []
