"""Text that can be stored: every character is one that UTF-8 and other programs can carry."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

__all__ = ["PLAIN", "Plain", "Storable", "storable"]


_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def storable(text: str) -> str:
    """Return the text with pairs of surrogates joined and lone ones replaced by question marks.

    JSON escapes of a reply that was cut, JSON that was read as YAML, and file names that are not
    UTF-8 smuggle them in.
    """
    text = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return text.encode("utf-8", "replace").decode("utf-8")


Storable = Annotated[str, AfterValidator(storable)]
"""A field of a stored record."""


def _plain(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds the NUL character")
    if not text.isascii() and storable(text) != text:
        raise ValueError("holds a lone surrogate, which is no character")
    return text


PLAIN = AfterValidator(_plain)
Plain = Annotated[str, PLAIN]
"""A field of what people write: text without NUL and lone surrogates, which are refused."""
