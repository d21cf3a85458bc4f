"""How a reply is read: its signs, its clauses, what it names, and what follows from that."""

from __future__ import annotations

__all__: list[str] = []
