"""Time stamps, orientations and channels as recorders, networks and telephones leave them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from .kinds import Expected, OddFile
from .reference import SECONDS, ffmpeg

__all__ = ["channels", "late", "lost_and_joined", "oriented", "turned"]

_X264 = "-c:v libx264 -pix_fmt yuv420p"

# Rows of display matrices (a, b, c, d), and the corners that they give.
_MATRICES = {
    "upright": ((1, 0, 0, 1), "RGBW"),
    "quarter": ((0, 1, -1, 0), "BRWG"),
    "half": ((-1, 0, 0, -1), "WBGR"),
    "three_quarters": ((0, -1, 1, 0), "GWRB"),
    "mirrored": ((-1, 0, 0, 1), "GRWB"),
    "flipped": ((1, 0, 0, -1), "BWRG"),
    "transposed": ((0, 1, 1, 0), "RBGW"),
    "transversed": ((0, -1, -1, 0), "WGBR"),
}


def turned(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write a display matrix into every track header of an MP4 or MOV file."""
    a, b, c, d = (value << 16 if value >= 0 else -(1 << 16) for value in matrix)
    packed = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    content[place : place + 36] = packed
    path.write_bytes(content)


def oriented() -> Iterator[OddFile]:
    """Yield the eight orientations in two containers."""
    for ending in ("mp4", "mov"):
        for word, (matrix, corners) in _MATRICES.items():

            def make(folder: Path, name: str, matrix: tuple[int, int, int, int] = matrix) -> None:
                ffmpeg("-i", "clip.mkv", *f"{_X264} -c:a aac".split(), name, folder=folder)
                turned(folder / name, matrix)

            expected = Expected(corners=corners)
            yield OddFile(f"{word}.{ending}", "orientation", make, expected)


def _by_ffmpeg(name: str, group: str, expected: Expected, *arguments: str) -> OddFile:
    def make(folder: Path, name: str) -> None:
        ffmpeg(*arguments, name, folder=folder)

    return OddFile(name, group, make, expected)


def late() -> Iterator[OddFile]:
    """Yield files that begin late, or of which one stream does."""
    codecs = {
        "mkv": f"{_X264} -c:a libopus",
        "webm": "-c:v libvpx -b:v 1M -c:a libopus",
        "mp4": f"{_X264} -c:a aac",
        "ts": f"{_X264} -c:a aac",
        "mpg": "-c:v mpeg2video -q:v 3 -c:a mp2",
        "flv": f"{_X264} -c:a aac",
        "nut": f"{_X264} -c:a flac",
    }
    for ending, codec in codecs.items():
        whole = ("-copyts", "-output_ts_offset", "7", "-muxdelay", "0", "-muxpreload", "0")
        yield _by_ffmpeg(
            f"all_late.{ending}", "late", Expected(), "-i", "clip.mkv", *codec.split(), *whole
        )
        picture: tuple[str, ...] = ("-i", "clip.mkv")
        sound: tuple[str, ...] = ("-itsoffset", "1.5", "-i", "sound.wav")
        chosen = ("-map", "0:v", "-map", "1:a", *codec.split())
        yield _by_ffmpeg(
            f"sound_late.{ending}",
            "late",
            Expected(begins=1.5, seconds=SECONDS),
            *(*picture, *sound, *chosen),
        )
        picture = ("-itsoffset", "1.5", "-i", "clip.mkv")
        sound = ("-i", "sound.wav")
        # Not filled up to a constant rate from the beginning on, where that can be had.
        filled = ending in ("mpg", "mp4")
        rate: tuple[str, ...] = () if filled else ("-vsync", "passthrough")
        expected = Expected(seconds=5.52) if filled else Expected()
        yield _by_ffmpeg(
            f"picture_late.{ending}", "late", expected, *(*picture, *sound, *chosen, *rate)
        )


def _copied(target: OutputContainer, stream: Stream) -> Stream:
    if isinstance(stream, VideoStream):
        return target.add_stream_from_template(stream)
    assert isinstance(stream, AudioStream)
    return target.add_stream_from_template(stream)


def _thinned(source: Path, target: Path, kind: str, lost: range, every: int) -> None:
    """Copy a file without every so manyth packet of a kind, within a range of packets."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        streams = {
            stream.index: _copied(after, stream)
            for stream in (*before.streams.video, *before.streams.audio)
        }
        count = 0
        for packet in before.demux():
            if packet.dts is None or packet.stream_index not in streams:
                continue
            if packet.stream.type == kind:
                count += 1
                if count in lost and count % every == 0:
                    continue
            packet.stream = streams[packet.stream_index]
            after.mux(packet)


def _drifting(source: Path, target: Path, factor: Fraction) -> None:
    """Copy a file whose sound's time stamps run fast or slow."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        streams = {
            stream.index: _copied(after, stream)
            for stream in (*before.streams.video, *before.streams.audio)
        }
        for packet in before.demux():
            if packet.dts is None or packet.pts is None:
                continue
            if packet.stream.type == "audio":
                packet.pts = round(packet.pts * factor)
                packet.dts = round(packet.dts * factor)
            packet.stream = streams[packet.stream_index]
            after.mux(packet)


