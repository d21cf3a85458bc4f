"""Media modes: the same question with part of its evidence taken away or exchanged."""

from __future__ import annotations

from collections.abc import Callable

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.audio import has_sound
from aurelia_plugin.media.clip import Clip
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.donors import Gather, donors
from aurelia_plugin.settings import MediaMode

__all__ = ["MediaChange"]

_PLAIN: dict[str, Callable[[Clip], Clip]] = {
    "full": lambda clip: clip,
    "muted": Clip.muted,
    "blanked": Clip.blanked,
    "text": Clip.without_media,
}


class MediaChange:
    """Applies `media=...` to every question, for agents and target alike.

    `muted` replaces sound by silence of the same length and `blanked` the picture by black, so
    that the prompt keeps its form; `text` sends no media; `swapped` gives each clip the sound of
    another clip of the run, found by the same seeded cyclic shift as the placebo's donor. A clip
    without sound stays as it is under `swapped`.
    """

    def __init__(self, mode: MediaMode, seed: int) -> None:
        self._mode = mode
        self._seed = seed
        self._seen: list[tuple[str, str, Clip]] = []
        self._donated: dict[str, Clip] = {}

    @property
    def changes(self) -> bool:
        """Whether anything is changed at all."""
        return self._mode != "full"

    @property
    def collects(self) -> bool:
        """Whether every question must be seen before any is changed."""
        return self._mode == "swapped"

    def collect(self, question: Question) -> None:
        """Remember the question's sound, if it has any."""
        clip = question.clip
        if any(has_sound(medium) for medium in clip.media):
            self._seen.append((question.id, clip.digest, clip))

    def finish_collecting(self, gather: Gather[tuple[str, str, Clip]]) -> None:
        """Find every clip's donor.

        Raises:
            ConfigError: if the run has fewer than two clips with sound.
        """
        seen = gather(self._seen)
        found = donors([(identity, digest) for identity, digest, _ in seen], self._seed)
        if found is None:
            raise ConfigError(
                "media=swapped needs the sound of another clip, and this run has fewer than two "
                "clips with sound.",
                "Raise --limit, or choose more tasks.",
            )
        clips = {digest: clip for _, digest, clip in seen}
        self._donated = {digest: clips[donor] for digest, donor in found.items()}
        self._seen.clear()

    def apply(self, question: Question) -> Question:
        """Return the question with its media changed."""
        if self._mode == "full":
            return question
        if self._mode != "swapped":
            return question.with_media(_PLAIN[self._mode])
        donor = self._donated.get(question.clip.digest)
        return question if donor is None else question.with_media(lambda c: c.with_sound_of(donor))
