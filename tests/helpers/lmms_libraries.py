"""Stand-ins for the libraries that lmms-eval's wrappers import, so that they run on a CPU.

decord, librosa, moviepy, whisper and torchaudio read through PyAV here. `Given` counts what reaches
a model.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers.utils import import_utils

from aurelia_plugin.media.audio import has_sound, waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.video import probe, uniform_frames


@dataclass
class Given:
    """What one call of the upstream model holds.

    Attributes:
        text: the prompt's words.
        pictures: frames and images that are not black.
        sounds: sounds that are not silent.
        empty: pictures that are black and sounds that are silent.
    """

    text: str = ""
    pictures: int = 0
    sounds: int = 0
    empty: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    def see(self, pixels: Any) -> None:
        """Count one picture: values 0..255."""
        if float(np.asarray(pixels, dtype=np.float32).max()) > 24:
            self.pictures += 1
        else:
            self.empty += 1

    def hear(self, samples: Any) -> None:
        """Count one sound."""
        if float(np.abs(np.asarray(samples, dtype=np.float32)).max()) > 1e-3:
            self.sounds += 1
        else:
            self.empty += 1

    def hear_file(self, path: str) -> None:
        """Count the sound of a file, if it has any."""
        medium = Media.file("audio", path)
        if has_sound(medium):
            self.hear(waveform(medium).samples)  # type: ignore[union-attr]

    def take(self, images: Any, videos: Any, sounds: Any) -> None:
        """Count images, and the files of videos and sounds."""
        for image in images:
            self.see(image)
        for video in videos:
            self.watch_file(video)
        for sound in sounds:
            self.hear_file(sound)

    def watch_file(self, path: str, frames: int = 4) -> None:
        """Count a few frames of a video."""
        for pixels in uniform_frames(Media.file("video", path), frames).pixels:
            self.see(pixels)


class VideoReader:
    """`decord.VideoReader` 0.6: `(uri, ctx, width, height, num_threads, fault_tol)`."""

    def __init__(self, uri, ctx=None, width=-1, height=-1, num_threads=0, fault_tol=-1):  # type: ignore[no-untyped-def]
        medium = Media.file("video", uri)
        self._frames = uniform_frames(medium, 10_000).pixels
        self._rate = probe(medium).frame_rate

    def __len__(self) -> int:
        return len(self._frames)

    def get_avg_fps(self) -> float:
        return self._rate

    def get_batch(self, indices: list[int]) -> Any:
        return SimpleNamespace(asnumpy=lambda: self._frames[np.asarray(indices)])


class VideoFileClip:
    """`moviepy.VideoFileClip`: `audio` is None where there is no track."""

    def __init__(self, filename: str) -> None:
        medium = Media.file("video", filename)
        sound = waveform(medium) if has_sound(medium) else None
        self.audio = None if sound is None else SimpleNamespace(write_audiofile=self._write)
        self._sound = sound

    def _write(self, filename: str) -> None:
        import soundfile

        assert self._sound is not None
        soundfile.write(filename, self._sound.samples, self._sound.rate)

    def close(self) -> None:
        pass


def _load(path, *, sr=22050, mono=True, offset=0.0, duration=None, dtype=np.float32):  # type: ignore[no-untyped-def]
    return waveform(Media.file("audio", path), sr).samples, sr  # type: ignore[union-attr]


def _resample(y, *, orig_sr, target_sr):  # type: ignore[no-untyped-def]
    assert orig_sr == target_sr
    return y


def _pad_or_trim(array, length=480_000, *, axis=-1):  # type: ignore[no-untyped-def]
    return np.pad(array, (0, max(0, length - len(array))))[:length]


def _log_mel(audio, n_mels=80, padding=0, device=None):  # type: ignore[no-untyped-def]
    """Not a spectrogram: every band holds the loudness, which is enough to tell silence."""
    level = float(np.abs(np.asarray(audio)).max())
    return torch.full((n_mels, 3000), level)


def _save_sound(uri, src, sample_rate, **how):  # type: ignore[no-untyped-def]
    import soundfile

    soundfile.write(uri, src.numpy().T, sample_rate)


LIBRARIES: dict[str, dict[str, Any]] = {
    "decord": {"VideoReader": VideoReader, "cpu": lambda index=0: index},
    "librosa": {"load": _load, "resample": _resample},
    "moviepy": {"VideoFileClip": VideoFileClip},
    "moviepy.video": {},
    "moviepy.video.io": {},
    "moviepy.video.io.VideoFileClip": {"VideoFileClip": VideoFileClip},
    "whisper": {"pad_or_trim": _pad_or_trim, "log_mel_spectrogram": _log_mel},
    "torchaudio": {"save": _save_sound, "list_audio_backends": list},
    "ujson": {"dumps": json.dumps},
}


def install(patch: pytest.MonkeyPatch, modules: dict[str, dict[str, Any]]) -> None:
    """Make modules importable for the time of a test."""
    for name, attributes in modules.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        module.__spec__ = SimpleNamespace(name=name)  # type: ignore[assignment]
        module.__path__ = []
        patch.setitem(sys.modules, name, module)


def on_cpu(patch: pytest.MonkeyPatch) -> None:
    """Let code that names CUDA run where there is none."""
    to = torch.Tensor.to

    def place(value: Any) -> Any:
        is_cuda = isinstance(value, str | torch.device) and str(value).startswith("cuda")
        return "cpu" if is_cuda else value

    def moved(self: torch.Tensor, *args: Any, **how: Any) -> torch.Tensor:
        named = {key: place(value) for key, value in how.items()}
        return to(self, *map(place, args), **named)

    patch.setattr(torch.Tensor, "to", moved)
    patch.setattr(torch.Tensor, "cuda", lambda self, *_, **__: self)
    patch.setattr(torch.cuda, "set_device", lambda _: None)


@pytest.fixture
def wrappers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """The libraries stand in, CUDA is the CPU, and wrappers that were imported so are forgotten."""
    install(monkeypatch, LIBRARIES)
    _forget_what_is_installed()
    on_cpu(monkeypatch)
    monkeypatch.chdir(tmp_path)  # some wrappers write beside the user's files
    before = set(sys.modules)
    yield monkeypatch
    monkeypatch.undo()
    _forget_what_is_installed()
    for name in set(sys.modules) - before:
        if name.startswith("lmms_eval.models."):
            del sys.modules[name]


def _forget_what_is_installed() -> None:
    """The transformers library remembers which packages it has found; stand-ins come and go."""
    for value in vars(import_utils).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()
