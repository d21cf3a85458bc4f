"""Reading which option a reply chooses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from .grammar.answering import ClosedSet, read_closed
from .grammar.deciding import Reading
from .grammar.letters import LetterFinder
from .grammar.phrasebook import Mention, PhraseBook
from .grammar.text import ARTICLES, cardinal, fold, tokens

__all__ = ["read_choice"]

_FILLERS: Final = frozenset(
    (
        *("it", "is", "its", "of", "in", "on", "at", "to", "and", "or", "with", "sound", "sounds"),
        *("there", "that", "this", "i", "you", "we", "only", "no", "not", "yes", "when", "like"),
    )
)
_CLAUSES: Final = re.compile(r"[;.!?\n]|\band then\b", re.IGNORECASE)
_DENIAL: Final = frozenset(
    (
        *("not", "no", "never", "none", "neither", "nor", "cannot", "without", "instead", "if"),
        *("whether", "could", "might", "may", "maybe", "perhaps", "unless"),
    )
)
_ENDING: Final = re.compile(r"(?<=\w{3})(?:ies|ied|ying|ing|ed|es|ly|s|e|y)$")
_ORDINALS: Final = dict(
    zip("123456", ("first", "second", "third", "fourth", "fifth", "sixth"), strict=True)
)
_PLACES: Final = {word: number for number, word in _ORDINALS.items()}
_PLACE: Final = re.compile(
    r"(?:\bthe )?\b(?P<ordinal>first|second|third|fourth|fifth|sixth|last) (?:option|alternative)\b"
    r"|\b(?:option|alternative)(?: number| no\.?)? #?(?P<number>[1-9])\b(?![.,]\d)",
    re.IGNORECASE,
)
_BETWEEN: Final = ("clip", "track", "file", "option", "number", "no", "sample", "recording", "#")
_NONE: Final = ("none", "none of them", "none of these", "none of the above")
_LONG: Final = 200  # characters; what is longer is no part of an option's text
_FEW: Final = 6  # words of a reply or answer line that names an option in part


def read_choice(text: str, options: Mapping[str, str]) -> Reading:
    """Return the letter of the one option that a reply chooses.

    Args:
        text: the reply without thinking.
        options: letter, as the source gives it -> text.
    """
    return read_closed(text, _closed_set(tuple(options.items())))


@lru_cache(maxsize=512)
def _closed_set(options: tuple[tuple[str, str], ...]) -> ClosedSet:
    reader = _Options(dict(options))
    letters = tuple(letter for letter, _ in options)
    return ClosedSet(reader.find, letters, True, (), reader.otherwise)


class _Options:
    def __init__(self, options: Mapping[str, str]) -> None:
        self._options = options
        self._letters = LetterFinder(tuple(options))
        self._numbered = _numbered(options)
        self._texts = PhraseBook(self._wordings())

    def _wordings(self) -> dict[str, list[str]]:
        """Return each option's wordings; a text that is itself an option's letter is none."""
        letters = {letter.casefold() for letter in self._options}
        return {
            letter: [
                *([] if text.strip().casefold() in letters else [text]),
                *(_NONE if fold(text)[:2] == ("none", "of") else ()),
                *(_by_number(*self._numbered[letter]) if letter in self._numbered else ()),
            ]
            for letter, text in self._options.items()
        }

    def find(self, text: str) -> list[Mention]:
        """Return the mentions of options by letter, by text and by place ("the second option")."""
        named = self._texts.find(text)
        taken = [(mention.start, mention.end) for mention in named]
        placed = [
            mention
            for mention in self._by_place(text)
            if not any(start < mention.end and mention.start < end for start, end in taken)
        ]
        return self._letters.find(text, sorted([*named, *placed]))

    def _by_place(self, text: str) -> Iterator[Mention]:
        letters = tuple(self._options)
        for found in _PLACE.finditer(text):
            written = (found["ordinal"] or found["number"]).lower()
            place = len(letters) if written == "last" else int(_PLACES.get(written, written))
            if 1 <= place <= len(letters) and not set(letters) & set("123456789"):
                yield Mention(found.start(), found.end(), letters[place - 1], True)

    def otherwise(self, text: str) -> str | None:
        """Return the option that a short text means by its number or by a part of its text."""
        if len(text) > _LONG:
            return None
        keys = [token.key for token in tokens(text) if token.key not in ARTICLES]
        return (
            self._at_number(keys)
            or self._in_part(keys)
            or (None if _CLAUSES.search(text.rstrip(" .!")) else self._reworded(keys))
        )

    def _at_number(self, keys: list[str]) -> str | None:
        """Return the numbered option that a number or an ordinal alone means."""
        bare = [key for key in keys if key not in ("number", "no", "#")]
        if len(bare) == 2 and bare[1] == "1" and bare[0].endswith("th"):
            bare.pop()  # "the fourth one"
        if len(bare) != 1:
            return None
        numbers = {number: letter for letter, (_, number) in self._numbered.items()}
        return numbers.get(cardinal(bare[0]) or "")

    def _in_part(self, keys: list[str]) -> str | None:
        """Return the one option that has all words of a short answer; names are never cut."""
        words = [key for key in keys if key not in _FILLERS]
        if not words or len(keys) > _FEW:
            return None
        found = [
            letter
            for letter, text in self._options.items()
            if set(words) <= set(fold(text))
            and not re.search(r"[A-Z\d]", text[1:])
            and not text[:1].isupper()
        ]
        return found[0] if len(found) == 1 else None

    def _reworded(self, keys: list[str]) -> str | None:
        """Return the one option whose words a sentence has, in whatever form they stand there."""
        said = _stems(keys)
        wanted = {letter: _stems(fold(text)) for letter, text in self._options.items()}
        found = [one for one, stems in wanted.items() if len(stems) > 1 and stems <= said]
        others = (stems & said for one, stems in wanted.items() if one not in found)
        clear = len(found) == 1 and all(len(some) < len(wanted[found[0]]) for some in others)
        return found[0] if clear and not _DENIAL & set(keys) else None


def _stems(keys: Iterable[str]) -> frozenset[str]:
    """Return the words that carry meaning, without their endings."""
    plain = (_ENDING.sub("", key) for key in keys if key not in _FILLERS and len(key) > 2)
    return frozenset(re.sub(r"(.)\1$", r"\1", stem) for stem in plain)


def _by_number(noun: str, number: str) -> list[str]:
    """Return the wordings of a numbered option: "audio 3", "audio clip 3", "third audio"."""
    ordinal = [f"{_ORDINALS[number]} {noun}"] if number in _ORDINALS else []
    return [f"{noun} {number}", *(f"{noun} {word} {number}" for word in _BETWEEN), *ordinal]


def _numbered(options: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return noun and number of options such as "Audio 3" or "the third audio", if all are."""
    said = {letter: fold(text) for letter, text in options.items()}
    turned = {
        letter: keys[::-1] if cardinal(keys[0]) else keys
        for letter, keys in said.items()
        if len(keys) == 2
    }
    found = {letter: (keys[0], cardinal(keys[1]) or "") for letter, keys in turned.items()}
    nouns, numbers = {noun for noun, _ in found.values()}, {number for _, number in found.values()}
    whole = len(nouns) == 1 and len(numbers) == len(options) and all(map(str.isdigit, numbers))
    return found if whole else {}
