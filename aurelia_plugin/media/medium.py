"""One medium (a video, a sound, an image) as an immutable value with a content digest.

Nothing here decodes. An effect (no sound, no picture, another clip's sound) is a field of the
medium; `video` and `audio` honour it when they decode, so every reader sees the same evidence.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import FileMemory, content_digest, require_content

__all__ = ["Frames", "Media", "MediaKind", "Waveform", "combined_digest"]

MediaKind = Literal["video", "audio", "image"]

# Part of every digest: raise it when the meaning of a medium's fields changes.
_DIGEST_VERSION = "aurelia-media-1"

_file_digests: FileMemory[str] = FileMemory()


class Waveform(NamedTuple):
    """Mono sound: `samples` float32 [n] in -1..1, `rate` in Hz."""

    samples: NDArray[np.float32]
    rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


class Frames(NamedTuple):
    """Pictures in time order.

    `pixels` is uint8 [n, h, w, 3] RGB; `times` is float64 [n], in seconds from the start of the
    medium (of the span, where the medium has one).
    """

    pixels: NDArray[np.uint8]
    times: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Media:
    """One video, sound or image, from a file or in memory; exactly one of `path` and `data`.

    Equality and hash go by value without reading files: the path and the settings of a file, the
    content of arrays. `digest` goes by the content of files as well.

    Args:
        kind: what the medium is taken for; an audio file may be given as a video without picture.
        path: the file.
        data: the decoded medium. A Waveform for audio, Frames for a video without sound, Frames
            with n = 1 for an image. The arrays become read-only here.
        start: beginning of the span to use, in seconds (video and audio).
        end: end of the span, in seconds.
        silenced: the sound decodes to zeros of the same length.
        blanked: the picture decodes to black of the same size and count.
        sound: the sound is taken from this medium, repeated or cut to the length of this medium's
            own sound. A file without a soundtrack stays without one; in-memory Frames, which have
            none of their own, take it as it is.
        frames: how many frames of a video are shown, whatever a prompt or model has by default.

    Raises:
        MediaError: the span or the arrays cannot be used.
        ValueError: the fields contradict each other.
    """

    kind: MediaKind
    path: Path | None = None
    data: Waveform | Frames | None = field(default=None, repr=False)
    start: float | None = None
    end: float | None = None
    silenced: bool = False
    blanked: bool = False
    sound: Media | None = None
    frames: int | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.data is None):
            raise ValueError("a medium has either a path or data")
        if self.data is not None and isinstance(self.data, Waveform) != (self.kind == "audio"):
            raise ValueError(f"{type(self.data).__name__} is not {self.kind} data")
        if self.sound is not None and "image" in (self.kind, self.sound.kind):
            raise ValueError("an image neither has nor gives sound")
        if self.frames is not None and (self.kind != "video" or self.frames < 1):
            raise ValueError("only of a video at least one frame can be asked for")
        if self.data is not None:
            object.__setattr__(self, "data", _checked(self.kind, self.data))
        self._check_span()

    @classmethod
    def file(
        cls,
        kind: MediaKind,
        path: str | Path,
        start: float | None = None,
        end: float | None = None,
    ) -> Media:
        """Return the medium in a file.

        Raises:
            MediaError: the file is missing or empty, or the span is impossible.
        """
        absolute = Path(path).expanduser().absolute()
        require_content(absolute)
        return cls(kind, absolute, start=start, end=end)

    def _check_span(self) -> None:
        start, end = self.start or 0.0, math.inf if self.end is None else self.end
        if self.kind == "image" and (self.start is not None or self.end is not None):
            raise MediaError(self.name, "an image has no time span", "Remove start and end.")
        if not (0.0 <= start < math.inf and start < end):
            raise MediaError(
                self.name,
                f"the span {self.start} s to {self.end} s is empty or negative",
                "Give 0 <= start < end, in seconds.",
            )

    @property
    def name(self) -> str:
        """The path, or what the arrays hold, for messages."""
        if isinstance(self.data, Waveform):
            return f"audio array, {self.data.seconds:.1f} s at {self.data.rate} Hz"
        if isinstance(self.data, Frames):
            count, height, width, _ = self.data.pixels.shape
            frames = "" if self.kind == "image" else f"{count} frames of "
            return f"{self.kind} array, {frames}{width}x{height}"
        return str(self.path)

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the content, kind, span and effects; the path plays no part.

        Raises:
            MediaError: the file cannot be read.
        """
        content = self._data_digest
        if self.path is not None:
            content = _file_digests.get(self.path, content_digest)
        span = f"{float(self.start or 0.0)!r}:{None if self.end is None else float(self.end)!r}"
        sound = self.sound.digest if self.sound is not None else None
        shown = () if self.frames is None else (self.frames,)
        return combined_digest(self.kind, content, span, self.silenced, self.blanked, sound, *shown)

    @cached_property
    def _data_digest(self) -> str | None:
        if self.data is None:
            return None
        if isinstance(self.data, Waveform):
            return combined_digest("waveform", self.data.rate, self.data.samples)
        return combined_digest("frames", self.data.pixels.shape, self.data.times, self.data.pixels)

    def _value(self) -> tuple[object, ...]:
        effects = (self.start, self.end, self.silenced, self.blanked, self.sound, self.frames)
        return (self.kind, self.path, self._data_digest, *effects)

    def __eq__(self, other: object) -> bool:
        return self._value() == other._value() if isinstance(other, Media) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._value())


def _checked(kind: MediaKind, data: Waveform | Frames) -> Waveform | Frames:
    """Return the data with its documented dtypes and read-only arrays."""
    if isinstance(data, Waveform):
        samples = np.ascontiguousarray(data.samples, dtype=np.float32)
        if samples.ndim != 1 or samples.size == 0 or data.rate <= 0:
            raise _bad_array("audio", f"shape {samples.shape} at {data.rate} Hz", "[n] samples")
        return Waveform(_read_only(samples), int(data.rate))
    pixels = np.ascontiguousarray(data.pixels)
    times = np.ascontiguousarray(data.times, dtype=np.float64)
    right = pixels.ndim == 4 and pixels.shape[3] == 3 and pixels.dtype == np.uint8
    if not right or pixels.size == 0 or (kind == "image" and len(pixels) != 1):
        raise _bad_array(kind, f"{pixels.dtype} {pixels.shape}", "uint8 [n, height, width, 3]")
    if times.shape != pixels.shape[:1] or bool(np.any(np.diff(times) <= 0)):
        raise _bad_array(kind, f"{len(pixels)} frames at {times.tolist()} s", "increasing times")
    return Frames(_read_only(pixels), _read_only(times))


def _bad_array(kind: MediaKind, found: str, wanted: str) -> MediaError:
    return MediaError(f"{kind} array", f"cannot be used: {found}", f"Give {wanted}, not empty.")


Number = TypeVar("Number", np.uint8, np.float32, np.float64)


def _read_only(array: NDArray[Number]) -> NDArray[Number]:
    view = array[...]  # a view: the caller's own array stays writable
    view.flags.writeable = False
    return view


def combined_digest(*parts: object) -> str:
    """Return the SHA-256 of the parts; lengths are hashed too, so no two lists collide."""
    digest = hashlib.sha256(_DIGEST_VERSION.encode())
    for part in parts:
        content = part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode()
        digest.update(f"|{type(part).__name__}:{len(content)}|".encode())
        digest.update(content)
    return digest.hexdigest()
