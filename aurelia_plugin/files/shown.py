"""Text of strangers (paths, keys, causes) as it can stand in a message."""

from __future__ import annotations

from typing import Final

__all__ = ["shown"]

_LONGEST: Final = 300


def shown(text: object, longest: int = _LONGEST) -> str:
    """Return the text on one line: control characters and surrogates escaped, cut if it is long."""
    # Cut first: a name of a megabyte is not worth escaping.
    whole = str(text)
    cut = whole[:longest]
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)
    return line if len(whole) <= longest else f"{line}…"
