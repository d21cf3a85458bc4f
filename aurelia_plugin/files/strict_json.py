"""JSON as the standard has it: finite numbers, each key once, nesting that can be followed."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import NoReturn

from pydantic import JsonValue

from aurelia_plugin.files.shown import shown

__all__ = ["check_json", "parse_json", "parse_object"]


def parse_json(text: str | bytes) -> JsonValue:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is not JSON; a number is NaN, infinite or has thousands of digits; a key
            comes twice in one object; it is nested too deeply; bytes are not UTF-8.
    """
    try:
        value: JsonValue = json.loads(
            text if isinstance(text, str) else text.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_finite,
            parse_constant=_refuse,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def check_json(content: str | bytes) -> None:
    """Raise ValueError where `parse_json` would."""
    parse_json(content)


def parse_object(text: str | bytes) -> dict[str, JsonValue]:
    """Return the fields of a JSON object.

    Raises:
        ValueError: as for `parse_json`, or it is no object.
    """
    value = parse_json(text)
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key '{shown(twice, 60)}' comes twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {shown(text, 30)} is too large")
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number of JSON")
