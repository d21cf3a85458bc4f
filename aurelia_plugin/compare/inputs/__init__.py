"""What a comparison is made from: logs, records, and which runs may be paired."""

from __future__ import annotations

__all__: list[str] = []
