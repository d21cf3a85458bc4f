"""Questions as others write them: rows of files, options with letters, items of a manifest."""

from __future__ import annotations

__all__: list[str] = []
