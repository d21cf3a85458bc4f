"""Keeping secrets out of everything that is shown or stored."""

from __future__ import annotations

import re

__all__ = ["is_secret_name", "keep_secret", "without_secrets"]

_SHORTEST = 8
"""Characters; a shorter word is no key, and would be cut out of innocent texts."""

_NAMES = re.compile(r"key|token|secret|passw|credential|auth", re.IGNORECASE)
_NO_SECRETS = re.compile(r"key_env|tokens\b", re.IGNORECASE)

_known: set[str] = set()


def keep_secret(value: str) -> str:
    """Remember a secret for the life of the process, and return it."""
    if len(value) >= _SHORTEST:
        _known.add(value)
    return value


def without_secrets(text: str) -> str:
    """Return the text with every secret that was read in this process replaced by `[key]`."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, "[key]")
    return text


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name looks as if it held a secret, so that its value is not shown.

    `max_new_tokens` and `key_env` do not.
    """
    return bool(_NAMES.search(_NO_SECRETS.sub("", name)))
