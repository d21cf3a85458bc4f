"""Reading one label of a closed set: yes or no, a number, or a name.

Which set it is follows from the question (`labels.label_set`), never from the gold answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal, NamedTuple

from .grammar.answering import ClosedSet, read_closed
from .grammar.deciding import Reading
from .grammar.evidence import Weight, corrects, weigh
from .grammar.numerals import number_word, whole_number
from .grammar.phrasebook import Mention, PhraseBook
from .grammar.text import Token, cleaned, normalise, tokens

__all__ = ["LabelKind", "LabelSet", "counts", "mentioned_values", "read_label", "stated_values"]

LabelKind = Literal["number", "presence", "name"]


class LabelSet(NamedTuple):
    """What may answer a question.

    Attributes:
        kind: numbers and yes/no are read by rules of their own.
        wordings: label -> accepted wordings.
        second: labels that answer only where none of `wordings` does.
        named: labels that the question names beside what it asks for.
        question: for yes/no, an answer may repeat it as a statement.
    """

    kind: LabelKind
    wordings: Mapping[str, Sequence[str]]
    second: Mapping[str, Sequence[str]] = {}
    named: frozenset[str] = frozenset()
    question: str = ""


def read_label(text: str, labels: LabelSet) -> Reading:
    """Return the one label that a reply, thinking taken off, states.

    A number that is not among the labels is read all the same: it is another answer.
    """
    reading = read_closed(text, _closed_set(labels, labels.wordings))
    if reading.value is None and reading.rule in _UNREAD and labels.second:
        return read_closed(text, _closed_set(labels, labels.second))
    return reading


_UNREAD: Final = ("no value", "no value in the answer line")


def _closed_set(labels: LabelSet, wordings: Mapping[str, Sequence[str]]) -> ClosedSet:
    book = PhraseBook(wordings)
    if labels.kind == "presence":
        return ClosedSet(partial(_answer_words, book), otherwise=partial(_repeats, labels.question))
    if labels.kind == "number":
        return ClosedSet(partial(_numbers, book), otherwise=_none_at_all)
    return ClosedSet(partial(_names, book), named=labels.named)


# "yes" and "no" answer only where they are no determiner ("there is no pause").
_ANSWERS: Final = re.compile(
    r"(?:^|[\n.,;:!?()\u2013\u2014\"'=>*-]|(?<!\w)(?:is|be|say|said|answer|answered|or|and"
    r"|either|likely|definitely"
    r"|clearly|probably|then|so|simply|therefore|thus|hence|would|not|with|a firm|a clear"
    r"|a))\s*[\"'(]?$",
    re.IGNORECASE,
)
_ENDS: Final = re.compile(
    r"\s*(?:$|[\n.,;:!?()\"'\u2013\u2014-]|(?:and|or|but|because|since|as|in)(?!\w))", re.IGNORECASE
)
_GOES_ON: Final = re.compile(
    r"\s*(?:it|there|the|this|that|they|he|she|we|you|i|both|all|these|those|not)(?!\w)",
    re.IGNORECASE,
)


def _answer_words(book: PhraseBook, text: str) -> list[Mention]:
    kept = []
    for mention in book.find(text):
        before = text[max(0, mention.start - 20) : mention.start]
        after = text[mention.end : mention.end + 20]
        opens = not before.strip() or before.rstrip()[-1] in ".,;:!?\n"
        if _ANSWERS.search(before) and (_ENDS.match(after) or (opens and _GOES_ON.match(after))):
            kept.append(mention)
    return kept


_AUXILIARY: Final = frozenset(
    (
        *(
            "is",
            "are",
            "was",
            "were",
            "do",
            "does",
            "did",
            "has",
            "have",
            "had",
            "can",
            "there",
            "in",
            "video",
        ),
        *("clip", "of", "it", "any", "this", "that", "some", "be", "being", "indeed", "yes"),
    )
)
_DENIAL: Final = re.compile(r"\b(?:not|never|no|neither)\b|n't\b", re.IGNORECASE)
_HEDGE: Final = re.compile(
    r"\b(?:cannot|can't|unable|unclear|not (?:sure|clear|certain|possible|able)|whether|if"
    r"|might|may|could|don't know)\b|\?",
    re.IGNORECASE,
)


def _repeats(question: str, text: str) -> str | None:
    """Read an answer that repeats a yes/no question as a statement, or denies it."""
    asked = set(normalise(question).split()) - _AUXILIARY
    sentence = re.split(r"(?<=[.!])\s|\n", text.strip(), maxsplit=1)[0]
    if not asked or len(sentence) > 300 or _HEDGE.search(sentence):
        return None
    said = set(normalise(sentence).split())
    if not asked <= said or len(said - asked - _AUXILIARY) > 3:
        return None
    return "no" if _DENIAL.search(sentence) else "yes"


_UNITS: Final = frozenset(
    (
        *(
            "s",
            "sec",
            "secs",
            "second",
            "seconds",
            "ms",
            "min",
            "minute",
            "minutes",
            "hz",
            "khz",
            "fps",
            "%",
        ),
        *("percent", "bpm", "db", "am", "pm", "o", "years", "year", "times", "am"),
    )
)
_SERIAL: Final = frozenset(
    (
        *(
            "step",
            "audio",
            "video",
            "image",
            "picture",
            "option",
            "choice",
            "frame",
            "clip",
            "question",
        ),
        *("sound", "track", "candidate", "number", "item", "part", "figure", "line", "channel"),
    )
)
_ONE_BEFORE: Final = frozenset(
    (
        *(
            "this",
            "that",
            "the",
            "each",
            "every",
            "which",
            "any",
            "no",
            "other",
            "right",
            "correct",
            "first",
        ),
        *("last", "same", "left", "another", "some", "loud", "loudest", "by", "middle", "second"),
    )
)
_ONE_AFTER: Final = frozenset(
    (
        *(
            "of",
            "another",
            "by",
            "after",
            "can",
            "should",
            "must",
            "may",
            "might",
            "could",
            "would",
            "hears",
            "sees",
            "side",
        ),
    )
)


def counts(text: str, words: list[Token] | None = None) -> list[Token]:
    """Return the numbers of a cleaned text that count something.

    Left out are ordinals, times and measures, the numbers of a list and of names such as
    "audio 2", "two of them", and "one" as a pronoun.
    """
    found = tokens(text) if words is None else words
    kept = []
    for place, token in enumerate(found):
        if (
            token.amount is None
            or whole_number(token.amount) is None
            or ":" in text[token.start : token.end]
        ):
            continue
        before = found[place - 1].key if place else ""
        after = found[place + 1].key if place + 1 < len(found) else ""
        near = place + 1 < len(found) and found[place + 1].start - token.end < 2
        if (near and after in _UNITS) or before in _SERIAL or (before == "#"):
            continue
        if after == "of" and place + 2 < len(found) and found[place + 2].key in _WHOLE:
            continue
        word = text[token.start : token.end].lower()
        if word == "one" and (before in _ONE_BEFORE or (near and after in _ONE_AFTER)):
            continue
        if (
            word[:1].isdigit()
            and _LIST_NUMBER.match(text, token.end)
            and _LINE_START.search(text[max(0, token.start - 20) : token.start])
        ):
            continue
        kept.append(token)
    return kept


_WHOLE: Final = frozenset(("which", "them", "the", "these", "those", "whom", "us"))
_LIST_NUMBER: Final = re.compile(r"[.)](?=\s+\S)|:(?=\s+\S)")
_LINE_START: Final = re.compile(r"(?:^|\n)\s*(?:step\s)?\s*$", re.IGNORECASE)
_SINGLE: Final = re.compile(
    r"\b(?:only|just|exactly)\s+(?P<a>an?)\s+(?!few|couple|pair|dozen|lot|handful)"
    r"|\ba (?P<b>single)\b|\ba (?P<c>couple)\b"
    r"|\ba (?P<d>pair) of\b|\b(?:there (?:is|are|was|were)|(?:i|we) (?:see|hear"
    r"|count)) (?P<e>no)\b(?! doubt| way)|(?:^|\n)(?P<f>no)\s+(?!doubt|idea|way|access"
    r"|information)\w+",
    re.IGNORECASE,
)
_SINGLE_VALUES: Final = {"a": "one", "b": "one", "c": "two", "d": "two", "e": "zero", "f": "zero"}


def _numbers(book: PhraseBook, text: str) -> list[Mention]:
    """Return the numbers that count, and wordings that are no number ("more than ten")."""
    words = tokens(text)
    phrases = [m for m in book.find(text, words) if not text[m.start : m.end].strip().isdigit()]
    phrases = [m for m in phrases if m.value not in _PLAIN_NUMBERS or " " in text[m.start : m.end]]
    numbers = [
        Mention(token.start, token.end, number_word(token.amount))
        for token in counts(text, words)
        if token.amount is not None and not any(m.start <= token.start < m.end for m in phrases)
    ]
    for found in _SINGLE.finditer(text):
        kind = found.lastgroup or "a"
        start, end = found.span(kind)
        if not any(start < m.end and m.start < end for m in (*phrases, *numbers)):
            numbers.append(Mention(start, end, _SINGLE_VALUES[kind]))
    return sorted([*phrases, *numbers])


_PLAIN_NUMBERS: Final = frozenset(number_word(str(n)) for n in range(20)) - {"zero"}


def _none_at_all(text: str) -> str | None:
    return (
        "zero"
        if re.fullmatch(r"\W*(?:none|no one|nothing|nobody)\W*", text, re.IGNORECASE)
        else None
    )


_ADVERB_RIGHT: Final = re.compile(
    r"\s+(?:in|at|before|after|now|away|there|here|next|from the|when|as|behind|beside|on time"
    r"|answer|choice|option)\b"
    r"|\s*[,!.]?\s*(?:so|let)\b",
    re.IGNORECASE,
)


def _names(book: PhraseBook, text: str) -> list[Mention]:
    return [
        mention
        for mention in book.find(text)
        if not (
            mention.value == "right"
            and text[mention.start : mention.end].lower() == "right"
            and _ADVERB_RIGHT.match(text[mention.end : mention.end + 20])
        )
        and not (
            mention.value == "right"
            and re.search(
                r"\b(?:all|that's|that is|you are|you're)\s$", text[: mention.start][-12:], re.I
            )
        )
    ]


def mentioned_values(text: str, wordings: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the values that a text names in any way, also to ask for them or to deny them."""
    return frozenset(mention.value for mention in PhraseBook(wordings).find(cleaned(text)))


def stated_values(text: str, wordings: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the values that a sentence states, denied and corrected ones left aside."""
    said = cleaned(text)
    evidence = weigh(said, PhraseBook(wordings).find(said))
    stated = []
    for place, one in enumerate(evidence):
        if one.denied or one.weight == Weight.NONE:
            continue
        following = evidence[place + 1] if place + 1 < len(evidence) else None
        if following is not None and not following.denied:
            between = said[one.mention.end : following.mention.start]
            if len(between) < 30 and corrects(between):
                continue
        stated.append(one.mention.value)
    return frozenset(stated)
