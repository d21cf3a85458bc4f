"""Options as boards write them: each with its letter in front."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final

__all__ = ["unlettered"]

_LETTERED: Final = re.compile(r"\s*([A-Z])(?:\s*[.:)]\s*|\s+)(\S.*)", re.DOTALL)


def unlettered(options: Sequence[str]) -> tuple[str, ...]:
    """Return the options' texts without the letters in front of them (`A. x`, `A: x`, `A x`).

    Where only some have one, or letters that are no options', nothing is taken off: what looks
    like a letter may be the text's own first word. Places count, not letters: where a source
    writes A, B, A, B, its right option D is the fourth.
    """
    matches = [_LETTERED.fullmatch(option) for option in options]
    letters = [match[1] for match in matches if match is not None]
    whole = len(letters) == len(options)
    known = ascii_uppercase[: len(options)]
    if not whole or not set(letters) <= set(known) or letters[0] != "A":
        return tuple(option.strip() for option in options)
    return tuple(match[2].strip() for match in matches if match is not None)
