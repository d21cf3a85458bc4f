"""The evidence of one question: its media in order, with one content digest.

Nothing here decodes, and importing this module does not load PyAV.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.medium import Frames, Media, MediaKind, Waveform, combined_digest

__all__ = ["Clip", "Frames", "Media", "MediaKind", "Waveform"]


@dataclass(frozen=True)
class Clip:
    """Zero or more media in the order in which the question names them."""

    media: tuple[Media, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the media's digests in order; the empty clip has one too.

        Raises:
            MediaError: a file cannot be read.
        """
        return combined_digest("clip", *(medium.digest for medium in self.media))

    @cached_property
    def videos(self) -> tuple[Media, ...]:
        """The videos, in order."""
        return tuple(medium for medium in self.media if medium.kind == "video")

    @cached_property
    def audios(self) -> tuple[Media, ...]:
        """The separate sounds, in order; soundtracks of videos are not among them."""
        return tuple(medium for medium in self.media if medium.kind == "audio")

    @cached_property
    def images(self) -> tuple[Media, ...]:
        """The images, in order."""
        return tuple(medium for medium in self.media if medium.kind == "image")

    def muted(self) -> Clip:
        """Return the clip with zeros of the same length for every sound."""
        return Clip(
            tuple(
                medium if medium.kind == "image" else replace(medium, silenced=True)
                for medium in self.media
            )
        )

    def blanked(self) -> Clip:
        """Return the clip with black of the same size and count for every picture."""
        return Clip(
            tuple(
                medium if medium.kind == "audio" else replace(medium, blanked=True)
                for medium in self.media
            )
        )

    def with_sound_of(self, other: Clip) -> Clip:
        """Return this clip with the sound of the other clip's first medium that has sound.

        Every sound file and soundtrack is replaced, at its own length; pictures stay. A video of
        this clip without a soundtrack stays without one.

        Raises:
            MediaError: nothing in the other clip has sound, or a file of it cannot be opened.
        """
        # Only files can tell whether they have a soundtrack, and only `audio` may open them.
        from aurelia_plugin.media.audio import has_sound

        donor = next((medium for medium in other.media if has_sound(medium)), None)
        if donor is None:
            names = ", ".join(medium.name for medium in other.media) or "an empty clip"
            raise MediaError(names, "has no sound to give", "Pair it with another clip.")
        return Clip(tuple(_with_sound(medium, donor) for medium in self.media))

    def without_media(self) -> Clip:
        """Return the empty clip."""
        return Clip()


def _with_sound(medium: Media, donor: Media) -> Media:
    if medium.kind == "image":
        return medium
    if isinstance(medium.data, Frames):
        # In-memory frames have no length of sound but that of the sound which they were given.
        if medium.sound is None:
            return medium
        return replace(medium, sound=_with_sound(medium.sound, donor))
    return replace(medium, sound=donor)
