"""object value that a harness or data set hands out for a medium, as Media typed by its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from PIL import Image

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import write_media
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.media.arrays import frames_from, image_frames, is_array, waveform_from
from aurelia_plugin.media.containers.kinds import media_kind
from aurelia_plugin.media.decoders import from_audio_decoder, from_video_decoder, hf_encoded
from aurelia_plugin.media.medium import Frames, Media, MediaKind

__all__ = ["coerce", "media_kind"]

# Where dictionaries of data sets and of chat messages keep the medium itself.
_CONTENT_KEYS = ("path", "url", "video", "audio", "image")
_START_KEYS = ("video_start", "start_time")
_END_KEYS = ("video_end", "end_time")


def coerce(
    value: Any,
    *,
    label: MediaKind | None = None,
    start: float | None = None,
    end: float | None = None,
) -> Media:
    """Return what lmms-eval or a data set hands out for a medium as Media.

    Files and bytes are typed by content, whatever they are called. Bytes are kept in the `media`
    folder of the user's cache, named by their digest.

    Args:
        value: a Media, a path, `file://` URL, bytes, Pillow image, array, list of frames, tuple
            (samples, rate), dictionary with one of these, or a torchcodec or `datasets` decoder.
            Frames in an array are taken to be one second apart unless a dictionary gives "fps".
        label: what the caller says it is; decides only where the content cannot, which is
            between an image and a video of one frame in an array.
        start: beginning of the span to use, in seconds; goes before one in a dictionary.
        end: end of the span, in seconds.

    Raises:
        MediaError: the value is of an unknown type, a remote URL, or cannot be read.
    """
    if isinstance(value, Mapping):
        start = _first_number(value, _START_KEYS) if start is None else start
        end = _first_number(value, _END_KEYS) if end is None else end
    media = _coerced(value, label)
    if start is None and end is None:
        return media
    start = media.start if start is None else start
    return replace(media, start=start, end=media.end if end is None else end)


def _coerced(value: object, label: MediaKind | None) -> Media:
    if isinstance(value, Media):
        return value
    if isinstance(value, Mapping):
        return _from_mapping(value, label)
    if isinstance(value, str | os.PathLike):
        return _from_path(os.fspath(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _from_bytes(bytes(value), suffix="")
    if isinstance(value, Image.Image):
        return Media("image", data=image_frames(value))
    if is_array(value) or isinstance(value, Sequence):
        return _from_arrays(value, label)
    return _from_decoder(value)


def _first_number(value: Mapping[str, float | None], keys: Sequence[str]) -> float | None:
    found = next((value[key] for key in keys if value.get(key) is not None), None)
    return None if found is None else float(found)


def _from_mapping(value: Mapping[str, Any], label: MediaKind | None) -> Media:
    if value.get("array") is not None:
        if value.get("sampling_rate") is None:
            raise MediaError("audio dictionary", "has no sampling_rate", "Add it, in Hz.")
        return Media("audio", data=waveform_from(value["array"], value["sampling_rate"]))
    path = value.get("path")
    if value.get("bytes") is not None:
        return _from_bytes(bytes(value["bytes"]), Path(path).suffix if path else "")
    content = next((value[key] for key in _CONTENT_KEYS if value.get(key) is not None), None)
    if content is None:
        raise MediaError(
            "media dictionary",
            f"holds no medium under its keys {sorted(map(str, value))}",
            f"Give array and sampling_rate, bytes, or one of {', '.join(_CONTENT_KEYS)}.",
        )
    media = coerce(content, label=label)
    if value.get("fps") and isinstance(media.data, Frames) and media.kind == "video":
        pixels, times = media.data
        return replace(media, data=Frames(pixels, times / float(value["fps"])))
    return media


def _from_path(text: str | bytes) -> Media:
    text = os.fsdecode(text)
    parts = urlsplit(text) if "://" in text[:16] else None
    if parts is not None and parts.scheme == "file":
        text = url2pathname(parts.path)
    elif parts is not None or text.startswith("data:"):
        raise MediaError(
            text[:200], "is not a local file", "Download it first and give the path of the file."
        )
    path = Path(text).expanduser().absolute()
    return Media(media_kind(path), path)


def _from_bytes(content: bytes, suffix: str) -> Media:
    if not content:
        raise MediaError("media bytes", "are empty", "Fetch the data set again.")
    path = cache_dir() / "media" / f"{hashlib.sha256(content).hexdigest()}{suffix}"
    if not path.is_file():
        write_media(path, content, check=media_kind)
    return Media(media_kind(path), path)


def _from_arrays(value: Any, label: MediaKind | None) -> Media:
    if isinstance(value, tuple) and len(value) == 2:
        samples, rate = value
        if isinstance(samples, Real):  # some tools put the rate first
            samples, rate = rate, samples
        if isinstance(rate, Real) and not isinstance(samples, Real):
            return Media("audio", data=waveform_from(samples, float(rate)))
    frames = frames_from(value)
    # A single picture without a frame axis is an image; one with it may be either.
    single = is_array(value) and len(value.shape) == 3
    if single or (label == "image" and len(frames.pixels) == 1):
        return Media("image", data=frames)
    return Media("video", data=frames)


def _from_decoder(value: object) -> Media:
    """Return the medium behind a torchcodec decoder, by its file where `datasets` tells it."""
    is_audio = hasattr(value, "get_all_samples")
    is_video = hasattr(value, "get_frames_in_range") and hasattr(value, "metadata")
    if not (is_audio or is_video):
        raise MediaError(
            f"a value of type {type(value).__module__}.{type(value).__qualname__}",
            "is no medium that this package knows",
            "Give a path, bytes, array, Pillow image, dictionary, or torchcodec decoder.",
        )
    encoded = hf_encoded(value)
    if encoded is not None:
        return _from_mapping(encoded, None)
    return from_audio_decoder(value) if is_audio else from_video_decoder(value)
