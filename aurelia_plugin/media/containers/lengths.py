"""How long media last, read without decoding."""

from __future__ import annotations

from aurelia_plugin.media.containers.timeline import read_timeline
from aurelia_plugin.media.medium import Frames, Media, Waveform

__all__ = ["seconds_of"]


def seconds_of(media: Media) -> float:
    """Return how long a medium, or its span, lasts: 0 for an image.

    Raises:
        MediaError: the file cannot be read.
    """
    if media.kind == "image":
        return 0.0
    whole = 0.0
    if isinstance(media.data, Waveform):
        whole = media.data.seconds
    elif isinstance(media.data, Frames):
        whole = float(media.data.times[-1]) + 1.0
    elif media.path is not None:
        found = read_timeline(media.path)
        ends = [track.end - found.origin for track in (found.picture, found.sound) if track]
        whole = max(ends, default=0.0)
    start = media.start or 0.0
    return max(0.0, min(whole, whole if media.end is None else media.end) - start)
