from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

MakeVideo = Callable[..., Path]
MakeSound = Callable[..., Path]


def grey_frames(levels: Sequence[int], size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """Frames [n, h, w, 3] of one grey level each, so that a decoded frame tells its index."""
    width, height = size
    column = np.array(levels, dtype=np.uint8)[:, None, None, None]
    frames: NDArray[np.uint8] = np.broadcast_to(column, (len(levels), height, width, 3)).copy()
    return frames


def tone(seconds: float, rate: int = 44100, hertz: float = 440.0) -> NDArray[np.float32]:
    moments = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)


def _encode_sound(
    container: OutputContainer,
    stream: AudioStream,
    samples: NDArray[np.float32],
    rate: int,
    delay: float,
) -> None:
    channels = np.atleast_2d(samples)
    layout = {1: "mono", 2: "stereo"}[len(channels)]
    for first in range(0, channels.shape[1], 1024):
        chunk = np.ascontiguousarray(channels[:, first : first + 1024])
        frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout=layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = first + round(delay * rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Write a video: its frames, when they begin (seconds), and its sound."""

    def make(
        name: str = "clip.mp4",
        pixels: NDArray[np.uint8] | None = None,
        times: Sequence[float] | None = None,
        sound: NDArray[np.float32] | None = None,
        *,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        sound_codec: str = "aac",
        sound_delay: float = 0.0,
        sound_rate: int = 44100,
        faststart: bool = False,
        gop: int = 12,
    ) -> Path:
        pixels = grey_frames(range(20, 220, 5)) if pixels is None else pixels
        times = [index / 10 for index in range(len(pixels))] if times is None else times
        path = tmp_path / name
        options = {"movflags": "faststart"} if faststart else {}
        with av.open(str(path), "w", options=options) as container:
            video = container.add_stream(codec, rate=10)
            assert isinstance(video, av.VideoStream)
            video.height, video.width = pixels.shape[1:3]
            video.pix_fmt = pix_fmt
            video.gop_size = gop
            video.codec_context.time_base = Fraction(1, 1000)
            audio = None
            if sound is not None:
                layout = "mono" if sound.ndim == 1 else "stereo"
                audio = container.add_stream(sound_codec, rate=sound_rate, layout=layout)
            for picture, time in zip(pixels, times, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if sound is not None:
                assert isinstance(audio, AudioStream)
                _encode_sound(container, audio, sound, sound_rate, sound_delay)
        return path

    return make


@pytest.fixture
def make_sound(tmp_path: Path) -> MakeSound:
    """Write a sound file; the container follows from the name."""

    def make(
        name: str = "sound.wav",
        samples: NDArray[np.float32] | None = None,
        *,
        codec: str = "pcm_s16le",
        rate: int = 44100,
    ) -> Path:
        samples = tone(1.0, rate) if samples is None else samples
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            layout = "mono" if samples.ndim == 1 else "stereo"
            stream = container.add_stream(codec, rate=rate, layout=layout)
            assert isinstance(stream, AudioStream)
            _encode_sound(container, stream, samples, rate, 0.0)
        return path

    return make


def cut_file(path: Path, share: float) -> Path:
    """Return a copy of the file that ends early."""
    content = path.read_bytes()
    cut = path.with_name(f"cut_{path.name}")
    cut.write_bytes(content[: int(len(content) * share)])
    return cut


def turn_file(path: Path, clockwise: int) -> Path:
    """Return a copy of an MP4 whose track header asks for a rotation."""
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[clockwise]
    one = 1 << 16
    matrix = struct.pack(
        ">9i", cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30
    )
    content = bytearray(path.read_bytes())
    begin = content.index(b"tkhd") + 4 + 40  # after version, flags and 36 bytes of fields
    content[begin : begin + 36] = matrix
    turned = path.with_name(f"turned_{clockwise}_{path.name}")
    turned.write_bytes(content)
    return turned
