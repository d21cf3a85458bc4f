from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurelia_plugin
from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.contents import FileMemory, write_media
from aurelia_plugin.media import Clip, Frames, Media, Waveform
from aurelia_plugin.media.audio import waveform

from .conftest import MakeVideo, grey_frames, tone


def sound_of(level: float = 0.5, rate: int = 16000) -> Media:
    return Media("audio", data=Waveform(np.full(rate, level, np.float32), rate))


def image_of(level: int = 7) -> Media:
    return Media("image", data=Frames(grey_frames([level]), np.zeros(1)))


def test_importing_the_values_does_not_load_pyav() -> None:
    code = "import aurelia_plugin.media, sys; assert 'av' not in sys.modules"
    root = Path(aurelia_plugin.__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_digest_goes_by_content_not_by_name(tmp_path: Path) -> None:
    first, second = tmp_path / "a.bin", tmp_path / "ü b.bin"
    first.write_bytes(b"same")
    second.write_bytes(b"same")
    a, b = Media.file("video", first), Media.file("video", second)
    assert a.digest == b.digest
    assert a != b  # equality goes by path, which is cheap
    assert a == Media.file("video", str(first))
    assert len({a, b, Media.file("video", first)}) == 2
    second.write_bytes(b"else")
    os.utime(second, ns=(1, 1))
    assert a.digest != b.digest
    second.unlink()
    with pytest.raises(MediaError, match="no such file"):
        _ = b.digest


def test_every_setting_changes_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"content")
    media = Media.file("video", path)
    variants = [
        media,
        Media.file("audio", path),
        replace(media, start=1.0),
        replace(media, end=1.0),
        replace(media, silenced=True),
        replace(media, blanked=True),
        replace(media, sound=sound_of()),
        replace(media, sound=sound_of(0.25)),
    ]
    assert len({variant.digest for variant in variants}) == len(variants)
    assert len(set(variants)) == len(variants)
    assert replace(media, start=0).digest == media.digest  # the same evidence


@given(
    samples=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20), rate=st.integers(1, 9)
)
def test_array_digest_is_stable_and_sensitive(samples: Any, rate: int) -> None:
    array = np.array(samples, np.float32)
    media = Media("audio", data=Waveform(array, rate))
    same = Media("audio", data=Waveform(array.copy(), rate))
    assert media == same
    assert hash(media) == hash(same)
    assert media.digest == same.digest
    assert pickle.loads(pickle.dumps(media)) == media
    assert Media("audio", data=Waveform(array, rate + 1)).digest != media.digest
    assert Media("audio", data=Waveform(np.append(array, 0), rate)).digest != media.digest


def test_frames_digest_sees_shape_and_times() -> None:
    pixels = np.zeros((4, 2, 6, 3), np.uint8)
    digests = {
        Media("video", data=Frames(shaped, times)).digest
        for shaped in (pixels, pixels.reshape(4, 6, 2, 3))
        for times in (np.arange(4.0), np.arange(4.0) / 2)
    }
    assert len(digests) == 4


def test_names_describe_arrays() -> None:
    assert sound_of().name == "audio array, 1.0 s at 16000 Hz"
    assert image_of().name == "image array, 64x48"
    video = Media("video", data=Frames(grey_frames([1, 2]), np.arange(2.0)))
    assert video.name == "video array, 2 frames of 64x48"


def test_arrays_cannot_be_changed_behind_the_digest() -> None:
    media = sound_of()
    assert isinstance(media.data, Waveform)
    with pytest.raises(ValueError, match="read-only"):
        media.data.samples[0] = 1


def test_contradictions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x")
    pixels = grey_frames([1, 2])
    contradictions: tuple[dict[str, Any], ...] = (
        {"kind": "audio"},
        {"kind": "audio", "path": path, "data": Waveform(tone(0.1), 44100)},
        {"kind": "audio", "data": Frames(pixels, np.arange(2.0))},
        {"kind": "video", "path": path, "sound": image_of()},
    )
    for fields in contradictions:
        with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
            Media(**fields)
    unfit: tuple[dict[str, Any], ...] = (
        {"kind": "video", "path": path, "start": 3.0, "end": 2.0},
        {"kind": "video", "path": path, "start": -1.0},
        {"kind": "image", "path": path, "start": 1.0},
        {"kind": "image", "data": Frames(pixels, np.arange(2.0))},
        {"kind": "video", "data": Frames(pixels, np.zeros(2))},
        {"kind": "video", "data": Frames(pixels.astype(np.float32), np.arange(2.0))},
        {"kind": "audio", "data": Waveform(np.zeros(0, np.float32), 16000)},
    )
    for fields in unfit:
        with pytest.raises(MediaError):
            Media(**fields)


