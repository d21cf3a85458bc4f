"""Numbers in digits of any script and in English words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

__all__ = ["NUMBER_WORDS", "digits_of", "longest_number", "number_word", "whole_number"]

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
_VALUES: Final = {**_SMALL, **_ORDINALS}

NUMBER_WORDS: Final = frozenset((*_SMALL, *_SCALES, *_ORDINALS, "dozen"))
"""The words of which numbers are made."""


_THOUSANDS: Final = re.compile(r"\d{1,3}(?:,\d{3})+")


def whole_number(digits: str) -> int | None:
    """Return the value of a number in digits, if it is a whole one of at most 18 digits."""
    bare = digits.lstrip("+-\u00b1")
    return int(digits.lstrip("+\u00b1")) if bare.isdigit() and len(bare) <= 18 else None


def digits_of(written: str) -> str:
    """Return a number written in digits of any script without leading zeros.

    "1,000" is a thousand.
    """
    digits = "".join(str(unicodedata.decimal(char, char)) for char in written)
    bare = digits.lstrip("+-\u00b1")
    sign = digits.removesuffix(bare)
    if _THOUSANDS.fullmatch(bare):
        bare = bare.replace(",", "")
    return sign + (bare.lstrip("0") or "0" if bare.isdigit() else bare)


def number_word(key: str) -> str:
    """Return the word of a whole number up to nineteen, else the key itself."""
    return _UNITS[int(key)] if key.isdigit() and len(key) < 3 and int(key) < len(_UNITS) else key


def longest_number(words: Sequence[str], start: int) -> tuple[int, int, bool]:
    """Return where the number ends that begins there, its value, and whether it is an ordinal.

    Words that do not combine ("two three") are numbers of their own.

    Args:
        words: of `NUMBER_WORDS`.
        start: the number's first word.
    """
    total = current = 0
    ceiling = 10**9  # what may follow has to be smaller than what was said
    for place in range(start, len(words)):
        word = words[place]
        value = _VALUES.get(word)
        too_much = value is not None and (value >= ceiling or value == 0)
        if (place > start and too_much) or (word == "hundred" and current >= 100):
            return place, total + current, False
        if word in _ORDINALS:
            return place + 1, total + current + _ORDINALS[word], True
        if word == "dozen":
            return place + 1, total + max(current, 1) * 12, False
        if value is not None:
            current, ceiling = current + value, 10 if value >= 20 else 1
        elif word == "hundred":
            current, ceiling = max(current, 1) * 100, 100
        else:
            total, current, ceiling = total + max(current, 1) * _SCALES[word], 0, 1000
    return len(words), total + current, False
