"""Clips as a model takes them, made once and shared by roles and iterations."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from aurelia_plugin.calling.backend import Evidence, Prompt
from aurelia_plugin.media.memory import MediaMemory
from aurelia_plugin.model_wrappers.delivery.arrays import Block, Prepared, conversation
from aurelia_plugin.model_wrappers.transformers.processing import Processing, Tensors
from aurelia_plugin.model_wrappers.transformers.towers import Encoded

__all__ = ["ClipFeatures", "Clips", "Ready"]


class ClipFeatures(NamedTuple):
    """All media of one prompt, as the model takes them.

    Attributes:
        blocks: what stands for each medium in a conversation.
        expansions: what stands for each placeholder in the prompt, by modality; None where a
            prompt over the clip cannot be made of its text and these.
        media: the processor's features; nothing is left of those that the towers have read.
        encoded: outputs of the towers; None before these have read the features.
        interleaved: whether soundtracks go in with their frames.
        evidence: what of the clip is delivered.
    """

    blocks: Sequence[Sequence[Block]]
    expansions: Mapping[str, Sequence[str]] | None
    media: Tensors
    encoded: Encoded | None
    interleaved: bool
    evidence: Evidence


class Ready(NamedTuple):
    """A prompt as the model takes it.

    Attributes:
        text: values for each token, [1, tokens].
        clip: features of its media.
        key: under which the clip is kept; None where it is not.
    """

    text: Tensors
    clip: ClipFeatures
    key: tuple[str, Hashable] | None = None


class Clips:
    """Features of clips, within a bound of memory. Safe for threads.

    Attributes:
        reuses: whether anything is kept.

    Args:
        decode: turns a prompt's media into arrays.
        processing: the model's processor.
        system: the system prompt of a conversation that has none.
        most_bytes: of all features together; with 0 they are made for each prompt.
    """

    def __init__(
        self,
        decode: Callable[[Prompt], Prepared],
        processing: Processing,
        system: str | None,
        most_bytes: int,
    ) -> None:
        self._decode = decode
        self._processing = processing
        self._system = system
        self.reuses = most_bytes > 0
        self._memory: MediaMemory[ClipFeatures] = MediaMemory(
            _size, most_bytes, spare_bytes=most_bytes
        )

    def ready(self, prompt: Prompt) -> Ready:
        """Return a prompt's tokens and the features of its media, from memory if they are there.

        Raises:
            MediaError: if a medium cannot be decoded.
            BackendError: if a sound has left no token in the prompt.
        """
        media = prompt.clip.media
        if not self.reuses or not media:
            return self.processed(self._decode(prompt))
        key = media[0].digest, _what(prompt)
        made: list[Ready] = []

        def make() -> ClipFeatures:
            made.append(self.processed(self._decode(prompt)))
            return made[0].clip

        clip = self._memory.get(*key, make)
        if clip.expansions is None:  # the processor has to be asked for each prompt over this clip
            self._memory.replace(*key, clip._replace(media={}))
            return made[0] if made else self.processed(self._decode(prompt))
        if made:
            return made[0]._replace(key=key)
        turns = conversation(prompt, clip.blocks, system=self._system)
        text = self._processing.expand(self._processing.text_of(turns), clip.expansions)
        return Ready(text, clip, key)

    def processed(self, item: Prepared) -> Ready:
        """Return what the processor makes of one prompt.

        Raises:
            BackendError: if a sound has left no token in the prompt.
        """
        made = self._processing.process(item)
        clip = ClipFeatures(
            item.blocks, made.expansions, made.media, None, item.interleaved, item.evidence
        )
        return Ready(made.text, clip)

    def newest(self, ready: Ready) -> ClipFeatures:
        """Return the features of a prompt's media: as they are kept by now, else as they were."""
        kept = None if ready.key is None else self._memory.kept(*ready.key)
        return kept or ready.clip

    def encoded(self, ready: Ready, clip: ClipFeatures) -> None:
        """Keep a clip as its towers have read it."""
        if ready.key is not None:
            self._memory.replace(*ready.key, clip)


def _what(prompt: Prompt) -> Hashable:
    """Tell apart what is made of clips that begin with the same medium."""
    media = tuple((medium.kind, medium.digest) for medium in prompt.clip.media)
    return media, prompt.sampling


def _size(clip: ClipFeatures) -> int:
    return _bytes(clip.media) + _bytes(clip.encoded)


def _bytes(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_bytes(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_bytes(part) for part in value)
    return int(getattr(value, "nbytes", 0))