@pytest.mark.parametrize("name", ["absent.mp4", "bad\0name", "x" * 5000])
def test_missing_files_are_named_shortly(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError) as caught:
        Media.file("video", tmp_path / name)
    assert len(str(caught.value)) < 600


def test_empty_files_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(MediaError, match="0 bytes"):
        Media.file("video", tmp_path / "empty.mp4")
    with pytest.raises(MediaError, match="not a file"):
        Media.file("video", tmp_path)


def test_clip_digest_depends_on_order() -> None:
    one, two = sound_of(0.1), image_of()
    assert Clip((one, two)).digest != Clip((two, one)).digest
    assert Clip((one,)).digest != one.digest
    assert Clip().digest == Clip((one, two)).without_media().digest
    assert pickle.loads(pickle.dumps(Clip((one, two)))).digest == Clip((one, two)).digest


def test_clip_sorts_and_changes_its_media(make_video: MakeVideo) -> None:
    video = Media.file("video", make_video(sound=tone(4.0)))
    clip = Clip((image_of(), video, sound_of()))
    assert (clip.videos, clip.audios, clip.images) == ((video,), (sound_of(),), (image_of(),))
    muted, blanked = clip.muted(), clip.blanked()
    assert [medium.silenced for medium in muted.media] == [False, True, True]
    assert [medium.blanked for medium in blanked.media] == [True, True, False]
    assert len({clip.digest, muted.digest, blanked.digest, Clip().digest}) == 4


def test_with_sound_of_takes_the_first_sound_there_is(make_video: MakeVideo) -> None:
    mute = Media.file("video", make_video("mute.mp4"))
    loud = Media.file("video", make_video("loud.mp4", sound=tone(4.0)))
    frames = Media("video", data=Frames(grey_frames([1, 2]), np.arange(2.0)))
    other = Clip((image_of(), mute, frames, sound_of(0.25)))
    swapped = Clip((image_of(), loud, frames, sound_of(0.5), mute)).with_sound_of(other)
    assert [medium.sound for medium in swapped.media[:4]] == [
        None,
        sound_of(0.25),
        None,
        sound_of(0.25),
    ]
    decoded = [waveform(medium) for medium in swapped.media]
    assert [None if sound is None else round(sound.seconds) for sound in decoded] == [
        None,
        4,
        None,
        1,
        None,
    ]
    sounding = Clip((replace(frames, sound=sound_of(0.5)),)).with_sound_of(other)
    own = waveform(sounding.media[0])
    assert own is not None
    assert own.samples.tolist() == [0.25] * 16000
    with pytest.raises(MediaError, match="no sound to give"):
        other.with_sound_of(Clip((mute, image_of())))


def test_file_memory_is_bounded_and_notices_changes(tmp_path: Path) -> None:
    memory: FileMemory[bytes] = FileMemory(limit=2)
    reads: list[Path] = []

    def read(path: Path) -> bytes:
        reads.append(path)
        return path.read_bytes()

    paths = [tmp_path / str(index) for index in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode())
    assert [memory.get(path, read) for path in (paths[0], paths[0], *paths[1:])] == [
        b"0",
        b"0",
        b"1",
        b"2",
    ]
    assert reads == paths
    memory.get(paths[0], read)  # had been dropped
    assert len(reads) == 4
    paths[0].write_bytes(b"new")
    assert memory.get(paths[0], read) == b"new"


def test_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise MediaError(path, "no")

    target = tmp_path / "new" / "file.bin"
    with pytest.raises(MediaError, match="no"):
        write_media(target, b"content", check=refuse)
    assert list(target.parent.iterdir()) == []
    write_media(target, b"content")
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"content"]
    with pytest.raises(MediaError, match="cannot be written"):
        write_media(target / "below", b"")


def test_a_link_that_leads_elsewhere_is_another_file(tmp_path: Path) -> None:
    memory: FileMemory[bytes] = FileMemory()
    link = tmp_path / "link"
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(name.encode())
        os.utime(tmp_path / name, ns=(0, 0))
    link.symlink_to("one")
    assert memory.get(link, Path.read_bytes) == b"one"
    link.unlink()
    link.symlink_to("two")
    assert memory.get(link, Path.read_bytes) == b"two"
