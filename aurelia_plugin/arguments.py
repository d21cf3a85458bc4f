"""Lists and `key=value` pairs on one line, as command lines, plans and logs of runs have them."""

from __future__ import annotations

from collections.abc import Iterable

from aurelia_plugin.errors import ConfigError

__all__ = ["read_pair", "read_pairs", "split_list"]

_OPENING, _CLOSING, _QUOTES = "{[", "}]", "\"'"


def split_list(text: str) -> list[str]:
    """Return the entries of a list with commas; empty ones are left out.

    A comma inside brackets, braces or quotes separates nothing, as in lmms-eval's `--model_args`:
    `a=1,b={"x":1,"y":2}` has two entries.
    """
    entries, depth, quote = [""], 0, ""
    for place, char in enumerate(text):
        if char in _QUOTES and text[place - 1 : place] != "\\":
            quote = "" if char == quote else quote or char
        elif not quote:
            depth += (char in _OPENING) - (char in _CLOSING)
        if char == "," and not quote and depth == 0:
            entries.append("")
        else:
            entries[-1] += char
    return [entry.strip() for entry in entries if entry.strip()]


def read_pair(text: str, source: str, form: str = "KEY=VALUE") -> tuple[str, str]:
    """Return the key and the value of one pair.

    Args:
        text: the pair; its value may hold further equals signs.
        source: the option or file that has it, for the message.
        form: how a pair looks, for the message.

    Raises:
        ConfigError: there is no key, or no equals sign.
    """
    key, equals, value = text.partition("=")
    if not key.strip() or not equals:
        raise ConfigError(f"{source} {text}: not {form}.", f"Write {source} {form}.")
    return key.strip(), value


def read_pairs(texts: Iterable[str], source: str, form: str = "KEY=VALUE") -> dict[str, str]:
    """Return pairs by key; see `read_pair`.

    Raises:
        ConfigError: an entry is no pair, or a key is given twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        key, value = read_pair(text, source, form)
        if key in pairs:
            raise ConfigError(f"{source}: {key} is given twice.", f"Give {key} once.")
        pairs[key] = value
    return pairs