def lost_and_joined() -> Iterator[OddFile]:
    """Yield files with holes, with clocks that drift, and of pieces one after the other."""
    for ending, codec in (
        ("webm", "-c:v libvpx -b:v 1M -c:a libopus"),
        ("mkv", f"{_X264} -bf 0 -c:a aac"),
    ):
        for word, span, every in (
            ("each_tenth", range(1, 10**6), 10),
            ("a_second", range(60, 110), 1),
        ):

            def make(
                folder: Path,
                name: str,
                codec: str = codec,
                span: range = span,
                every: int = every,
            ) -> None:
                whole = f"whole_{name}"
                ffmpeg("-i", "clip.mkv", *codec.split(), whole, folder=folder)
                _thinned(folder / whole, folder / name, "audio", span, every)

            kept = ((0.0, 1.0), (2.4, SECONDS)) if every == 1 else ((0.0, SECONDS),)
            expected = Expected(kept=kept)
            yield OddFile(f"lost_{word}.{ending}", "lost packets", make, expected, coarse=True)
    for word, factor in (("slow", Fraction(1005, 1000)), ("fast", Fraction(995, 1000))):

        def drift(folder: Path, name: str, factor: Fraction = factor) -> None:
            ffmpeg(
                "-i", "clip.mkv", *f"{_X264} -bf 0 -c:a libopus".split(), f"w_{name}", folder=folder
            )
            _drifting(folder / f"w_{name}", folder / name, factor)

        expected = Expected(kept=((0.0, 0.5), (1.0, 1.5)))
        yield OddFile(f"drifts_{word}.mkv", "drift", drift, expected, coarse=True)
    joined = {
        "ts": f"{_X264} -c:a aac",
        "m2ts": f"{_X264} -c:a ac3 -mpegts_m2ts_mode 1",
        "mpg": "-c:v mpeg2video -q:v 3 -c:a mp2",
        "vob": "-c:v mpeg2video -q:v 3 -c:a ac3",
    }
    for ending, codec in joined.items():
        for word, offset in (("same_clock", "0"), ("later_clock", "3000"), ("far_clock", "90000")):

            def join(
                folder: Path, name: str, ending: str = ending, codec: str = codec, off: str = offset
            ) -> None:
                parts = (f"1_{name}", f"2_{name}")
                for index, part in enumerate(parts):
                    span = ("-ss", f"{2 * index}", "-t", "2")
                    shift = ("-output_ts_offset", off) if index else ()
                    ffmpeg(*span, "-i", "clip.mkv", *codec.split(), *shift, part, folder=folder)
                content = b"".join((folder / part).read_bytes() for part in parts)
                (folder / name).write_bytes(content)

            expected = Expected(seconds=SECONDS, kept=((0.0, 1.9),))
            yield OddFile(f"joined_{word}.{ending}", "joined", join, expected)


def channels() -> Iterator[OddFile]:
    """Yield sound of several channels, and what cancels out when channels are averaged."""
    sound = Expected("audio", corners="")
    for name, options in {
        "stereo.m4a": "-i stereo.wav -c:a aac",
        "opposite_24.wav": "-i opposite.wav -c:a pcm_s24le",
        "opposite.flac": "-i opposite.wav",
        "opposite.m4a": "-i opposite.wav -c:a aac -aac_coder twoloop -aac_ms 0 -b:a 256k",
        "centre_5.1.wav": "-channel_layout 5.1 -i centre.wav -c:a pcm_s24le",
        "centre_5.1.ac3": "-channel_layout 5.1 -i centre.wav",
        "centre_5.1.m4a": "-channel_layout 5.1 -i centre.wav -c:a aac",
        "centre_5.1.flac": "-channel_layout 5.1 -i centre.wav",
        "spread_5.1.eac3": "-i sound.wav -af pan=5.1|FL=c0|FR=c0|FC=c0|BL=c0|BR=c0",
        "spread_7.1.flac": "-i sound.wav -af pan=7.1|FL=c0|FR=c0|SL=c0|SR=c0|BL=c0|BR=c0",
        "quad.wav": "-i sound.wav -af pan=quad|FL=c0|FR=c0|BL=c0|BR=c0",
        "surround_only.wav": "-i sound.wav -af pan=5.1|BL=c0|BR=0.5*c0",
        "left_only.wav": "-i sound.wav -af pan=stereo|FL=c0",
        "with_effects.wav": "-i sound.wav -af pan=2.1|FL=c0|FR=c0|LFE=0*c0",
    }.items():
        yield _by_ffmpeg(name, "channels", sound, *options.split())
