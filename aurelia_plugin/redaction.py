"""Keeping secrets out of everything that is shown or stored."""

from __future__ import annotations

import re

__all__ = ["is_secret_name", "keep_secret", "without_secrets"]

_SHORTEST = 8
"""Characters; a shorter word is no key, and would be cut out of innocent texts."""

_NAMED = re.compile(
    r"""(?P<name>\b[\w-]*(?:api_?key|access_?key|private_?key|token|secret|passwd|password
        |credentials?|authorization)['"]?\s*[=:]\s*)
        (?P<value>(?:bearer\s+)?(?:'[^']*'|"[^"]*"|[^\s,;&'"]+))""",
    re.IGNORECASE | re.VERBOSE,
)
# The forms that the keys of OpenAI, Google and Hugging Face have.
_FORMS = re.compile(r"\bsk-[A-Za-z0-9_-]{16,}|\bAIza[A-Za-z0-9_-]{30,}|\bhf_[A-Za-z0-9]{20,}")

_known: set[str] = set()


def keep_secret(value: str) -> str:
    """Remember a secret for the life of the process, and return it."""
    if len(value) >= _SHORTEST:
        _known.add(value)
    return value


def without_secrets(text: str) -> str:
    """Return the text with secrets replaced by `[key]`.

    These are the keys that this process has read from its environment, words in the form of a
    well-known service's keys, and values of settings whose name says so (`api_key=...`).
    """
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, "[key]")
    return _NAMED.sub(r"\g<name>[key]", _FORMS.sub("[key]", text))


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret: `api_key` does, `max_tokens` does not."""
    return _NAMED.match(f"{name}=x") is not None
