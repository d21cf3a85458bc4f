"""Whether a file breaks off before the length that its header states."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import av
from av.container import InputContainer
from av.stream import Disposition, Stream

from aurelia_plugin.errors import MediaError

__all__ = ["Extent", "require_complete"]

# Containers whose header states one length for all streams together.
_STATED_LENGTH = frozenset({"matroska", "flac"})

# Writers to a pipe cannot know the length of a WAV file and leave a huge placeholder.
_WAV_PLACEHOLDER_BYTES = 0x7FFF0000

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


class Extent(Protocol):
    """How far a stream reaches."""

    @property
    def end(self) -> float:
        """Where the last packet ends, in seconds."""

    @property
    def packets(self) -> int:
        """How many packets there are."""

    @property
    def corrupt(self) -> bool:
        """Whether a packet is incomplete."""


def require_complete(path: Path, container: InputContainer, extents: Mapping[int, Extent]) -> None:
    """Compare what is there with what the header states, where the header states it.

    MPEG-TS, Ogg, MP3 and ADTS state no length of their own, so a cut there is not noticed.

    Raises:
        MediaError: the file ends before the stated length.
    """
    reached = max((extent.end for extent in extents.values() if extent.packets), default=0.0)
    for stream in container.streams:
        if stream.index not in extents or stream.disposition & Disposition.attached_pic:
            continue
        extent, stated = extents[stream.index], _stated_seconds(container, stream)
        if stated is not None:
            _compare(path, extent.end, stated, extent.corrupt)
    if container.format.name.split(",")[0] in _STATED_LENGTH and container.duration is not None:
        corrupt = any(extent.corrupt for extent in extents.values())
        if _is_cut_matroska(path):
            # Some writers count the length from zero, others from the first time stamp.
            reached -= max(0.0, (container.start_time or 0) / av.time_base)
        _compare(path, reached, container.duration / av.time_base, corrupt)
    if container.format.name == "wav":
        stated = _stated_wav_seconds(path)
        if stated is not None:
            _compare(path, reached, stated, corrupt=True)


def _stated_seconds(container: InputContainer, stream: Stream) -> float | None:
    """Return the length that the header states for this stream alone, if it states one."""
    family = container.format.name.split(",")[0]
    if stream.type not in ("video", "audio"):
        return None
    if family == "mov" and stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    if family == "avi" and stream.type == "video" and stream.frames and stream.average_rate:
        return float(stream.frames / stream.average_rate)
    return None


def _stated_wav_seconds(path: Path) -> float | None:
    try:
        with wave.open(str(path), "rb") as file:
            size = file.getnframes() * file.getnchannels() * file.getsampwidth()
            return (
                None if size >= _WAV_PLACEHOLDER_BYTES else file.getnframes() / file.getframerate()
            )
    except (wave.Error, EOFError, ZeroDivisionError):
        return None  # not plain PCM: no statement


def _is_cut_matroska(path: Path) -> bool:
    """Return whether the file is shorter than its Matroska segment says it is."""
    with path.open("rb") as file:
        head = file.read(4096)
    place = head.find(_SEGMENT)
    if not head.startswith(_EBML) or place < 0 or len(head) < place + 12:
        return False
    first = head[place + 4]
    width = 9 - first.bit_length() if first else 8
    size = int.from_bytes(head[place + 4 : place + 4 + width], "big") & ((1 << 7 * width) - 1)
    unknown = size == (1 << 7 * width) - 1
    return not unknown and place + 4 + width + size > path.stat().st_size


def _compare(path: Path, reached: float, stated: float, corrupt: bool) -> None:
    # Headers round, and a held last frame may lack a duration; a half packet is proof of a cut.
    allowed = 0.1 if corrupt else max(0.5, 0.05 * stated)
    if stated - reached > allowed:
        raise MediaError(
            path,
            f"the file is truncated: it ends at {reached:.1f} s of {stated:.1f} s",
            "Fetch the file again.",
        )
