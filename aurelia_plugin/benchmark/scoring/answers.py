"""One way to read an answer out of a reply, for every task.

The rules never guess: a reply that states no answer, or two different ones, gives `None` and the
rule says why. Reading is naive about negation: "not red" states red.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY

__all__ = [
    "Extracted",
    "Statement",
    "extract_label",
    "extract_option",
    "extract_phrase",
    "normalise",
    "stated_values",
    "statement",
]

_NUMBER_WORDS: Final = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen"),
    *("sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_ORDINALS: Final = {
    "first": "one",
    "1st": "one",
    "second": "two",
    "2nd": "two",
    "third": "three",
    "3rd": "three",
    "fourth": "four",
    "4th": "four",
    "fifth": "five",
    "5th": "five",
}
_ARTICLES: Final = frozenset({"a", "an", "the"})

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
# What a template opened and the model closed, or what was cut off before it was closed.
_CLOSED_ONLY = re.compile(r"^.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_OPENED_ONLY = re.compile(r"<think(?:ing)?>.*$", re.DOTALL | re.IGNORECASE)
_MARK = re.compile(r"\banswer\b[*_`\s]*(?:is\b(?!\s+not\b)[*_`\s]*:?|:)", re.IGNORECASE)
_MARKDOWN = re.compile(r"[*`#$]+|\\boxed|\\text|(?<!\w)_+|_+(?!\w)")


class Extracted(NamedTuple):
    """What was read, and by which rule; `value` is None when nothing can be read for certain."""

    value: str | None
    rule: str


class Statement(NamedTuple):
    """The part of a reply that counts; `marked` if an "Answer:" line was found."""

    text: str
    marked: bool


def statement(reply: str) -> Statement:
    """Return the text of the last "Answer:" line, else the whole reply, without any thinking.

    "The answer is ..." counts as such a line. If nothing stands after the mark, the next line
    is taken.
    """
    text = unicodedata.normalize("NFKC", reply).replace("\u2019", "'")
    text = _THOUGHT.sub(" ", text)
    text = _OPENED_ONLY.sub(" ", _CLOSED_ONLY.sub(" ", text))
    marks = [mark.end() for mark in _MARK.finditer(text)]
    # A mark with nothing after it ("Answer:" cut off at the end) leaves the one before to count.
    for end in reversed(marks):
        for line in text[end:].split("\n"):
            line = _MARKDOWN.sub(" ", line).strip()
            if re.search(r"\w", line):
                return Statement(line, True)
    return Statement("" if marks else _MARKDOWN.sub(" ", text).strip(), bool(marks))


def normalise(text: str) -> str:
    """Return lower-case words separated by single spaces.

    Without punctuation, underscores and articles; digits of any script become number words up to
    twenty; letters and digits that touch are separated, so "audio2" becomes "audio two".
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    digits = (str(unicodedata.decimal(char, char)) for char in text)
    text = re.sub(r"['`\u2019]", "", "".join(digits))
    for ordinal, word in _ORDINALS.items():
        if ordinal[0].isdigit():
            text = re.sub(rf"\b{ordinal}\b", f"{word}th", text)
    text = re.sub(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])", " ", text)
    words = re.findall(r"[^\W_]+", text)
    return " ".join(_number_word(word) for word in words if word not in _ARTICLES)


def _number_word(word: str) -> str:
    if word.isascii() and word.isdigit() and int(word) < len(_NUMBER_WORDS):
        return _NUMBER_WORDS[int(word)]
    return word


def _spans(words: str, phrase: str) -> list[tuple[int, int]]:
    # Words are separated by single spaces, so padding makes word boundaries explicit.
    padded, wanted = f" {words} ", f" {phrase} "
    spans, start = [], padded.find(wanted)
    while start >= 0:
        spans.append((start, start + len(wanted)))
        start = padded.find(wanted, start + 1)
    return spans


@functools.lru_cache(maxsize=8192)
def _normal(wording: str) -> str:
    """Return a phrase as it is looked for: every reply is searched for the same ones."""
    return normalise(wording)


