"""A reply's characters: what is mark-up and goes, tokens, and when two texts are the same."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from .numerals import NUMBER_WORDS, digits_of, longest_number

__all__ = [
    "ARTICLES",
    "Token",
    "abridged",
    "before_next_question",
    "cardinal",
    "cleaned",
    "fold",
    "markup_free",
    "normalise",
    "tokens",
]

ARTICLES: Final = frozenset({"a", "an", "the"})

# Other forms of ASCII: full-width, mathematical bold, circled letters.
_WIDE: Final = re.compile(
    "[\uff01-\uff5e\U0001d400-\U0001d7ff\u24b6-\u24e9\u249c-\u24b5\U0001f130-\U0001f149]+"
)
_ALIKE_SIGNS: Final = {
    **dict.fromkeys("\u2018\u2019\u02bc\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d\u300e\u300f\u2033", '"'),
    **dict.fromkeys("\u2212\u2010\u2011", "-"),
    **{"\u3010": "[", "\u3011": "]", "\u3014": "(", "\u3015": ")", "\u3000": " "},
    **{"\u3001": ", ", "\u3002": ". ", "\u060c": ",", "\u061b": ";", "\u061f": "?"},
    **{"\u0964": ". ", "\u00a0": " ", "\u200b": "", "\u200e": "", "\u200f": "", "\ufeff": ""},
    "\r": "\n",
    # White letters in black circles and squares, which have no compatible form.
    **{chr(first + place): chr(65 + place) for first in (0x1F150, 0x1F170) for place in range(26)},
}
_ALIKE: Final = str.maketrans(_ALIKE_SIGNS)
# A model's turn ends there; a new header may stand before it.
_TURN_END: Final = re.compile(
    r"<\|(?:im_end|eot_id|end|endoftext|end_of_text|return|eom_id|end_of_turn|eot)\|>"
    r"|</s>|<eos>|<end_of_turn>|<turn\|>|<\uff5cend\u2581of\u2581sentence\uff5c>|\[/?INST\]"
)
_HEADER: Final = re.compile(
    r"<\|im_start\|>\s{0,3}\w{0,20}|<\|start_header_id\|>\w{0,20}<\|end_header_id\|>"
    r"|<start_of_turn>\w{0,20}|<\|turn>\w{0,20}"
)
_SPECIAL: Final = re.compile(r"<\|(?!begin_of_box|end_of_box)[^|<>\s]{1,40}\|>|<(?:s|bos|pad|unk)>")
_FENCE: Final = re.compile(r"^[ \t]{0,8}(?:```|~~~)[\w+-]{0,20}[ \t]*$", re.MULTILINE)
_STRUCK: Final = re.compile(r"~~[^~\n]{1,200}~~|<(?:s|del|strike)>[^<\n]{1,200}</(?:s|del|strike)>")
_HTML: Final = re.compile(
    r"</?(?:b|i|em|strong|u|p|br|span|code|div|sub|sup)\b[^<>]{0,100}>", re.IGNORECASE
)
_LATEX: Final = re.compile(
    r"\\(?:text|mathrm|mathbf|textbf|mathbb|operatorname)\s?(?=\{)|\\[()\[\],;! ]"
)
_DOLLAR: Final = re.compile(r"\$(?!\s?\d)|(?<=\d)\$(?!\d)")
_HEADING: Final = re.compile(r"^[ \t]{0,8}(?:#{1,6}(?=\s)|>+(?=\s))", re.MULTILINE)
_EMPHASIS: Final = re.compile(r"\*{2,3}|(?<!\S)\*(?=\S)|(?<=\S)\*(?!\S)|(?<=[\w)])\*(?=[^\w\s])|`+")
_UNDERLINED: Final = re.compile(r"(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w)")
_SET_OFF: Final = re.compile(
    r"(?P<mark>\*{1,3}|`{1,2}|__)\(?(?P<letter>[^\W\d_])\)?(?P<stop>[.:)]?)(?P=mark)(?!\w)"
)


_END: Final = 10_000
"""Characters at each end of a reply that are read in full."""
_MARKED: Final = re.compile(
    "answer|boxed|respuesta|r\u00e9ponse|antwort|risposta|resposta|\u7b54|\ub2f5"
    "|\u043e\u0442\u0432\u0435\u0442|\u0627\u0644\u0625\u062c\u0627\u0628\u0629",
    re.IGNORECASE,
)
_KEPT: Final = 20  # places that are marked, the last ones
_LINE: Final = 200  # characters


def abridged(reply: str) -> str:
    """Return a long reply without most of its middle, where only answer lines are kept.

    A reply of more than twice `_END` characters opens with its answer, closes with it, or marks it.
    """
    if len(reply) <= 2 * _END:
        return reply
    middle = reply[_END:-_END]
    places = [found.start() for found in _MARKED.finditer(middle)][-_KEPT:]
    lines = [middle[max(0, at - 30) : at + _LINE] for at in places]
    return "\n".join([reply[:_END], *lines, reply[-_END:]])


def markup_free(reply: str) -> str:
    """Return a reply without special tokens, mark-up and look-alike characters, in NFC.

    Lines stay. Of several turns the first that says something counts. A long reply is abridged.
    """
    text = unicodedata.normalize("NFC", abridged(reply))
    if not text.isascii():
        text = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
        text = text.translate(_ALIKE)
    text = _HEADER.sub("\n", text)
    text = next((turn for turn in _TURN_END.split(text) if turn.strip()), "")
    text = _STRUCK.sub(" ", _FENCE.sub("", _SPECIAL.sub("", text)))
    text = _DOLLAR.sub("", _LATEX.sub("", _HTML.sub(" ", text)))
    return text.strip()


_NEXT_QUESTION: Final = re.compile(
    r"\n\s{0,20}(?:###\s?)?(?:Question|Q|User|Human|Instruction|Problem)\s?\d{0,3}\s?:",
    re.IGNORECASE,
)
_BRIEF: Final = 25  # words


def before_next_question(text: str) -> str:
    """Return the short answer behind which a cleaned text goes on with another question, or "".

    Models that were trained on questions in a row write the next one, and answer that, too.
    """
    answer, *following = _NEXT_QUESTION.split(text, maxsplit=1)
    brief = bool(following) and not answer.endswith(":") and len(answer.split()) <= _BRIEF
    return answer.strip() if brief else ""


def cleaned(reply: str) -> str:
    """Return `markup_free` text without emphasis; an emphasised letter is put in brackets."""
    text = _SET_OFF.sub(r"(\g<letter>)\g<stop>", markup_free(reply))
    text = _EMPHASIS.sub("", _HEADING.sub("", text))
    return _UNDERLINED.sub("", text).strip()


# The combining marks of the basic plane and the joiners, as in a character class.
_M: Final = "\u200c\u200d" + "".join(
    char for char in map(chr, range(0x300, 0x10000)) if unicodedata.category(char)[0] == "M"
)
# Scripts without spaces between words: every character is a token.
_SINGLE: Final = "\\u0e00-\\u0e7f\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7af"
_PUNCTUATION: Final = re.escape(
    ".,;:!?'\"()[]{}*_\\`~|/-\u2013\u2014\u2026\u00b7\u2022\u00bf\u00a1"
)
_TOKEN: Final = re.compile(
    rf"(?P<single>[{_SINGLE}][{_M}]*)"
    rf"|(?P<word>(?:[^\W\d_{_SINGLE}][{_M}]*)+(?:'(?:[^\W\d_][{_M}]*)+)*"
    r"(?:[#\u266f\u266d]+(?!\w)|\+{1,2}(?![\w+]))?)"
    r"|(?P<number>(?:(?<![\w)\].])[+\-\u00b1])?\d+(?:[.,:]\d+)*)(?P<ordinal>(?:st|nd|rd|th)\b)?"
    rf"|(?P<sign>[^\w\s{_PUNCTUATION}\u200b-\u200f\ufe0e\ufe0f][{_M}]*)"
)


_ACCIDENTALS: Final = {"sharp": "#", "flat": "\u266d"}


class Token(NamedTuple):
    """A word, number or sign of a text, and its place there.

    Attributes:
        key: the form in which words are compared: lower case, without Latin accents; a number's
            value in digits, an ordinal's with "th" behind it.
        amount: of a number that is no ordinal, its digits.
    """

    key: str
    start: int
    end: int
    amount: str | None = None


@functools.lru_cache(maxsize=65536)
def _word_key(word: str) -> str:
    word = unicodedata.normalize("NFKC", word).casefold().replace("'", "").replace("\u266f", "#")
    if word.isascii():
        return word
    kept: list[str] = []
    latin = False
    for char in unicodedata.normalize("NFD", word):
        if unicodedata.combining(char) and latin:
            continue
        if char in "\ufe0e\ufe0f":
            continue
        latin = char.isalpha() and "LATIN" in unicodedata.name(char, "")
        kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text, articles among them; words that make one number are one."""
    found: list[Token] = []
    words: list[Token] = []  # number words that may belong together
    for match in _TOKEN.finditer(text):
        amount = digits_of(match["number"]) if match["number"] else None
        ordinal = "th" if match["ordinal"] else ""
        key = _word_key(match[0]) if amount is None else amount + ordinal
        token = Token(key, match.start(), match.end(), None if ordinal else amount)
        numeral = key in NUMBER_WORDS and match["word"] is not None
        if words and not (numeral and _adjoin(text, words[-1], token)):
            found += _numbers(words)
            words = []
        if numeral:
            words.append(token)
        elif key in _ACCIDENTALS and found and _is_note(text, found[-1], token):
            found[-1] = Token(found[-1].key + _ACCIDENTALS[key], found[-1].start, token.end)
        else:
            found.append(token)
    return [*found, *_numbers(words)]


