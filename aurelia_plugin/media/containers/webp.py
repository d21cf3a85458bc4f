"""Animated WebP, which FFmpeg does not read: how long its frames last."""

from __future__ import annotations

import struct
from pathlib import Path

from aurelia_plugin.errors import MediaError

__all__ = ["animated_webp_timing"]

_ANIMATED = 0x02
_SHORTEST_MS = 10
_INSTEAD_MS = 100


def animated_webp_timing(path: Path) -> tuple[float, ...] | None:
    """Return the seconds that each frame is on display; None if it is no WebP of several frames.

    Frames of 10 ms or less last 100 ms, as in browsers.

    Raises:
        MediaError: the file breaks off.
    """
    with path.open("rb") as file:
        head = file.read(21)
        if head[:4] != b"RIFF" or head[8:16] != b"WEBPVP8X" or not head[20] & _ANIMATED:
            return None
        end = 8 + struct.unpack("<I", head[4:8])[0]
        if path.stat().st_size < end:
            raise MediaError(path, "the file is truncated", "Fetch the file again.")
        lengths: list[int] = []
        place = 12
        while place + 8 <= end:
            file.seek(place)
            name, size = struct.unpack("<4sI", file.read(8))
            if name == b"ANMF":
                lengths.append(int.from_bytes(file.read(16)[12:15], "little"))
            place += 8 + size + size % 2
    if len(lengths) < 2:
        return None
    return tuple((ms if ms > _SHORTEST_MS else _INSTEAD_MS) / 1000 for ms in lengths)