def _stated(words: str, phrases: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the values whose phrases occur, but not inside a longer phrase of another value."""
    found = [
        (span, value)
        for value, wordings in phrases.items()
        for wording in wordings
        for span in _spans(words, _normal(wording))
    ]
    return frozenset(
        value
        for (start, stop), value in found
        if not any(
            other != value and a <= start and stop <= b and (b - a) > (stop - start)
            for (a, b), other in found
        )
    )


def stated_values(reply: str, attribute: str) -> frozenset[str]:
    """Return which values of the attribute the reply states; more than one is a contradiction.

    Raises:
        KeyError: the attribute is not in `VOCABULARY`.
    """
    return _stated(normalise(statement(reply).text), VOCABULARY[attribute])


def extract_label(reply: str, phrases: Mapping[str, Sequence[str]]) -> Extracted:
    """Return the one label of a closed set that the reply states.

    Args:
        reply: what the model answered.
        phrases: label -> accepted wordings.
    """
    said = statement(reply)
    values = _stated(normalise(said.text), phrases)
    where = "answer line" if said.marked else "whole reply"
    if len(values) == 1:
        return Extracted(next(iter(values)), f"label in the {where}")
    return Extracted(None, f"several labels in the {where}" if values else "no label")


def extract_phrase(reply: str) -> Extracted:
    """Return the normalised text of the answer, for questions without a closed set."""
    said = statement(reply)
    words = normalise(said.text)
    return Extracted(words or None, "text" if words else "empty")


def extract_option(reply: str, options: Sequence[str]) -> Extracted:
    """Return the letter of the one option that the reply chooses.

    By its letter ("B", "(B)", "B.", "option b", "B) text"), by its text, or, when options are
    numbered ("Audio 2"), by number or ordinal ("the second audio"). Letter and text must agree.
    """
    said = statement(reply)
    if not normalise(said.text) and not re.search(r"\w", said.text):
        return Extracted(None, "empty")
    letters = {chr(ord("A") + index): option for index, option in enumerate(options)}
    by_letter = _letters(said, letters)
    by_text = _stated(normalise(said.text), {key: (text,) for key, text in letters.items()})
    by_text |= _by_number(said.text, letters)
    chosen = by_letter | by_text
    if not chosen:
        return Extracted(None, "no option")
    if len(chosen) > 1:
        return Extracted(None, "contradictory options")
    (letter,) = chosen
    if letter not in letters:
        return Extracted(None, "no such option")
    return Extracted(letter, "letter" if by_letter else "option text")


# A letter that is the whole text, or that starts it and is set off from what follows.
_ALONE = re.compile(r"^\W*([A-Za-z])\W*$")
_LEADING = re.compile(r"^\W*([A-Za-z])\s*[).:\]\-\u2013\u2014,](?=\s|\w|$)")
_NAMED = re.compile(r"\b(?:option|choice|letter)s?\s*[\"'(\[]*([A-Za-z])\b(?![']\w)", re.IGNORECASE)
_BRACKETED = re.compile(r"[(\[]([A-Za-z])[)\]]")
_SET_OFF = re.compile(r"(?<![\w'.])([A-Z])(?=[).:](?:\s|$))")
# Capitals standing by themselves; "A" and "I" are also English words.
_BARE = re.compile(r"(?<![\w.])(?<!\w')([B-HJ-Z])(?!\w|'\w)")
_BARE_A = re.compile(r"(?<![\w.])(?<!\w')(A)(?=\s*(?:$|[,;/!]|\b(?:and|or|is|because|since)\b))")


def _letters(said: Statement, letters: Mapping[str, str]) -> frozenset[str]:
    """Return the option letters that the text names, valid or not."""
    text = said.text
    alone = _ALONE.match(text)
    if alone:
        return frozenset(alone.group(1).upper())
    found = {match.upper() for match in _NAMED.findall(text) + _BRACKETED.findall(text)}
    leading = _LEADING.match(text)
    if leading:
        found.add(leading.group(1).upper())
    found |= set(_SET_OFF.findall(text))
    bare = set(_BARE.findall(text)) | set(_BARE_A.findall(text))
    # A stray capital elsewhere in a sentence is not a choice of an option that does not exist.
    return frozenset(found | (bare & set(letters)))


def _numbered(option: str) -> tuple[str, str] | None:
    """Return noun and number of an option such as "Audio 3" or "the third audio"."""
    pair = normalise(option).split()
    if len(pair) != 2:
        return None
    return (pair[1], _ORDINALS[pair[0]]) if pair[0] in _ORDINALS else (pair[0], pair[1])


def _by_number(text: str, letters: Mapping[str, str]) -> frozenset[str]:
    """Read "audio 2", "the second audio", or a number alone, when all options are numbered."""
    pairs = [_numbered(option) for option in letters.values()]
    nouns = {pair[0] for pair in pairs if pair is not None}
    if len(nouns) != 1 or None in pairs:
        return frozenset()
    (noun,) = nouns
    numbers = {pair[1]: key for pair, key in zip(pairs, letters, strict=True) if pair is not None}
    words = normalise(text)
    ordinals = {word: number for word, number in _ORDINALS.items() if not word[0].isdigit()}
    ordinals |= {f"{number}th": number for number in numbers}
    between = "(?:clip |track |file |option |number |no |sample |recording )*"
    found = re.findall(rf"\b{noun} {between}({'|'.join(numbers)})\b", words)
    found += [
        ordinals[word]
        for word in re.findall(rf"\b({'|'.join(ordinals)}) (?:one |)(?:{noun})\b", words)
    ]
    bare = ordinals.get(words.removesuffix(" one"), words)
    if bare in numbers:
        found.append(bare)
    return frozenset(numbers[number] for number in found if number in numbers)
