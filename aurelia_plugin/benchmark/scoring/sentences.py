"""Reading the sentence that a reply gives as its answer: captions and answers about a clip."""

from __future__ import annotations

import re
from typing import Final

from .grammar.deciding import Reading
from .grammar.statements import is_placeholder, statements
from .grammar.text import cleaned, markup_free, normalise

__all__ = ["answer_line", "answer_text", "read_sentence"]

_LABEL: Final = re.compile(
    r"(?:^|\n|(?<=[.!?:])[ \t])[ \t>*_#-]{0,8}(?:(?:the|my|final|short|one-sentence)\s)*"
    r"(?:answer|caption|description|summary|sentence|\u7b54\u6848|respuesta|r\u00e9ponse"
    r"|antwort)\s?[*_]{0,3}\s?[:=][*_]{0,3}\s*",
    re.IGNORECASE,
)
_PREAMBLE: Final = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|here(?:'s| is| are)|this is|below is|the following"
    r"|a (?:short|one-sentence|brief))\b[^\n]{0,120}?:\s*(?=\S)",
    re.IGNORECASE,
)
_REMARK: Final = re.compile(
    r"^(?:i hope|hope (?:this|that)|let me know|feel free|if you(?:'d| would| need| have"
    r"| want)|please (?:let|note)|is there anything|note:|\(note)",
    re.IGNORECASE,
)
_REFUSAL: Final = re.compile(
    r"^\W*(?:(?:i(?:'m| am)\s)?sorry\b|i (?:cannot|can't|can not|could not|couldn't"
    r"|do not have|don't have) |i(?:'m| am) (?:unable|not able)\b|as an ai\b|n/?a\W*$"
    r"|unfortunately,? i )",
    re.IGNORECASE,
)


def read_sentence(text: str) -> Reading:
    """Return the sentence of a reply, thinking taken off, or None for a refusal or nothing.

    Of a reply with an answer line, what stands from there to the next blank line; else the reply
    without the remarks around it. The words "the answer is" inside a sentence are part of it.
    """
    plain = markup_free(text)
    sentence, rule = _sentence(plain)
    sentence = " ".join(cleaned(sentence).split())
    if len(sentence) > 1 and sentence[0] == sentence[-1] and sentence[0] in "\"'":
        sentence = sentence[1:-1].strip()
    if not normalise(sentence):
        return Reading(None, "empty")
    if _REFUSAL.match(sentence):
        return Reading(None, "refusal")
    return Reading(sentence, rule)


def _sentence(text: str) -> tuple[str, str]:
    formed = [one for one in statements(text) if one.labelled and _is_form(text, one.start)]
    for statement in reversed(formed):
        if not is_placeholder(statement.content):
            return statement.content, "answer line"
    labels = list(_LABEL.finditer(text))
    for label in reversed(labels):
        paragraph = re.split(r"\n\s*\n", text[label.end() :], maxsplit=1)[0]
        if normalise(paragraph) and not is_placeholder(paragraph):
            return paragraph, "answer line"
    paragraphs = [one.strip() for one in re.split(r"\n\s*\n", text) if one.strip()]
    if len(paragraphs) > 1 and re.match(r"[^\n]{0,120}:$", paragraphs[0]):
        paragraphs.pop(0)
    while len(paragraphs) > 1 and _REMARK.match(paragraphs[-1]):
        paragraphs.pop()
    whole = "\n".join(paragraphs)
    return _PREAMBLE.sub("", whole), "text"


def _is_form(text: str, start: int) -> bool:
    """Return whether a statement stands in a tag, a box or JSON: forms that no sentence has."""
    return start == 0 or text[start - 1] in ">{\"'"


def answer_line(text: str) -> str | None:
    """Return what the last answer line of a text gives, or None if there is no such line."""
    said = cleaned(text)
    for statement in reversed(statements(said)):
        content = cleaned(statement.content)
        if normalise(content) and not is_placeholder(statement.content):
            return content
    return None


def answer_text(text: str) -> str:
    """Return the last answer line of a text, else the whole text without mark-up."""
    return answer_line(text) or cleaned(text)
