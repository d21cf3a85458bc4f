"""A decoder that crashes, hangs or takes all memory costs its file, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faulty_decoders as faulty
import numpy as np
import pytest

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.content import coerce
from aurelia_plugin.media.isolation.limits import Limits, configure, current_limits
from aurelia_plugin.media.isolation.pool import pool
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.video import keyframe_times, keyframes, probe, uniform_frames
from media.conftest import MakeVideo, grey_frames, tone


@pytest.fixture
def clip(make_video: MakeVideo) -> Path:
    return make_video(sound=tone(4.0))


@pytest.fixture(autouse=True)
def _limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AURELIA_DECODE_IN_PROCESS", raising=False)
    before = current_limits()
    yield
    configure(
        isolated=before.isolated,
        workers=before.workers,
        memory=before.memory,
        silent_seconds=before.silent_seconds,
        seconds=before.seconds,
    )


@pytest.mark.parametrize(
    ("decoder", "cause"),
    [
        (faulty.aborting, "crashed (SIGABRT)"),
        (faulty.crashing, "crashed (SIGSEGV)"),
        (faulty.exiting, "ended by itself (status 3)"),
    ],
)
def test_a_crash_is_the_error_of_its_file(clip: Path, decoder: object, cause: str) -> None:
    assert callable(decoder)
    with pytest.raises(MediaError) as caught:
        decoder(clip)
    assert caught.value.cause.startswith(f"the decoder {cause}")
    assert str(clip) in str(caught.value)
    assert probe(Media.file("video", clip)).seconds == pytest.approx(4.0)


def test_a_hang_ends_at_the_limit_and_is_waited_for_once(clip: Path) -> None:
    configure(silent_seconds=1.0)
    with pytest.raises(MediaError, match=r"the decoder hangs: nothing for \d+ s"):
        faulty.hanging(clip)
    begun = time.monotonic()
    with pytest.raises(MediaError, match="the decoder hangs"):
        faulty.hanging(clip)
    assert time.monotonic() - begun < 0.5
    assert waveform(Media.file("video", clip)) is not None


def test_an_endless_loop_that_looks_alive_ends(clip: Path) -> None:
    configure(seconds=1.0)
    with pytest.raises(MediaError, match="decoding takes longer than"):
        faulty.looping(clip)


def test_memory_is_limited(clip: Path) -> None:
    configure(memory=2**30)
    with pytest.raises(MediaError, match=r"takes more than 1\.0 GiB"):
        faulty.allocating(clip)
    assert probe(Media.file("video", clip)).has_sound


def test_what_a_library_raises_is_the_error_of_its_file(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for in_process in ("", "1"):
        monkeypatch.setenv("AURELIA_DECODE_IN_PROCESS", in_process)
        with pytest.raises(MediaError, match=r"cannot be decoded: KeyError: 'clip.mp4'"):
            faulty.own_error(clip)


def test_a_process_killed_from_outside(clip: Path) -> None:
    pid = faulty.slow(clip, 0.0)
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(faulty.slow, clip, 60.0)
        time.sleep(0.5)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(MediaError, match="was killed"):
            waiting.result()
    other = faulty.slow(clip, 0.0)  # which is not remembered
    os.kill(other, signal.SIGKILL)  # while it has nothing to do
    assert faulty.slow(clip, 0.0) != other


@pytest.mark.parametrize("turned_off", ["variable", "configured"])
def test_one_setting_turns_it_off(
    clip: Path, monkeypatch: pytest.MonkeyPatch, turned_off: str
) -> None:
    assert faulty.slow(clip, 0.0) != os.getpid()
    if turned_off == "variable":
        monkeypatch.setenv("AURELIA_DECODE_IN_PROCESS", "1")
    else:
        configure(isolated=False)
    assert faulty.slow(clip, 0.0) == os.getpid()


def test_the_values_are_those_of_this_process(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    Image.fromarray(grey_frames([90])[0]).save(tmp_path / "still.png")
    video = Media.file("video", clip, start=0.5, end=3.5)
    swapped = Media("video", clip, sound=Media("audio", data=waveform(video)))

    def everything() -> list[object]:
        found: list[object] = [probe(video), keyframe_times(video), picture(still)]
        for medium in (video, swapped):
            sound = waveform(medium)
            assert sound is not None
            found += [*uniform_frames(medium, 5, longest_side=40), *keyframes(medium), *sound]
        return found

    still = coerce(str(tmp_path / "still.png"))
    isolated = everything()
    monkeypatch.setenv("AURELIA_DECODE_IN_PROCESS", "1")
    for there, here in zip(isolated, everything(), strict=True):
        assert type(there) is type(here)
        np.testing.assert_array_equal(there, here)
    pixels = uniform_frames(video, 2).pixels
    pixels[:] = 0  # the caller's own
    assert uniform_frames(video, 2).pixels.any()


def test_errors_pass_as_they_are(clip: Path) -> None:
    with pytest.raises(ValueError, match="count is 0; it must be 1 or more"):
        uniform_frames(Media.file("video", clip), 0)
    with pytest.raises(MediaError, match="nothing lies in the span") as caught:
        uniform_frames(Media.file("video", clip, start=9.0), 1)
    assert caught.value.fix == "Give a span that lies within the medium."


def test_what_is_logged_there_is_logged_here(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        faulty.warning(clip)
    assert "a word of warning about clip.mp4" in caplog.text


def test_arrays_of_any_size_pass(clip: Path) -> None:
    for size in (0, 1, 3, 100_003):
        array = np.arange(size, dtype=np.float32)
        np.testing.assert_array_equal(faulty.twice(clip, array), array * 2)


def test_nothing_secret_and_nothing_heavy_is_there(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-abcdefghijklmnop")
    configure(silent_seconds=77.0)  # other limits, so a new process
    assert "sk-abcdefghijklmnop" not in repr(faulty.environment(clip))
    modules = faulty.imported(clip)
    assert not {"torch", "lmms_eval", "transformers"} & set(modules)


def test_threads_and_event_loops_share_the_processes(clip: Path) -> None:
    configure(workers=2)

    async def probes() -> list[float]:
        tasks = (asyncio.to_thread(probe, Media.file("video", clip)) for _ in range(8))
        return [info.seconds for info in await asyncio.gather(*tasks)]

    found: list[list[float]] = []
    threads = [
        threading.Thread(target=lambda: found.append(asyncio.run(probes()))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(seconds) for seconds in found] == [8, 8, 8]
    assert len(pool()._idle) <= 2


_RUN = """
    import os, sys, time
    import multiprocessing
    from pathlib import Path
    from aurelia_plugin.media.clip import Media
    from aurelia_plugin.media.video import probe
    from aurelia_plugin.media.isolation.pool import pool

    def decode(path):
        return probe(Media.file("video", path)).seconds

    if __name__ == "__main__":
        path = sys.argv[1]
        assert decode(path) == 4.0
        if sys.argv[2] in ("fork", "spawn"):
            with multiprocessing.get_context(sys.argv[2]).Pool(2) as others:
                assert others.map(decode, [path] * 4) == [4.0] * 4
            assert decode(path) == 4.0
        print(pool()._idle[0].pid, flush=True)
        if sys.argv[2] == "wait":
            time.sleep(60)
"""


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", ["plain", "fork", "spawn", "wait"])
def test_they_end_with_their_run(tmp_path: Path, clip: Path, how: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(_RUN))
    command = [sys.executable, str(script), str(clip), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        if how == "wait":
            assert _is_running(pid)
            run.kill()
        assert run.wait(60) == (-signal.SIGKILL if how == "wait" else 0)
    deadline = time.monotonic() + 20
    while _is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_where_none_can_be_started_files_are_decoded_here(
    clip: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    configure(silent_seconds=78.0)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with caplog.at_level(logging.WARNING):
        assert faulty.slow(clip, 0.0) == os.getpid()
    assert "no other can be started" in caplog.text


def test_limits_must_be_positive() -> None:
    with pytest.raises(ValueError, match="workers is 0"):
        configure(workers=0)
    assert Limits(seconds=10.0, seconds_per_mb=2.0).deadline(3_000_000) == 16.0
