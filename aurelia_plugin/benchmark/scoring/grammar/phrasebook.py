"""Finding the wordings of a closed set of values in a text."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .text import ARTICLES, Token, cleaned, fold, tokens

__all__ = ["Mention", "PhraseBook"]


class Mention(NamedTuple):
    """A place where a text names a value; `by_letter` if it is an option's letter that does."""

    start: int
    end: int
    value: str
    by_letter: bool = False


class PhraseBook:
    """The wordings of each value, found in linear time.

    A wording is looked for in folded form (`text.tokens`, without articles). Where values have
    wordings that fold alike, the text decides: it has to be one of them in every sign and accent,
    first with, then without regard to case.

    Args:
        values: value -> its wordings.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._by_keys: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
        for value, wordings in values.items():
            for wording in dict.fromkeys(wordings):
                self._by_keys[fold(wording)].append((_exact(wording), value))
        self._by_keys.pop((), None)
        self._lengths: dict[str, dict[int, None]] = defaultdict(dict)  # the longest first
        for keys in sorted(self._by_keys, key=len, reverse=True):
            self._lengths[keys[0]][len(keys)] = None

    def find(self, text: str, found: Sequence[Token] | None = None) -> list[Mention]:
        """Return the mentions in a cleaned text, in order; the longest of those that overlap."""
        every = tokens(text) if found is None else found
        # An article alone may be a wording ("A" as a note's name); articles inside never count.
        said = [token for token in every if token.key not in ARTICLES or token.key in self._lengths]
        mentions: list[Mention] = []
        place = 0
        while place < len(said):
            for length in self._lengths.get(said[place].key, ()):
                mention = self._mention(text, said[place : place + length])
                if mention is not None:
                    mentions.append(mention)
                    place += length - 1
                    break
            place += 1
        return mentions

    def _mention(self, text: str, run: Sequence[Token]) -> Mention | None:
        """Return the mention that a run of tokens is, if it is one value's wording."""
        wordings = self._by_keys.get(tuple(token.key for token in run), ())
        values = {value for _, value in wordings}
        start, end = _with_article(text, run[0].start), run[-1].end
        if len(values) > 1:
            said = {_exact(text[begin:end]) for begin in (run[0].start, start)}
            folded = {one.casefold() for one in said}
            values = {value for exact, value in wordings if exact in said} or {
                value for exact, value in wordings if exact.casefold() in folded
            }
        return Mention(start, end, values.pop()) if len(values) == 1 else None


def _exact(text: str) -> str:
    """Return a text in NFC with single spaces, without punctuation at its ends."""
    return " ".join(unicodedata.normalize("NFC", cleaned(text)).split()).strip(" .,;:!?\"'")


def _with_article(text: str, start: int) -> int:
    """Return where a wording begins when an article stands before it."""
    before = text[max(0, start - 4) : start]
    for article in ("the ", "an ", "a "):
        if before.lower().endswith(article):
            at = start - len(article)
            if at == 0 or not text[at - 1].isalnum():
                return at
    return start