def _is_note(text: str, first: Token, second: Token) -> bool:
    name = text[first.start : first.end]
    return len(name) == 1 and "A" <= name <= "G" and text[first.end : second.start] in (" ", "-")


def _adjoin(text: str, first: Token, second: Token) -> bool:
    between = text[first.end : second.start]
    return between in (" ", "-") or (between == " and " and first.key == "hundred")


def _numbers(words: list[Token]) -> Iterator[Token]:
    """Yield number words as numbers: "twenty-one" is one token, "two three" are two."""
    keys, at = [word.key for word in words], 0
    while at < len(words):
        stop, value, ordinal = longest_number(keys, at)
        key, amount = (f"{value}th", None) if ordinal else (str(value), str(value))
        yield Token(key, words[at].start, words[stop - 1].end, amount)
        at = stop


@functools.lru_cache(maxsize=8192)
def fold(text: str) -> tuple[str, ...]:
    """Return the keys of a text's tokens without articles, unless nothing else is there."""
    keys = tuple(token.key for token in tokens(cleaned(text)))
    return tuple(key for key in keys if key not in ARTICLES) or keys


def cardinal(key: str) -> str | None:
    """Return the digits of a number's or an ordinal's key, or None for any other word."""
    digits = key.removesuffix("th")
    return digits if digits.isdigit() else None


_FOLDS: Final = 5  # more than any character needs: "\u00bc" is three tokens in the end


def normalise(text: str, folds: int = _FOLDS) -> str:
    """Return a text's keys separated by single spaces: the form in which wordings are compared.

    Lower case, without punctuation, underscores and articles; numbers as digits; signs and the
    vowel signs of a script stay. An article alone stays too.

    Args:
        text: any.
        folds: how often at most the result is folded again, until it no longer changes.
    """
    said = " ".join(fold(text))
    done = text.isascii() or said == text or folds == 1
    return said if done else normalise(said, folds - 1)
