"""Conditions: what stands in front of a question, and how often and how the target is asked.

A new one is a class (`base.Condition`) and a row of the table (`table.ConditionInfo`).
"""

from __future__ import annotations

__all__: list[str] = []
