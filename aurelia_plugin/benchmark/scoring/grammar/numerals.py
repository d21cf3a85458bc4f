"""Numbers in digits of any script and in English words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

__all__ = ["NUMBER_WORDS", "Amount", "as_amount", "number_word", "parse_number_words"]

_UNITS: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS: Final = (*("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),)
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_SMALL: Final = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_ORDINALS: Final = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    **{f"{word}th": value for word, value in _SMALL.items() if 3 < value < 20},
    **{f"{word[:-1]}ieth": value for word, value in _SMALL.items() if value >= 20},
}
_DOZEN: Final = {"dozen": 12, "couple": 2, "pair": 2}

NUMBER_WORDS: Final = frozenset((*_SMALL, *_SCALES, *_ORDINALS, "dozen"))
"""The words of which numbers are made."""


class Amount(NamedTuple):
    """A number: its value in digits, as text without leading zeros."""

    key: str

    @property
    def whole(self) -> int | None:
        """The value, if it is a whole number of at most 18 digits."""
        digits = self.key.lstrip("+-\u00b1")
        if not digits.isdigit() or len(digits) > 18:
            return None
        return -int(digits) if self.key.startswith("-") else int(digits)


def as_amount(written: str) -> Amount:
    """Return a number written in digits; "1,000" is a thousand."""
    digits = "".join(str(unicodedata.decimal(char, char)) for char in written)
    sign = digits[0] if digits[0] in "+-\u00b1" else ""
    parts = digits.removeprefix(sign).split(",")
    if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3:
        digits = sign + "".join(parts)
    bare = digits.removeprefix(sign)
    bare = bare.lstrip("0") or "0" if bare.isdigit() else bare
    return Amount(sign + bare)


def number_word(key: str) -> str:
    """Return the word of a whole number up to nineteen, else the key itself."""
    return _UNITS[int(key)] if key.isdigit() and len(key) < 3 and int(key) < len(_UNITS) else key


def parse_number_words(words: Sequence[str]) -> Iterator[tuple[int, int, Amount | None, bool]]:
    """Yield (first, last, amount, whether it is an ordinal) for runs of number words.

    Words that do not combine ("two three") are numbers of their own.
    """
    start = 0
    while start < len(words):
        stop, value, ordinal = _longest(words, start)
        yield start, stop - 1, Amount(str(value)), ordinal
        start = stop


def _longest(words: Sequence[str], start: int) -> tuple[int, int, bool]:
    total = current = 0
    ceiling = 10**9  # what may follow has to be smaller than what was said
    place = start
    while place < len(words):
        word = words[place]
        if word in _ORDINALS and not (place > start and _ORDINALS[word] >= ceiling):
            return place + 1, total + current + _ORDINALS[word], True
        if word in _SMALL:
            value = _SMALL[word]
            if place > start and (value >= ceiling or value == 0):
                break
            current += value
            ceiling = 10 if value >= 20 else 1
        elif word == "dozen":
            return place + 1, total + max(current, 1) * 12, False
        elif word in _SCALES:
            scale = _SCALES[word]
            if scale == 100:
                if current >= 100:
                    break
                current = max(current, 1) * 100
                ceiling = 100
            else:
                total += max(current, 1) * scale
                current, ceiling = 0, 1000
        else:
            break
        place += 1
    if place == start:  # an ordinal that does not fit: by itself
        return start + 1, _ORDINALS[words[start]], True
    return place, total + current, False
