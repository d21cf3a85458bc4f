"""What a model takes of a clip: the one vocabulary of backends, servers and wrappers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import Field

from aurelia_plugin.files.records import Record

__all__ = ["SOUNDTRACKS", "Capabilities", "Soundtrack", "VideoInput"]

Soundtrack = Literal["interleaved", "after", "before", "none"]
"""How a video's soundtrack goes in: together with the frames in time (or heard from the file that
is sent whole), as a sound of its own after or before them, or not at all."""

SOUNDTRACKS: tuple[Soundtrack, ...] = get_args(Soundtrack)

VideoInput = Literal["file", "frames", "images", "none"]
"""How a video goes in: as the whole file, as one video of decoded frames, each frame as an image,
or not at all."""


class Capabilities(Record):
    """Kinds of media, the form of each, and limits on them."""

    video: VideoInput = "frames"
    """How a video goes in."""
    images: bool = True
    """Whether still images are taken."""
    soundtrack: Soundtrack = "after"
    """How a video's soundtrack goes in."""
    sounds: int | None = Field(None, ge=0)
    """Sounds of their own in one prompt at most; None where only the context is the limit."""
    sound_rate: int = Field(16_000, ge=1)
    """Samples a second of its sound input."""
    sound_seconds: float | None = Field(None, gt=0)
    """Seconds of one sound at most; None without a limit."""
    max_frames: int | None = Field(None, ge=1)
    """Frames of a video at most, unless the prompt says how many; None without a limit."""
    fps: float | None = Field(None, gt=0)
    """Frames of a video a second at most; None without a limit."""
    frame_step: int = Field(1, ge=1)
    """Frames of a video sent whole that go in together: what is left over at its end does not."""
    longest_side: int | None = Field(None, ge=1)
    """Pixels of a picture's longer side at most; None leaves pictures as they are."""
    min_pixels: int | None = Field(None, ge=1)
    """Pixels of a picture at least."""
    max_pixels: int | None = Field(None, ge=1)
    """Pixels of a picture at most."""
    hears_files: bool = False
    """Whether the soundtrack of a video that goes in whole is heard without being asked for."""
    largest_bytes: int | None = Field(None, ge=1)
    """Bytes of a video file beyond which it is encoded anew, smaller."""

    @property
    def sees(self) -> bool:
        """Whether pictures of any kind are taken."""
        return self.video != "none" or self.images

    @property
    def hears(self) -> bool:
        """Whether sound of any kind is taken."""
        return self.soundtrack != "none" or self.sounds != 0

    @property
    def lacking(self) -> tuple[str, ...]:
        """The senses that are missing: `picture`, `sound`, both or none."""
        return (*(() if self.sees else ("picture",)), *(() if self.hears else ("sound",)))

    @property
    def hearing(self) -> list[str]:
        """What is heard, in words: `soundtrack`, `4 sounds`."""
        words = ["soundtrack"] if self.soundtrack != "none" else []
        if self.sounds != 0:
            number = {None: "sounds", 1: "1 sound"}.get(self.sounds, f"{self.sounds} sounds")
            words.append(number)
        return words

    @classmethod
    def declared(
        cls, sees: Sequence[str], soundtrack: bool, clips: int | None, seconds: float | None
    ) -> Capabilities:
        """Return the capabilities that a catalogue row or a sidecar adapter declares.

        Args:
            sees: words out of `video`, `frames` (a video's, as images) and `images`.
            soundtrack: whether the soundtrack of a video is heard.
            clips: separate sounds in one prompt at most; None without a limit.
            seconds: of one sound at most; None without a limit.
        """
        as_images: VideoInput = "images" if "frames" in sees else "none"
        return cls(
            video="frames" if "video" in sees else as_images,
            images="images" in sees,
            soundtrack="after" if soundtrack else "none",
            sounds=clips,
            sound_seconds=seconds,
        )
