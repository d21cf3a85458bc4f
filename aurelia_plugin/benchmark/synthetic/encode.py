"""Arrays -> media files that any player opens, with the same bytes for the same arrays.

"The same" holds within one environment: another build of FFmpeg may choose other bits.
"""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from aurelia_plugin.benchmark.synthetic.scene import FPS, SAMPLE_RATE

__all__ = ["write_mp4", "write_wav"]

# x264's lookahead decides differently from run to run, even with one thread; so no part of it.
_X264 = "threads=1:mbtree=0:rc-lookahead=0:sync-lookahead=0:bframes=0:scenecut=0"

_AAC_FRAME = 1024


def _add_picture(
    container: OutputContainer, stream: VideoStream, frames: NDArray[np.uint8]
) -> None:
    for index, array in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(array, format="rgb24")
        frame.pts = index
        frame.time_base = Fraction(1, FPS)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _add_sound(
    container: OutputContainer, stream: AudioStream, waveform: NDArray[np.float32]
) -> None:
    for start in range(0, waveform.size, _AAC_FRAME):
        samples = np.ascontiguousarray(waveform[None, start : start + _AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_mp4(path: Path, frames: NDArray[np.uint8], waveform: NDArray[np.float32]) -> None:
    """Write H.264 and AAC. `frames`: `[n, h, w, 3]` at 8 per second, `waveform`: mono 16 kHz."""
    # One thread and no version strings or dates: what would differ from run to run.
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        video = container.add_stream("libx264", rate=FPS)
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.options = {"crf": "20", "preset": "veryfast", "x264-params": _X264}
        video.codec_context.thread_count = 1
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        audio.bit_rate = 64_000
        audio.codec_context.thread_count = 1
        for stream in (video, audio):
            stream.codec_context.flags |= av.codec.context.Flags.bitexact.value
        _add_picture(container, video, frames)
        _add_sound(container, audio, waveform)


def write_wav(path: Path, waveform: NDArray[np.float32]) -> None:
    """Write 16-bit PCM, mono, 16 kHz."""
    samples = np.clip(np.rint(waveform * 32767.0), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
