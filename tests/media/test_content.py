from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media import Frames, Media, Waveform
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.content import coerce, media_kind

from .conftest import MakeSound, MakeVideo, grey_frames, tone


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def image_path(tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    Image.new("RGB", (30, 20), (200, 0, 0)).save(path)
    return path


def sound_with_cover(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        sound = container.add_stream("mp3", rate=44100, layout="mono")
        cover = container.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "rgb24"
        # PyAV takes a number, whatever its types say.
        cover.disposition = av.stream.Disposition.attached_pic.value  # type: ignore[assignment]
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        container.mux(cover.encode(picture))
        container.mux(cover.encode(None))
        frame = av.AudioFrame.from_ndarray(tone(1.0)[None], format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def test_files_are_typed_by_content_not_by_name(
    make_video: MakeVideo, make_sound: MakeSound, tmp_path: Path, image_path: Path
) -> None:
    assert media_kind(make_video("a.mp4")) == "video"
    assert media_kind(make_video("one.mp4", grey_frames([9]))) == "video"
    assert media_kind(make_video("v.webm", codec="libvpx")) == "video"
    assert (
        media_kind(make_sound("s.webm", tone(1.0, 48000), codec="libopus", rate=48000)) == "audio"
    )
    assert media_kind(make_sound("s.mp4", codec="aac")) == "audio"
    assert media_kind(sound_with_cover(tmp_path / "cover.mp3")) == "audio"
    assert media_kind(make_sound("s.wav").rename(tmp_path / "sound.jpg")) == "audio"
    assert media_kind(image_path.rename(tmp_path / "photo.mp4")) == "image"
    frames = [Image.new("P", (8, 8), color) for color in range(3)]
    frames[0].save(tmp_path / "still.gif")
    assert media_kind(tmp_path / "still.gif") == "image"
    Image.new("RGB", (8, 8)).save(tmp_path / "x.webp")
    assert media_kind(tmp_path / "x.webp") == "image"


def test_what_is_no_medium_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, content in (
        ("notes.txt", b"only words\n" * 99),
        ("notes.mp4", b"only words\n" * 99),
        ("noise.bin", np.random.default_rng(0).bytes(50_000)),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:4,\nhttp://example.invalid/a.ts\n#EXT-X-ENDLIST\n"),
        ("empty.png", b""),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(MediaError, match=name):
            media_kind(path)
    assert capfd.readouterr().err == ""


def test_paths_and_urls(make_video: MakeVideo) -> None:
    path = make_video("клип 1.mp4")
    for value in (path, str(path), path.as_uri(), {"video": str(path)}, {"url": path.as_uri()}):
        assert coerce(value, label="image") == Media("video", path)
    for remote in (
        "https://example.org/a.mp4",
        "hf://datasets/a/b.mp4",
        "data:audio/wav;base64,AAAA",
    ):
        with pytest.raises(MediaError, match="Download it first"):
            coerce(remote)
    with pytest.raises(MediaError, match="no such file"):
        coerce("absent.mp4")


def test_spans_come_from_the_dictionary_or_the_caller(make_video: MakeVideo) -> None:
    path = make_video()
    assert coerce({"video": path, "video_start": 1, "video_end": 2}) == Media(
        "video", path, start=1.0, end=2.0
    )
    assert coerce({"path": path, "start_time": 0.5, "end_time": None}).start == 0.5
    assert coerce({"video": path, "video_start": 1.0}, start=2.0).start == 2.0
    narrowed = coerce(coerce(path, start=1.0), end=3.0)
    assert (narrowed.start, narrowed.end) == (1.0, 3.0)
    assert coerce(coerce(path)) == Media("video", path)


@pytest.mark.parametrize(
    "form", ["flat", "channels first", "channels last", "list", "int16", "uint8", "ints"]
)
def test_sound_arrays(form: str) -> None:
    samples = tone(0.1, 16000)
    arrays = {
        "flat": samples,
        "channels first": np.stack([samples, samples]),
        "channels last": np.stack([samples, samples], axis=1).astype(np.float64),
        "list": samples.tolist(),
        "int16": (samples * 32767).astype(np.int16),
        "uint8": np.rint(samples * 127 + 128).astype(np.uint8),
        "ints": (samples * 32767).astype(np.int16).tolist(),
    }
    media = coerce({"array": arrays[form], "sampling_rate": 16000, "path": None}, label="video")
    assert media.kind == "audio"
    assert isinstance(media.data, Waveform)
    assert media.data.rate == 16000
    np.testing.assert_allclose(media.data.samples, samples, atol=0.01)
    assert coerce((arrays[form], 16000)) == media
    assert coerce((16000, arrays[form])) == media


def test_bytes_are_kept_once_and_typed_by_content(
    make_sound: MakeSound, image_path: Path, tmp_path: Path
) -> None:
    content = make_sound().read_bytes()
    media = coerce({"bytes": content, "path": "wrong.mp4"})
    assert media.kind == "audio"
    assert media.path is not None
    assert media.path.parent == tmp_path / "cache" / "media"
    assert media.path.suffix == ".mp4"
    assert coerce({"bytes": content, "path": "wrong.mp4"}) == media
    assert coerce(content).digest == media.digest
    assert coerce({"image": {"bytes": image_path.read_bytes(), "path": None}}).kind == "image"
    before = sorted(media.path.parent.iterdir())
    with pytest.raises(MediaError):
        coerce(b"no medium at all")
    assert sorted(media.path.parent.iterdir()) == before


def test_pictures_in_memory(image_path: Path) -> None:
    opened = coerce(Image.open(image_path))
    assert opened.kind == "image"
    assert opened == coerce(Image.open(image_path).copy())
    pixels = grey_frames([10, 200])
    video = coerce(pixels)
    assert video.kind == "video"
    assert coerce(list(pixels)) == coerce(np.moveaxis(pixels, 3, 1)) == video
    assert coerce([Image.fromarray(frame) for frame in pixels]) == video
    assert coerce(pixels.astype(np.float32)) == coerce(pixels / 255.0) == video
    assert coerce(pixels[0]).kind == "image"
    assert coerce(pixels[:1]).kind == "video"
    assert coerce(pixels[:1], label="image").kind == "image"
    slow = coerce({"video": pixels, "fps": 0.5})
    assert isinstance(slow.data, Frames)
    assert slow.data.times.tolist() == [0.0, 2.0]
    pixels[:] = 0  # the medium has its own copy
    assert video.digest == coerce(grey_frames([10, 200])).digest


def test_tensors() -> None:
    torch = pytest.importorskip("torch")
    pixels = grey_frames([10, 200])
    assert coerce(torch.from_numpy(pixels).permute(0, 3, 1, 2)) == coerce(pixels)
    samples = torch.linspace(-1, 1, 1600, requires_grad=True)
    assert coerce({"array": samples, "sampling_rate": 16000}).kind == "audio"


class AudioDecoder:
    _hf_encoded: dict[str, object]

    def __init__(self, samples: Any, rate: int) -> None:
        self._samples = SimpleNamespace(data=samples, sample_rate=rate)

    def get_all_samples(self) -> Any:
        return self._samples


class VideoDecoder:
    _hf_encoded: dict[str, object]

    def __init__(self, pixels: Any, rate: int) -> None:
        self._pixels, self._rate = np.moveaxis(pixels, 3, 1), rate
        self.metadata = SimpleNamespace(num_frames=len(pixels))

    def get_frames_at(self, indices: Any) -> Any:
        times = np.array(indices) / self._rate + 5.0
        return SimpleNamespace(data=self._pixels[indices], pts_seconds=times)

    def get_frames_in_range(self, start: Any, stop: Any) -> Any:
        return self.get_frames_at(list(range(start, stop)))


def test_decoders_with_a_file_behind_them(
    make_sound: MakeSound, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_sound()
    decoder = AudioDecoder(None, 0)
    monkeypatch.setattr(decoder, "_hf_encoded", {"path": str(path), "bytes": None}, raising=False)
    assert coerce(decoder) == Media("audio", path)
    decoder._hf_encoded = {"path": "in/the/archive.wav", "bytes": path.read_bytes()}
    assert coerce(decoder).digest == Media("audio", path).digest
    video = VideoDecoder(grey_frames([1]), 1)
    video._hf_encoded = {"path": str(make_video()), "bytes": None}
    assert coerce(video).path is not None


def test_decoders_without_a_file(caplog: pytest.LogCaptureFixture) -> None:
    decoder = AudioDecoder(np.stack([tone(0.5, 8000)] * 2), 8000)
    decoder._hf_encoded = {"path": "hf://datasets/a/b.wav", "bytes": None}
    sound = waveform(coerce(decoder), 8000)
    assert sound is not None
    np.testing.assert_allclose(sound.samples, tone(0.5, 8000), atol=1e-6)
    few = coerce(VideoDecoder(grey_frames([1, 2, 3]), 10))
    assert isinstance(few.data, Frames)
    np.testing.assert_allclose(few.data.times, [0.0, 0.1, 0.2])
    assert "no sound" in caplog.text
    many = coerce(VideoDecoder(grey_frames([i % 256 for i in range(400)], (4, 2)), 10))
    assert isinstance(many.data, Frames)
    assert len(many.data.times) == 256
    assert many.data.times[-1] == pytest.approx(39.9)


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        object(),
        {},
        {"array": [0.1, 0.2]},
        {"array": [float("nan")], "sampling_rate": 16000},
        {"array": [], "sampling_rate": 16000},
        {"array": [0.5], "sampling_rate": 0},
        b"",
        [],
        ["a.jpg"],
        np.zeros((2, 3), np.uint8),
        np.zeros((2, 5, 5, 4), np.uint8),
        [Image.new("RGB", (2, 2)), Image.new("RGB", (3, 3))],
        [[1, 2], [3]],
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", repr(value)),  # the same in every process
)
def test_anything_else_is_refused_with_a_fix(value: Any) -> None:
    with pytest.raises(MediaError) as caught:
        coerce(value)
    assert len(str(caught.value).splitlines()) >= 2


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(MediaError, match=r"SimpleNamespace"):
        coerce(SimpleNamespace())
