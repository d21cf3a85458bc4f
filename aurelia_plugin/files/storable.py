"""Text that can be stored: every character is one that UTF-8 can carry."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

__all__ = ["Storable", "storable"]


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
