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
        if re.match(r"-\w", after):  # "non-stop"
            continue
        if _ANSWERS.search(before) and (_ENDS.match(after) or (opens and _GOES_ON.match(after))):
            kept.append(mention)
    return kept


_AUXILIARY: Final = frozenset(
    re.findall(
        r"\w+",
        "is are was were do does did has have had can there in video clip of it any this that some "
        "be being indeed yes entire whole i we see hear or not",
    )
)
_DENIAL: Final = re.compile(r"\b(?:not|never|no|neither)\b|n't\b", re.IGNORECASE)
_HEDGE: Final = re.compile(
    r"\b(?:cannot|can't|unable|unclear|not (?:sure|clear|certain|possible|able)|whether|if"
    r"|might|may|could|don't know)\b|\?",
    re.IGNORECASE,
)


_SAID: Final = re.compile(
    r"(?<=[.!])\s|\n|;|,\s(?=(?:it|they|he|she|but|because|since|as|so|and|while|with)\b)",
    re.IGNORECASE,
)


def _repeats(question: str, text: str) -> str | None:
    """Read an answer that repeats a yes/no question as a statement, or denies it."""
    sentence = _SAID.split(text.strip(), maxsplit=1)[0]
    if len(sentence) > 300 or _HEDGE.search(sentence):
        return None
    compared = _COMPARED.match(question)
    if compared is not None:
        return _compares(compared, sentence)
    asked = set(normalise(question).split()) - _AUXILIARY
    for part in (sentence, sentence.partition(",")[0]):
        said = set(normalise(_ALWAYS.sub(" always ", part)).split())
        if asked and asked <= said and len(said - asked - _AUXILIARY) <= _FEW:
            return "no" if _DENIAL.search(part) else "yes"
    return None


_FEW: Final = 3  # words of a statement that its question does not have
_ALWAYS: Final = re.compile(
    r"\b(?:throughout|continuously|constantly|(?:all|the (?:whole|entire)) (?:the )?(?:time|video)"
    r"|from (?:the )?beginning to (?:the )?end)\b",
    re.IGNORECASE,
)
_COMPARED: Final = re.compile(
    r"\W*(?:is|are|was|were|does|do|did)\s(?P<one>.+?)\s(?:sounds? |play(?:s|ed)? )?"
    r"(?P<more>more \w+|less \w+|\w+er) than (?P<other>[^?]+)",
    re.IGNORECASE,
)


def _compares(question: re.Match[str], sentence: str) -> str | None:
    """Read a statement about which of two is more, whichever it begins with."""
    one, other = (set(normalise(question[side]).split()) for side in ("one", "other"))
    before = sentence.lower().partition(" than ")[0]
    said = set(normalise(before).split())
    if not set(normalise(question["more"]).split()) <= said:
        return None
    first, second = bool((one - other) & said), bool((other - one) & said)
    denied = _DENIAL.search(before) is not None
    if first == second or (second and denied):
        return None
    return "yes" if first and not denied else "no"


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
        adjoins = bool(place) and text[found[place - 1].end : token.start].strip() in ("", "#")
        if (near and after in _UNITS) or (adjoins and before in _SERIAL) or (before == "#"):
            continue
        if _OF_ALL.search(text[max(0, token.start - 20) : token.start]):
            continue
        part = after == "of" and _OF_MANY.match(text, token.end) is not None
        if after == "of" and not part and place + 2 < len(found) and found[place + 2].key in _WHOLE:
            continue
        word = text[token.start : token.end].lower()
        if word == "one" and not part and (before in _ONE_BEFORE or (near and after in _ONE_AFTER)):
            continue
        if (
            word[:1].isdigit()
            and _LIST_NUMBER.match(text, token.end)
            and _LINE_START.search(text[max(0, token.start - 20) : token.start])
        ):
            continue
        kept.append(token)
    return kept


_OF_ALL: Final = re.compile(r"\b(?:of (?:the|these|those|all)|out of(?: the)?)\s$", re.IGNORECASE)
_OF_MANY: Final = re.compile(r"\sof (?:the|these|those|all) \w+ \w", re.IGNORECASE)
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
    plain = {token.end for token in words if token.amount is not None}
    phrases = [
        m
        for m in phrases
        if m.end not in plain
        or m.value == "zero"
        or " " in text[m.start : m.end].removeprefix("the ")
    ]
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
