"""The media of a request, for systems that take one video and one sound."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple

from aurelia_plugin.model_wrappers.sidecar.kit.forms import Block, Image, Sound, Used, Video
from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_samples

__all__ = ["Chosen", "one_of_each"]


class Chosen(NamedTuple):
    """What goes into the prompt.

    Attributes:
        video: the first video; None without one.
        images: paths of the first still images.
        sound: the WAV file to be heard: the first separate sound or else the video's soundtrack;
            "" if there is none.
        seconds: its length.
        separate: whether it is a sound of its own and not the soundtrack.
    """

    video: Optional[Video]
    images: Tuple[str, ...]
    sound: str
    seconds: float
    separate: bool

    @property
    def what(self) -> str:
        """The word for the sound in `Used.dropped`."""
        return "sound" if self.separate else "soundtrack"


def one_of_each(
    blocks: Sequence[Block], used: Used, *, images: int = 0, beside_video: int = 0
) -> Chosen:
    """Choose one video, one sound and some images, and declare the rest in `used.dropped`.

    Args:
        blocks: the request.
        used: gets an entry for each medium that is left out.
        images: how many still images the system takes.
        beside_video: how many of them it takes together with a video.

    Raises:
        MediaError: if the chosen sound cannot be read.
    """
    videos = [block for block in blocks if isinstance(block, Video)]
    sounds = [block for block in blocks if isinstance(block, Sound)]
    pictures = [block.path for block in blocks if isinstance(block, Image)]
    taken = beside_video if videos else images
    extras: List[Block] = [*videos[1:], *sounds[1:]]
    for extra in extras:
        used.leave_out(extra, "the system takes one at a time")
    for _ in pictures[taken:]:
        used.drop("image", "more than the system takes in a prompt")
    video = videos[0] if videos else None
    kept = tuple(pictures[:taken])
    track = video.sound if video else None
    if sounds and track:
        used.drop("soundtrack", "the system takes one sound, and a separate one is given")
    sound = sounds[0].path if sounds else track or ""
    length = len(read_samples(sound)) / RATE if sound else 0.0
    return Chosen(video, kept, sound, length, bool(sounds))
