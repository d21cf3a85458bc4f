"""Estimates, intervals and tests over items that share videos: the one place for statistics.

Pure functions of arrays. `estimates` chooses the method for a figure; the others are the methods.
Every method is compared with scipy or statsmodels in the tests, and `tools/simulate_statistics.py`
measures how often intervals cover and tests reject.
"""

from __future__ import annotations

__all__: list[str] = []
