"""The options of a question as a source writes them, and which of them its answer names.

An option keeps the letter that the source gives it, as a key (`{"B": "dog"}`) or in front of its
text (`B. dog`); without letters its place counts, and empty ones keep theirs. Where two readings
of a letter are possible and differ, the question is refused.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from types import MappingProxyType
from typing import Final, NamedTuple

from pydantic import JsonValue

from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.strict_json import parse_json

__all__ = ["NO_OPTIONS", "Options", "letter_of", "parsed_text", "read_options", "scalar_text"]

# (A) text, A) text, A. text, A: text, A - text, 1. text, 1) text, and marks of full width.
_PREFIX: Final = re.compile(
    r"(?:[(\[\uff08](?P<a>[A-Za-z]|\d{1,2})[)\]\uff09][.:]?"
    r"|(?P<b>[A-Za-z]|\d{1,2})[)\]\uff09]"
    r"|(?P<c>[A-Za-z])(?:(?:[.:]|\s-)(?=\s|$)|[\uff0e\uff1a\u3001])"
    r"|(?P<d>\d{1,2})\.(?=\s|$))\s*(?P<text>.*)",
    re.DOTALL,
)
_KEY: Final = re.compile(r"(?:option|choice|opt)?[\s_-]*[(\[]?([A-Za-z]|\d{1,2})[)\].:]*", re.I)
_BARE: Final = re.compile(r"[(\[\uff08]?([A-Za-z]|\d{1,2})[)\]\uff09.:]*")

# Python's own reader takes seconds for what nobody writes as the options of a question.
_LONGEST_LITERAL: Final = 20_000


class Options(NamedTuple):
    """Options in the order of their letters.

    Attributes:
        texts: without letters; empty where a letter has no option.
        labels: the source's own label, in capitals -> place in `texts`, where it has labels.
        unsure: labels whose option cannot be told, and why.
    """

    texts: tuple[str, ...] = ()
    labels: Mapping[str, int] = MappingProxyType({})
    unsure: Mapping[str, str] = MappingProxyType({})


NO_OPTIONS: Final = Options()


class _Labelled(NamedTuple):
    label: str
    text: str


def scalar_text(value: JsonValue) -> str:
    """Return a text, number or truth value as text, and nothing as the empty text.

    Raises:
        ValueError: it is a list or an object.
    """
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        raise ValueError(f"is {kind} where a text has to be: {shown(json.dumps(value), 80)}")
    return "" if value is None else str(value).strip()


def parsed_text(text: str) -> JsonValue:
    """Return the list or object that a text holds, in JSON or as Python prints it, else itself."""
    if text.lstrip()[:1] not in ("[", "{"):
        return text
    try:
        return parse_json(text)
    except ValueError:
        if len(text) > _LONGEST_LITERAL:
            return text
    try:
        value: JsonValue = json.loads(json.dumps(ast.literal_eval(text.strip())))
    # Too deeply nested, or no literal (a set, bytes): it is a text that begins with a bracket.
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text
    return value


def read_options(value: JsonValue) -> Options:
    """Return the options of a list, an object by label, or a text (parts between `|`, or lines).

    Raises:
        ValueError: an option is no text, or labels cannot be told apart.
    """
    value = parsed_text(value) if isinstance(value, str) else value
    if isinstance(value, dict):
        return _by_key({key: scalar_text(text) for key, text in value.items()})
    if isinstance(value, str) and "|" not in value:
        lines = [line.strip() for line in value.strip().splitlines()]
        return _from_lines(lines)
    if isinstance(value, str):
        return _from_list([part.strip() for part in value.split("|")])
    if not isinstance(value, list | None):
        raise ValueError(f"is no list of texts: {shown(value, 80)}")
    return _from_list([scalar_text(part) for part in value or ()])


def _from_lines(lines: list[str]) -> Options:
    filled = [line for line in lines if line]
    options = _from_list(filled)
    if len(filled) < len(lines) and not options.labels:
        # Are the empty lines between two options, or are they options?
        why = "there are empty lines between the options"
        return options._replace(unsure=dict.fromkeys(ascii_uppercase[1:], why))
    return options


def _by_key(texts: Mapping[str, str]) -> Options:
    if not texts:
        return NO_OPTIONS
    matches = [_KEY.fullmatch(key.strip()) for key in texts]
    labels = [match[1].upper() for match in matches if match is not None]
    if len(set(labels)) < len(texts):
        raise ValueError(f"keys are no letters or numbers: {shown(', '.join(texts), 80)}")
    return _placed([_Labelled(*pair) for pair in zip(labels, texts.values(), strict=True)])


def _placed(options: Sequence[_Labelled]) -> Options:
    """Put options where their labels say: A or 1 first (0, where there is a 0)."""
    numbers = [option.label.isdigit() for option in options]
    if any(numbers) and not all(numbers):
        raise ValueError("some options have letters and some have numbers")
    first = 0 if any(int(option.label) == 0 for option in options if all(numbers)) else 1
    places = {
        option.label: int(option.label) - first
        if option.label.isdigit()
        else ascii_uppercase.index(option.label)
        for option in options
    }
    last = max(places.values())
    if last >= len(ascii_uppercase) or last > 2 * len(options) + 1:
        raise ValueError(f"labels are no letters or numbers of options: {', '.join(places)}")
    texts = [""] * (max(places.values()) + 1)
    for option in options:
        texts[places[option.label]] = option.text
    return Options(_trimmed(texts), places)


def _trimmed(texts: list[str]) -> tuple[str, ...]:
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _from_list(texts: list[str]) -> Options:
    if len(texts) > len(ascii_uppercase):
        raise ValueError(f"has {len(texts)} options, and letters end at Z")
    found = [(place, _labelled(text)) for place, text in enumerate(texts) if text]
    labelled = {place: option for place, option in found if option is not None}
    plain = Options(_trimmed(list(texts)))
    if not labelled:
        return plain
    labels = [option.label for option in labelled.values()]
    whole = len(labelled) == len(found) and len(set(labels)) == len(labels)
    if whole and all(_place(label) == place for place, label in zip(labelled, labels, strict=True)):
        return _placed(list(labelled.values()))  # letters and places agree
    if whole and _is_lettering(labels, len(texts)):
        return _placed(list(labelled.values()))
    # Initials ("I. Newton"), or letters on some options only: the texts stay as they are.
    return plain._replace(
        unsure={
            label: f"options carry letters that are not those of their places ({shown(text, 40)})"
            for place, option in labelled.items()
            if _place(option.label) != place and place < len(ascii_uppercase)
            for label, text in ((option.label, option.text), (ascii_uppercase[place], option.text))
        }
    )


def _is_lettering(labels: Sequence[str], count: int) -> bool:
    """Whether letters before texts are those of options: all up to one, or rising with gaps."""
    if any(label.isdigit() for label in labels):
        return False
    last = max(_place(label) for label in labels)
    return last < len(labels) or (list(labels) == sorted(labels) and last <= count + 1)


def _place(label: str) -> int:
    return int(label) - 1 if label.isdigit() else ascii_uppercase.index(label)


def _labelled(text: str) -> _Labelled | None:
    match = _PREFIX.fullmatch(text)
    if match is None:
        return None
    label = match["a"] or match["b"] or match["c"] or match["d"]
    return _Labelled(label.upper(), match["text"].strip())


def letter_of(answer: str, options: Options) -> str | None:
    """Return the letter of the option that an answer names by label or by its whole text.

    Returns:
        None where it names none in so many words.

    Raises:
        ValueError: it names two, or its letter could be that of two.
    """
    answer = answer.strip()
    places = {place for place, text in enumerate(options.texts) if text and text == answer}
    if len(places) > 1:
        raise ValueError(f"answer {shown(answer, 60)!r} is the text of two options")
    bare = _BARE.fullmatch(answer)
    own = _labelled(answer)
    if bare is not None:
        places |= _by_label(bare[1].upper(), options)
    elif own is not None and not places:
        named = {place for place, text in enumerate(options.texts) if text == own.text}
        if named:
            places = named | _by_label(own.label, options)
    if len(places) > 1:
        raise ValueError(f"answer {shown(answer, 60)!r} can be read as two different options")
    return ascii_uppercase[places.pop()] if places else None


def _by_label(label: str, options: Options) -> set[int]:
    if label in options.unsure:
        raise ValueError(f"which option is {label} cannot be told: {options.unsure[label]}")
    place = len(options.texts) if label.isdigit() else _place(label)
    place = options.labels.get(label, place)  # its option may be empty, and the last
    return {place} if place < len(options.texts) else set()
