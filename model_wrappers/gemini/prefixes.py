"""The beginning of a request that Gemini can keep: the media in front of its first words."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from aurelia_plugin.calling.backend import Prompt, Text
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.gemini.client import library

if TYPE_CHECKING:
    from google.genai.types import Part

__all__ = ["Prefix", "clip_key", "split"]


class Prefix(NamedTuple):
    """What can be kept of a request: the media at its beginning.

    Attributes:
        key: names media and system instruction by their digests.
        contents: in the service's types; empty where a request begins with text.
        system: the system instruction, which is kept with it.
    """

    key: str
    contents: list[object]
    system: str


def clip_key(prompt: Prompt) -> str:
    """Return what names the media at a prompt's beginning as the service would keep them."""
    said = [m for m in prompt.messages if m.role == "system"]
    first = next((m for m in prompt.messages if m.role != "system"), None)
    parts = first.parts if first is not None else ()
    media = itertools.takewhile(lambda part: isinstance(part, Media), parts)
    sampling = [prompt.sampling.kind, prompt.sampling.frames] if prompt.sampling else None
    system = [part.text for m in said for part in m.parts if isinstance(part, Text)]
    digests = [part.digest for part in media if isinstance(part, Media)]
    return digest_of([digests, system, sampling])


def split(contents: list[Part], system: str, key: str) -> tuple[Prefix, list[Part]]:
    """Return what can be kept of a request, and the rest; nothing where all or none of it can."""
    types = library().types
    first = contents[0] if contents else None
    parts = (first.parts or []) if first is not None and first.role == "user" else []
    media = list(itertools.takewhile(lambda part: part.text is None, parts))
    rest = [types.Content(role="user", parts=parts[len(media) :])] if media != parts else []
    rest += contents[1:]
    if not media or not rest or rest[0].role != "user":
        return Prefix(key, [], system), contents
    return Prefix(key, [types.Content(role="user", parts=media)], system), rest
