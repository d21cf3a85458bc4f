"""The code behind the subcommands of `aurelia`; each module adds its own to the parser."""

from __future__ import annotations

__all__: list[str] = []
