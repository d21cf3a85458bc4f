"""Files: where they lie, their digests, and writing them whole or not at all."""

from __future__ import annotations

__all__: list[str] = []
