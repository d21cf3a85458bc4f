"""Which formats are opened: those that hold their media themselves, told by content.

A playlist, a manifest or a session description names other files or addresses. Reading one would
read what lies outside of the file, which neither its digest nor the folder's limits cover.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import av

from aurelia_plugin.errors import MediaError

__all__ = ["format_whitelist", "require_self_contained"]

_HEAD_BYTES = 1 << 16


class _Text(NamedTuple):
    """How the beginning of a file that names other files looks."""

    name: str
    pattern: re.Pattern[bytes]


def _begins(expression: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\A" + expression, re.IGNORECASE)


def _root(*elements: bytes) -> re.Pattern[bytes]:
    """Return the pattern of a document whose first element is one of these."""
    return re.compile(
        rb"\A<(?:[\w-]{1,40}:)?(?:" + b"|".join(elements) + rb")[\s>/]", re.IGNORECASE
    )


_TEXTS = (
    _Text("an M3U or HLS playlist", _begins(rb"#EXT(?:M3U|INF|-X-)")),
    _Text("a DASH manifest", _root(rb"MPD")),
    _Text("a concat script", _begins(rb"ffconcat\s{1,9}version|file\s{1,9}\S")),
    _Text("a session description (SDP)", _begins(rb"v=\d{1,9}\s{1,4}[a-z]=")),
    _Text("a drawing (SVG)", _root(rb"svg")),
    _Text(
        "a playlist in XML",
        _root(
            rb"smil",
            rb"asx",
            rb"playlist",
            rb"rss",
            rb"feed",
            rb"AssetMap",
            rb"CompositionPlaylist",
            rb"PackingList",
            rb"SmoothStreamingMedia",
            rb"manifest",
            rb"mlt",
            rb"xmeml",
            rb"fcpxml",
        ),
    ),
    _Text("a playlist (PLS)", _begins(rb"\[playlist\]")),
    _Text("a redirector", _begins(rb"\[(?:Reference|InternetShortcut|Desktop Entry)\]")),
    _Text("a redirector", _begins(rb"(?:RTSPtext|SMILtext|ASF )\s{0,9}\S{1,40}://")),
    _Text("a list of addresses", _begins(rb"[a-z][a-z0-9+.-]{1,15}://\S")),
    _Text("a cue sheet", _begins(rb"FILE\s{1,9}[\"\w]")),
    _Text("a DVD subtitle index", _begins(rb"# VobSub index file")),
    _Text("an AviSynth or VapourSynth script", _begins(rb"(?:import vapoursynth|AviSource\()")),
)

_QUICKTIME_REFERENCE = re.compile(rb"rmra.{4}rmda|rmda.{4}rdrf", re.DOTALL)

# Demuxers that open other files or addresses; that read devices; that take text or any bytes for
# a picture or sound; and raw samples, of which only the file's name tells what they are.
_REFERENCES = frozenset(
    [
        "hls",
        "applehttp",
        "dash",
        "concat",
        "concatf",
        "imf",
        "sdp",
        "rtsp",
        "rtp",
        "sap",
        "image2",
        "image2pipe",
        "svg_pipe",
        "vobsub",
        "webm_dash_manifest",
        "mpjpeg",
        "live_flv",
        "ipmovie",
        "avisynth",
        "vapoursynth",
        "libopenmpt",
        "bluray",
        "dvdvideo",
        "ffmetadata",
        "sbg",
    ]
)
_DEVICES = frozenset(
    [
        "alsa",
        "dshow",
        "fbdev",
        "gdigrab",
        "iec61883",
        "jack",
        "kmsgrab",
        "lavfi",
        "libcdio",
        "oss",
        "pulse",
        "sndio",
        "v4l2",
        "video4linux2",
        "vfwcap",
        "x11grab",
        "xcbgrab",
        "avfoundation",
        "decklink",
        "openal",
        "android_camera",
        "libdc1394",
    ]
)
_NOT_MEDIA = frozenset(["tty", "bin", "xbin", "adf", "idf", "data", "rcwt"])
_RAW = frozenset(
    [
        "rawvideo",
        "alaw",
        "mulaw",
        "s8",
        "u8",
        "vidc",
        "bitpacked",
        "v210",
        "v210x",
        "codec2raw",
        "aptx",
        "aptx_hd",
        "sln",
        "s16be",
        "s16le",
        "s24be",
        "s24le",
        "s32be",
        "s32le",
        "u16be",
        "u16le",
        "u24be",
        "u24le",
        "u32be",
        "u32le",
        "f32be",
        "f32le",
        "f64be",
        "f64le",
        "g722",
        "g726",
        "g726le",
        "sbc",
        "dfpwm",
    ]
)
_REFUSED = _REFERENCES | _DEVICES | _NOT_MEDIA | _RAW


@cache
def format_whitelist() -> str:
    """Return the names of the demuxers that may be used, as FFmpeg's option wants them."""
    names = {part for name in av.formats_available for part in name.split(",")}
    return ",".join(sorted(names - _REFUSED))


# What may stand before that by which a text is known, and how it ends.
_SKIPPED = (
    (b"<?", b"?>"),
    (b"<!--", b"-->"),
    (b"<!doctype", b">"),
    (b"# ", b"\n"),
    (b"#\n", b"\n"),
    (b"rem ", b"\n"),
    (b"title ", b"\n"),
    (b"performer ", b"\n"),
    (b"catalog ", b"\n"),
)


def _after_comments(head: bytes) -> bytes:
    """Return the first kilobyte of a text behind byte order mark, white space and comments."""
    place = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    lower = head.lower()
    while True:
        while place < len(head) and head[place : place + 1].isspace():
            place += 1
        if lower.startswith(b"# vobsub", place):
            break
        end = next((end for begin, end in _SKIPPED if lower.startswith(begin, place)), None)
        if end is None:
            break
        if lower.startswith(b"<!doctype", place) and b"[" in lower[place : lower.find(b">", place)]:
            end = b"]>"
        found = lower.find(end, place)
        if found < 0:
            break
        place = found + len(end)
    return head[place : place + 1024]


def require_self_contained(path: Path) -> None:
    """Raise MediaError if the file's content names other files or addresses."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    begins = _after_comments(head)
    name = next((text.name for text in _TEXTS if text.pattern.match(begins)), None)
    if name is None and b"\0" not in head and b"\nc=IN IP" in head:
        name = "a session description (SDP)"
    if name is None and b"ftypqt" in head[:16] and _QUICKTIME_REFERENCE.search(head):
        name = "a QuickTime reference movie"
    if name is not None:
        raise MediaError(
            path,
            f"names other files instead of holding media: it is {name}",
            "Give the media file itself (ffmpeg -i IN OUT.mp4 makes one of what you trust).",
        )
