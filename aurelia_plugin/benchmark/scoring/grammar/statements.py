r"""Where a reply says that what follows is its answer.

In order of form: a tag (`<answer>B</answer>`), a box (`\boxed{B}`), a key of JSON, a label
("Answer: B", in many languages), a sentence ("the correct answer is B"). A sentence about an
answer ("this answer is certain") is none of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

__all__ = ["Statement", "is_placeholder", "statements"]


class Statement(NamedTuple):
    """One place that gives the answer.

    Attributes:
        content: what is given; of a label the rest of its line, or the next line if it is empty.
        labelled: by a tag, box, key or label; otherwise by a sentence.
        start, end: of `content`, in the text.
    """

    content: str
    labelled: bool
    start: int
    end: int


_WORDS: Final = (
    r"(?<!\w)(?:answer|ans|respuesta|r\u00e9ponse|antwort|risposta|resposta|odpowied\u017a|svar"
    r"|antwoord|jawaban|cevap|vastaus|v\u00e1lasz|odpov\u011b\u010f"
    r"|\u043e\u0442\u0432\u0435\u0442|\u03b1\u03c0\u03ac\u03bd\u03c4\u03b7\u03c3\u03b7"
    r"|\u0111\u00e1p \u00e1n"
    r"|\u0627\u0644\u0625\u062c\u0627\u0628\u0629(?: \u0627\u0644\u0635\u062d\u064a\u062d\u062"
    r"9)?"
    r"|\u0627\u0644\u062c\u0648\u0627\u0628|\u0909\u0924\u094d\u0924\u0930"
    r"|\u0989\u09a4\u09cd\u09a4\u09b0|\u05ea\u05e9\u05d5\u05d1\u05d4)"
    r"|\u7b54\u6848|\u7b54\u3048|\u56de\u7b54|\u6b63\u89e3|\uc815\ub2f5|\ub2f5\ubcc0|\ub2f5"
    r"|\u0e04\u0e33\u0e15\u0e2d\u0e1a"
)
_LABEL: Final = re.compile(
    rf"(?:{_WORDS})(?:\s+(?:correcta|correcte|corretta|correta|choice|option|letter"
    rf"|line))?\s{{0,3}}"
    r"(?:\([^()\n]{0,40}\)\s{0,2})?(?:(?:is|es|est|\u00e9|\u00e8|ist|lautet)\s{0,2})?"
    r"(?::|=|\s[-\u2013\u2014>]{1,2}\s|\u662f\s?:?|\u4e3a\s?:?|\u70ba\s?:?|\u306f\s?:?|\u662f"
    r"|\uc740|\ub294)[ \t]{0,10}"
    r"|^[ \t]{0,8}(?:(?:final|correct|my|best)\s)?(?:answer|choice|selection"
    r"|pick)(?:\s(?:option|letter))?[ \t]{0,8}$"
    r"|^[ \t*\u2022-]{0,8}(?:(?:the|my|final|correct|best|selected|chosen"
    r"|predicted)\s){1,2}(?:option|choice|selection|pick|guess|response"
    r"|prediction|conclusion|verdict|label)\s{0,2}:[ \t]{0,10}"
    r"|^[ \t]{0,8}(?:choice|selection|prediction|conclusion)\s{0,2}:[ \t]{0,10}",
    re.IGNORECASE | re.MULTILINE,
)
_CHAT: Final = re.compile(
    r"^[ \t]{0,8}Q\s?:[^\n]*\n(?:[^\n]*\n){0,12}?[ \t]{0,8}A\s?:[ \t]*", re.MULTILINE
)
_SENTENCE: Final = re.compile(
    r"(?P<before>(?:(?<![\w'])[\w']+\s){0,3})(?<![\w'])(?:answer|option|choice|pick|solution"
    r"|guess|bet|conclusion|response)"
    r"(?:\s(?:to|for|here|in|of|that|which|i|we|from|given|therefore|based|with"
    r"|must)\b[^.:;?!\n]{0,90}?)?"
    r"\s(?:is|was|would be|should be|must be|has to be|will be|remains|seems to be"
    r"|appears to be|ought to be)\b\s{0,3}:?\s{0,3}"
    r"|(?P<foreign>(?:(?:la|a|die|the|den|das|il|o|el|le)\s)?(?<!\w)(?:respuesta|r\u00e9ponse"
    r"|antwort|risposta|resposta|opci\u00f3n|option)"
    r"(?:\s\w+){0,2}\s(?:es|est|ist|\u00e8|\u00e9|lautet|w\u00e4re|seria|ser\u00eda"
    r"|serait)(?!\w)\s{0,3}:?\s{0,3})",
    re.IGNORECASE,
)
_NOT_THE: Final = frozenset(
    (
        *(
            "this",
            "that",
            "an",
            "your",
            "another",
            "wrong",
            "incorrect",
            "whose",
            "no",
            "every",
            "each",
        ),
        *(
            "which",
            "what",
            "if",
            "whether",
            "initial",
            "previous",
            "earlier",
            "first",
            "one",
            "other",
        ),
        *("these", "those", "such", "any", "second", "user's", "good", "possible"),
    )
)
_TAG: Final = re.compile(
    r"<(?P<name>(?:final_?)?answer|conclusion|response|output|result|choice|option)\b[^<>\n]{0,60}>"
    r"|<\|begin_of_box\|>",
    re.IGNORECASE,
)
_TAG_END: Final = re.compile(r"</|<\|end_of_box\|>")
_BOXED: Final = re.compile(r"\\f?boxed\s{0,3}\{")
_KEYS: Final = (
    *(
        "final_answer",
        "finalanswer",
        "correct_answer",
        "predicted_answer",
        "answer",
        "correct_option",
    ),
    *(
        "selected_option",
        "answer_letter",
        "final_choice",
        "option",
        "choice",
        "letter",
        "prediction",
        "label",
    ),
    *(
        "result",
        "response",
        "caption",
        "description",
        "right",
        "correct",
        "verdict",
        "value",
        "text",
    ),
)
_KEY: Final = re.compile(
    r"[\"'](?:"
    + "|".join(key.replace("_", "[_ ]?") for key in _KEYS[:14])
    + r")[\"']\s{0,5}:\s{0,5}"
    r"(?:\"(?P<double>(?:[^\"\\\n]|\\.){0,4000})\"|'(?P<single>(?:[^'\\\n]|\\.){0,4000})'"
    r"|(?P<bare>[^\s,}\"'\[{][^,}\n]{0,80}))",
    re.IGNORECASE,
)
_PLACEHOLDER: Final = re.compile(
    r"[<\[({]\s{0,3}(?!\w[>\])}])(?:the |your |my |insert |option |correct |chosen |final )*"
    r"(?:letter|answer|option|choice|number|word|text|name|label|x|here|sentence|caption"
    r"|yes/no|yes or no)"
    r"(?:\s\w+){0,4}\s{0,3}[>\])}]\W*|[_.\u2026?\s-]+|\W*(?:letter|your answer|x)\W*",
    re.IGNORECASE,
)
_SAYS: Final = re.compile(r"[^\s.:*_\"'`>-]")
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s|$)|\n")


def is_placeholder(content: str) -> bool:
    """Return whether a content only repeats the form of an answer, as "<letter>" does."""
    return bool(_PLACEHOLDER.fullmatch(content.strip()))


def statements(text: str) -> list[Statement]:
    """Return all statements of the answer in a cleaned text, in order of their place."""
    whole = _json_answer(text)
    if whole is not None:
        return [Statement(whole, True, 0, len(text))]
    found = [*_tagged(text), *_boxed(text), *_keyed(text), *_labels(text), *_sentences(text)]
    # Of one place the first form counts: "The answer is: B" is a label and a sentence.
    return sorted(found, key=lambda one: (one.end, not one.labelled))


def _json_answer(text: str) -> str | None:
    """Return the answer of a reply that is one JSON object, or None."""
    try:
        whole = text[:1] in ("{", "[") and text[-1:] in ("}", "]")
        return _value(json.loads(text)) if whole else None
    except (ValueError, RecursionError):
        return None


_DEPTH: Final = 9  # of objects in each other


def _value(value: object, depth: int = 0) -> str | None:
    """Return the answer in a value of JSON: at the top an object, or a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        keys = {str(key).lower().replace(" ", "_").replace("-", "_"): key for key in value}
        name = next((keys[key] for key in _KEYS if key in keys), None)
        return None if name is None or depth == _DEPTH else _value(value[name], depth + 1)
    if value is None or depth == 0:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value[:50])) if isinstance(value, list) else str(value)


