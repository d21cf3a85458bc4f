from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurelia_plugin.media import shared
from aurelia_plugin.media.clip import Clip, Media
from aurelia_plugin.media.memory import MediaMemory, holding
from aurelia_plugin.media.shared import forget_decoded, shared_frames, shared_waveform
from aurelia_plugin.media.video import uniform_frames

from .conftest import MakeVideo


def test_what_is_asked_for_at_once_is_made_once() -> None:
    made = []
    barrier = threading.Barrier(8)
    memory: MediaMemory[bytes] = MediaMemory(len)

    def make() -> bytes:
        made.append(1)
        time.sleep(0.05)
        return b"abc"

    def ask(_: int) -> bytes:
        barrier.wait()
        return memory.get("key", 0, make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [b"abc"] * 8
    assert len(made) == 1


def test_a_failure_reaches_all_and_is_not_kept() -> None:
    memory: MediaMemory[bytes] = MediaMemory(len)
    with pytest.raises(ValueError, match="no"):
        memory.get("key", 0, lambda: (_ for _ in ()).throw(ValueError("no")))
    assert memory.get("key", 0, lambda: b"yes") == b"yes"


def test_what_is_made_is_kept_while_it_is_held(clip_file: Path) -> None:
    memory: MediaMemory[bytes] = MediaMemory(len)
    clip = Clip((Media.file("video", clip_file),))
    digest = clip.media[0].digest
    made = []

    def make() -> bytes:
        made.append(1)
        return b"abc"

    memory.get(digest, 0, make)
    with holding(clip):
        memory.get(digest, 0, make)
        with holding(clip):
            memory.get(digest, 0, make)
        memory.get(digest, 0, make)  # the outer question is still under way
        assert len(made) == 2
    memory.get(digest, 0, make)
    assert len(made) == 3


def test_bytes_are_bounded_and_the_oldest_goes_first(clip_file: Path) -> None:
    memory: MediaMemory[bytes] = MediaMemory(len, most_bytes=10)
    clip = Clip((Media.file("video", clip_file),))
    digest = clip.media[0].digest
    remade: list[str] = []

    def ask(what: str, size: int) -> None:
        def make() -> bytes:
            remade.append(what)
            return bytes(size)

        memory.get(digest, what, make)

    with holding(clip):
        for what in "abc":
            ask(what, 4)  # the third is one too many: the first goes
        ask("b", 4)
        ask("large", 11)  # handed out, and pushes nothing out
        remade.clear()
        for what in "bca":
            ask(what, 4)
        assert remade == ["a"]


def test_what_is_not_held_may_stay_and_goes_first(clip_file: Path) -> None:
    memory: MediaMemory[bytes] = MediaMemory(len, most_bytes=10, spare_bytes=10)
    clip = Clip((Media.file("video", clip_file),))
    held = clip.media[0].digest
    with holding(clip):
        memory.get(held, 0, lambda: bytes(4))
        memory.get("other", 0, lambda: bytes(4))
        memory.get("third", 0, lambda: bytes(4))  # one is too many: what is held stays
        assert memory.kept(held, 0) == bytes(4)
        assert memory.kept("other", 0) is None
        memory.get(held, 1, lambda: bytes(6))
        assert memory.kept("third", 0) is None
        memory.get(held, 2, lambda: bytes(6))
        assert memory.kept(held, 0) is None, "all are held: the oldest goes"
    assert memory.kept(held, 2) == bytes(6), "nobody holds it any more, and there is room"


def test_some_is_spared_for_later_questions(clip_file: Path) -> None:
    memory: MediaMemory[bytes] = MediaMemory(len, most_bytes=10, spare_bytes=5)
    clip = Clip((Media.file("video", clip_file),))
    digest = clip.media[0].digest
    memory.get("before", 0, lambda: bytes(3))
    with holding(clip):
        for what in range(3):
            memory.get(digest, what, lambda: bytes(2))
        assert not memory.has_room, "six of ten are held"
    assert memory.has_room, "nothing is held"
    kept = [memory.kept("before", 0), *(memory.kept(digest, what) for what in range(3))]
    assert kept == [None, None, bytes(2), bytes(2)], "the least recently used go first"
    memory.get("large", 0, lambda: bytes(6))
    assert memory.kept("large", 0) is None, "larger than what may be spared"
    assert memory.kept(digest, 2) is not None


def test_a_value_is_replaced_with_its_size(clip_file: Path) -> None:
    memory: MediaMemory[bytes] = MediaMemory(len, most_bytes=10, spare_bytes=10)
    memory.get("a", 0, lambda: bytes(8))
    memory.replace("a", 0, b"ab")
    memory.get("b", 0, lambda: bytes(8))
    assert (memory.kept("a", 0), memory.kept("b", 0)) == (b"ab", bytes(8))
    memory.replace("none", 0, b"ab")
    assert memory.kept("none", 0) is None, "what was let go does not come back"


def test_a_clip_is_decoded_once_for_all_who_ask(
    clip_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_decoded()
    decoded: list[Any] = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        decoded.append(args)
        return uniform_frames(*args, **kwargs)

    monkeypatch.setattr(shared, "uniform_frames", counting)
    one, again = Media.file("video", clip_file), Media.file("video", clip_file)
    blanked = Media("video", clip_file, blanked=True)
    with holding(Clip((one, blanked))):
        first = shared_frames(one, "uniform", 4)
        assert shared_frames(again, "uniform", 4) is first
        assert len(decoded) == 1
        shared_frames(one, "uniform", 3)
        assert not shared_frames(blanked, "uniform", 4).pixels.any()
        assert len(decoded) == 3
        assert shared_waveform(one) is shared_waveform(again)
    np.testing.assert_array_equal(first.pixels, uniform_frames(one, 4).pixels)
    with pytest.raises(ValueError, match="read-only"):
        first.pixels[0] = 0


def test_a_file_that_changed_is_decoded_again(make_video: MakeVideo) -> None:
    forget_decoded()
    path = make_video("clip.mp4")
    first = shared_frames(Media.file("video", path), "uniform", 2)
    changed = np.full((6, 48, 64, 3), 200, np.uint8)
    make_video("clip.mp4", changed)
    second = shared_frames(Media.file("video", path), "uniform", 2)
    assert abs(float(second.pixels.mean()) - 200) < 5
    assert not np.array_equal(first.pixels, second.pixels)
