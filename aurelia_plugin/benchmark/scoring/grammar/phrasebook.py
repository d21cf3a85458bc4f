"""Finding the wordings of a closed set of values in a text."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from .text import ARTICLES, Token, cleaned, fold, tokens

__all__ = ["Mention", "PhraseBook"]


class Mention(NamedTuple):
    """A place where a text names a value; `by_letter` if it is an option's letter that does."""

    start: int
    end: int
    value: str
    by_letter: bool = False


class _Wording(NamedTuple):
    keys: tuple[str, ...]
    exact: str
    value: str


class PhraseBook:
    """The wordings of each value, found in linear time.

    A wording is looked for in folded form (`text.tokens`, without articles). Where values have
    wordings that fold alike, the text decides: it has to be one of them in every sign and accent,
    first with, then without regard to case.

    Args:
        values: value -> its wordings.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._by_keys: dict[tuple[str, ...], list[_Wording]] = defaultdict(list)
        lengths: dict[str, set[int]] = defaultdict(set)
        for value, wordings in values.items():
            for wording in dict.fromkeys(wordings):
                keys = fold(wording)
                if keys:
                    self._by_keys[keys].append(_Wording(keys, _exact(wording), value))
                    lengths[keys[0]].add(len(keys))
        self._lengths: Final = {key: sorted(found, reverse=True) for key, found in lengths.items()}

    def find(self, text: str, found: Sequence[Token] | None = None) -> list[Mention]:
        """Return the mentions in a cleaned text, in order; the longest of those that overlap."""
        every = tokens(text) if found is None else found
        # An article alone may be a wording ("A" as a note's name); articles inside never count.
        said = [token for token in every if token.key not in ARTICLES or token.key in self._lengths]
        keys = [token.key for token in said]
        mentions: list[Mention] = []
        covered = 0  # the number of tokens that mentions hold, or have passed
        for place, key in enumerate(keys):
            if place < covered:
                continue
            for length in self._lengths.get(key, ()):
                wordings = self._by_keys.get(tuple(keys[place : place + length]))
                if wordings and place + length <= len(keys):
                    mention = self._mention(text, said[place], said[place + length - 1], wordings)
                    if mention is not None:
                        mentions.append(mention)
                        covered = place + length
                        break
        return mentions

    def _mention(
        self, text: str, first: Token, last: Token, wordings: Sequence[_Wording]
    ) -> Mention | None:
        values = {wording.value for wording in wordings}
        if len(values) > 1:
            values = self._told_apart(text, first, last, wordings)
        if len(values) != 1:
            return None
        return Mention(_with_article(text, first.start), last.end, next(iter(values)))

    def _told_apart(
        self, text: str, first: Token, last: Token, wordings: Sequence[_Wording]
    ) -> set[str]:
        start = min(first.start, _with_article(text, first.start))
        said = {_exact(text[begin : last.end]) for begin in (first.start, start)}
        exact = {wording.value for wording in wordings if wording.exact in said}
        folded = {one.casefold() for one in said}
        return exact or {one.value for one in wordings if one.exact.casefold() in folded}


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
