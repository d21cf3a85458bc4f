"""What a comparison is shown as: tables, plots, page, boards, exports."""

from __future__ import annotations

__all__: list[str] = []
