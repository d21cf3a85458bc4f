"""Comparisons of runs: with and without, told honestly.

`result.Comparison` is the one result object: every table, plot, page and export is made from it.
"""

from __future__ import annotations

__all__: list[str] = []
