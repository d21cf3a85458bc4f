"""The fields of a request that say how a server has to read its videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurelia_plugin.model_wrappers.delivery.encoding import SEQUENCE, Blob
from aurelia_plugin.model_wrappers.openai.options import OpenAIOptions
from aurelia_plugin.model_wrappers.openai.servers import Server

__all__ = ["video_fields"]


def video_fields(
    videos: Sequence[Blob], options: OpenAIOptions, server: Server, *, interleaved: bool
) -> dict[str, Any]:
    """Return the fields that a request with these videos needs.

    Args:
        videos: the request's videos.
        options: how they are to be read.
        server: what it takes.
        interleaved: whether their soundtracks go in with their frames.
    """
    fields: dict[str, Any] = {}
    sampling = _sampling(videos, server)
    if sampling and server.frames_body:
        fields = _nested(server.frames_body, sampling)
    pixels = {"min_pixels": options.min_pixels, "max_pixels": options.max_pixels}
    processing: dict[str, Any] = {k: v for k, v in pixels.items() if v is not None}
    if not server.processor_body or not videos or not (processing or interleaved):
        return fields
    # Processors take it that it is 2 (Qwen2.5-Omni) or 1 (Qwen3-Omni) unless they are told.
    rate = processing["fps"] = videos[0].rate
    if interleaved:
        fields = _merged(fields, server.interleaved_body)
        # vLLM 0.32 puts picture and sound of Qwen2.5-Omni in order by this one alone.
        processing["second_per_grid_ts"] = [server.step_frames / rate for _ in videos]
    return _merged(fields, _nested(server.processor_body, processing))


def _sampling(videos: Sequence[Blob], server: Server) -> dict[str, float]:
    """Return how many frames the server has to take, where it would take others."""
    whole = [blob for blob in videos if blob.mime != SEQUENCE]
    frames = max((blob.frames for blob in videos), default=0)
    if not whole:
        own = server.sequence_frames
        return {"num_frames": frames} if own is not None and frames > own else {}
    # A little more than the rate, so that rounding takes no frame away.
    rate = max(1.001 * blob.rate for blob in whole)
    return {"num_frames": frames, "max_frames": frames, "fps": rate}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return two requests' fields together, mappings of one name too."""
    both = dict(one)
    for name, value in other.items():
        has = both.get(name)
        both[name] = _merged(has, value) if isinstance(has, dict) else value
    return both


def _nested(path: Sequence[str], value: Mapping[str, Any]) -> dict[str, Any]:
    nested = dict(value)
    for name in reversed(path):
        nested = {name: nested}
    return nested
