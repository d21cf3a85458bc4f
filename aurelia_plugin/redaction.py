"""What a secret is, and keeping it out of everything that is shown, stored or passed on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

__all__ = ["environment_without_secrets", "is_secret_name", "keep_secret", "without_secrets"]

_SHORTEST = 8
"""Characters; a shorter word is no key, and would be cut out of innocent texts."""

_WORDS = (
    r"(?:[aA](?i:(?:pi|ccess|uth|ccount)[_-]?key|uthorization)|[cC](?i:redentials?)"
    r"|[eE](?i:ncryption[_-]?key)|[pP](?i:rivate[_-]?key|ass(?:wd|word|phrase))"
    r"|[sS](?i:ecret(?:[_-]?key)?|igning[_-]?key)|[tT](?i:oken))"
)
"""How the name of a setting that holds a secret ends. Classes of first letters, instead of one
flag for all, let the search pass over most of a text quickly."""

_NAME = re.compile(rf"{_WORDS}\Z")

# Nothing may stand before the words, or between two repetitions, that could match in two ways: the
# time is linear in the text's length, whatever a reply holds. Backslashes stand before quotes in
# JSON inside JSON; a quote without its partner is what a cut text has.
_NAMED = re.compile(
    rf"""(?P<name>{_WORDS}\\*['"]?\s*[=:]\s*)
        (?:(?i:bearer|basic)\s+)?
        (?:\\*'[^']*'|\\*"[^"]*"|\\*['"]?[^\s,;&'"]+)""",
    re.VERBOSE,
)
_IN_URL = re.compile(r"(?P<name>://[^/\s:@]{0,256}:)[^/\s@]{1,256}(?=@)")
_FORMS = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|hf_[A-Za-z0-9]{20,}"
    r"|gh[a-z]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|AKIA[A-Z0-9]{16}"
    r"|(?:nvapi|xai|glpat)-[A-Za-z0-9_-]{16,}|(?:gsk|r8)_[A-Za-z0-9]{24,})"
)
"""The forms that the keys of well-known services have."""

_known: set[str] = set()
_read_from: set[str] = set()


def keep_secret(value: str, variable: str | None = None) -> str:
    """Remember a secret for the life of the process, and return it.

    Args:
        value: the secret.
        variable: the environment variable that it was read from, whose name need not tell.
    """
    if len(value) >= _SHORTEST:
        _known.add(value)
    if variable is not None:
        _read_from.add(variable)
    return value


def without_secrets(text: str) -> str:
    """Return the text with secrets replaced by `[key]`, in time linear in its length.

    These are the keys that this process has read from its environment, words in the form of a
    well-known service's keys, passwords in addresses, and values of settings whose name says so
    (`api_key=...`).
    """
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, "[key]")
    text = _FORMS.sub("[key]", text)
    if "://" in text:
        text = _IN_URL.sub(r"\g<name>[key]", text)
    return _NAMED.sub(r"\g<name>[key]", text)


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret: `api_key` does, `max_tokens` does not."""
    return _NAME.search(name) is not None


def environment_without_secrets(
    environment: Mapping[str, str], *, keep: Collection[str] = ()
) -> dict[str, str]:
    """Return the variables that a process running other people's code may have.

    Left out is what has a secret's name, what holds a secret that this process has read under
    any name, and what has the form of a key.

    Args:
        environment: variables and their values.
        keep: variables that stay although they hold a secret, unless this process has read it.
    """
    return {
        name: value
        for name, value in environment.items()
        if name not in _read_from
        and (name in keep or not (is_secret_name(name) or _holds_secret(value)))
    }


def _holds_secret(value: str) -> bool:
    return any(secret in value for secret in _known) or _FORMS.search(value) is not None
