"""Small files that unfold to something huge are refused before it exists."""

from __future__ import annotations

import gzip
import io
import struct
import wave
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media.conftest import make_sound, tone

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.containers import container
from aurelia_plugin.media.content import coerce
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.sound import placement
from aurelia_plugin.media.video import uniform_frames

__all__ = ["make_sound"]


def _png(width: int, height: int) -> bytes:
    """A PNG that claims this size, with the data of a few rows only."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width // 8 + 1) * 4)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(12_000, 12_000), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_giant_image(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "giant.png"
    path.write_bytes(_png(*size))
    assert path.stat().st_size < 2_000_000
    with pytest.raises(MediaError):
        picture(Media.file("image", path))


def test_a_video_with_giant_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "giant.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 1_000, 900, "gray"
        stream.time_base = Fraction(1, 1)
        frame = av.VideoFrame.from_ndarray(np.zeros((900, 1_000), dtype=np.uint8), format="gray")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    assert path.stat().st_size < 50_000
    assert uniform_frames(Media.file("video", path), 1).pixels.shape == (1, 900, 1_000, 3)
    monkeypatch.setenv("AURELIA_DECODE_IN_PROCESS", "1")
    monkeypatch.setattr(container, "MAX_FRAME_PIXELS", 800_000)
    with pytest.raises(MediaError, match=r"1000x900 are too large"):
        uniform_frames(Media.file("video", path), 1)
    assert 7_680 * 4_320 < 40_000_000, "8K passes"


def test_a_sound_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.wav"
    samples = (tone(3.0, 8_000) * 32_767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(samples)
    assert waveform(Media.file("audio", path)) is not None
    monkeypatch.setenv("AURELIA_DECODE_IN_PROCESS", "1")
    monkeypatch.setattr(placement, "LONGEST_SOUND_S", 2.0)
    with pytest.raises(MediaError, match="lasts longer than"):
        waveform(Media.file("audio", path))
    assert waveform(Media.file("audio", path, end=1.0)) is not None


@pytest.mark.parametrize("name", ["bomb.mp4", "bomb.png", "bomb.wav"])
def test_an_archive_is_not_unpacked(tmp_path: Path, name: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 20_000_000)
    for content in (packed.getvalue(), gzip.compress(b"\0" * 20_000_000)):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(MediaError):
            coerce(str(path))