def _tagged(text: str) -> Iterator[Statement]:
    for tag in _TAG.finditer(text):
        end = _TAG_END.search(text, tag.end())
        stop = end.start() if end else len(text)
        content = text[tag.end() : stop].strip()
        if content:
            yield Statement(content, True, tag.end(), stop)


def _boxed(text: str) -> Iterator[Statement]:
    for box in _BOXED.finditer(text):
        depth, at = 1, box.end()
        limit = min(len(text), at + 400)
        while at < limit and depth:
            depth += (text[at] == "{") - (text[at] == "}")
            at += 1
        content = text[box.end() : at if depth else at - 1].strip()
        if content:
            yield Statement(content.strip("{} "), True, box.end(), at)


def _keyed(text: str) -> Iterator[Statement]:
    for key in _KEY.finditer(text):
        group = key.lastgroup or "bare"
        yield Statement(key[group].strip(), True, key.start(group), key.end(group))


def _labels(text: str) -> Iterator[Statement]:
    for label in (*_LABEL.finditer(text), *_CHAT.finditer(text)):
        said = _SAYS.search(text, label.end())
        if said:
            start = max(label.end(), text.rfind("\n", label.end(), said.start()) + 1)
            stop = text.find("\n", said.start())
            stop = len(text) if stop < 0 else stop
            yield Statement(text[start:stop].strip(), True, start, stop)


def _sentences(text: str) -> Iterator[Statement]:
    for sentence in _SENTENCE.finditer(text):
        words = (sentence["before"] or "").lower().split()
        if _NOT_THE & set(words):
            continue
        end = _SENTENCE_END.search(text, sentence.end())
        if end and end.start() <= sentence.end() + 2:  # "The answer is: \n B", "(B)."
            end = _SENTENCE_END.search(text, end.end() + 2)
        stop = end.start() if end else len(text)
        content = text[sentence.end() : stop].strip()
        if content:
            yield Statement(content, False, sentence.end(), stop)
