"""Reading a judge's verdict: whether a reply is right."""

from __future__ import annotations

import re
from typing import Final

from .closed_sets import LabelSet, read_label
from .grammar.text import cleaned

__all__ = ["read_verdict"]

_YES_NO: Final = LabelSet("presence", {"yes": ("yes",), "no": ("no",)})
_CORRECT: Final = re.compile(
    r"\b(?P<neg>not |isn't |n't )?(?:be |entirely |fully |quite )?(?P<word>correct|incorrect"
    r"|right|wrong|true|false|accurate|inaccurate)\b",
    re.IGNORECASE,
)
_HEDGED: Final = re.compile(
    r"\W*(?:yes|no)\W{1,3}(?:but|and no|and yes|partly|partially|in part)\b", re.IGNORECASE
)
_RIGHT: Final = frozenset(("correct", "right", "true", "accurate"))
_ANSWERS: Final = re.compile(
    r"\b(?:right|correct) answers?\b|\b(?:cannot|can't|unable|whether|if|unclear|unsure)\b",
    re.IGNORECASE,
)


def read_verdict(text: str) -> bool | None:
    """Return whether a judge's reply, thinking taken off, says that an answer is right.

    Read are yes and no as to any question, in a word, a sentence or JSON; else that it "is correct"
    or "is wrong". None if it says neither, or both.
    """
    if _HEDGED.match(cleaned(text)):
        return None
    reading = read_label(text, _YES_NO)
    if reading.value is not None:
        return reading.value == "yes"
    said = cleaned(text)
    if reading.rule != "no value" or _ANSWERS.search(said):
        return None
    found = {
        (match["word"].lower() in _RIGHT) != (match["neg"] is not None)
        for match in _CORRECT.finditer(said)
    }
    return found.pop() if len(found) == 1 else None
