"""Time stamps that begin anew, and the pieces that they make."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.audio import has_sound, waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.containers.clocks import Piece, PieceClock, aligned
from aurelia_plugin.media.video import keyframe_times, probe, uniform_frames
from media.conftest import MakeSound, MakeVideo, cut_file, grey_frames, tone

_SECONDS = st.floats(0.5, 60.0)
_STARTS = st.floats(0.0, 9e4)


@given(st.lists(st.tuples(_STARTS, _SECONDS, st.floats(-0.3, 0.3)), min_size=1, max_size=5))
def test_pieces_follow_each_other_and_keep_picture_and_sound_together(
    stretches: list[tuple[float, float, float]],
) -> None:
    pictures = [Piece(s, s + d, n * 1000) for n, (s, d, _) in enumerate(stretches)]
    sounds = [Piece(s + off, s + d, n * 1000 + 7) for n, (s, d, off) in enumerate(stretches)]
    picture, sound = aligned(pictures, sounds)
    assert picture[0].offset == sound[0].offset == 0
    for one, other in zip(picture, sound, strict=True):
        assert one.offset == other.offset
    for before, after in itertools.pairwise(picture):
        assert after.first + after.offset >= before.end + before.offset - 1e-6
        assert after.first + after.offset <= before.end + before.offset + 0.3 + 1e-6


def test_a_hole_in_one_stream_is_no_new_clock() -> None:
    picture, sound = aligned([Piece(0.0, 40.0, 0)], [Piece(0.0, 5.0, 10), Piece(30.0, 40.0, 5000)])
    assert sound == (Piece(0.0, 40.0, 10),)
    assert picture[0].offset == 0.0


def test_a_clock_goes_to_the_piece_in_which_a_stamp_lies() -> None:
    clock = PieceClock((Piece(0.0, 4.0, 0, 0.0), Piece(100.0, 103.0, 9, -96.0)))
    times = [clock(stamp) for stamp in (0.0, 2.0, 3.9, 100.0, 102.0)]
    assert times == [0.0, 2.0, 3.9, 4.0, 6.0]


def _joined(folder: Path, *paths: Path, name: str = "joined.ts") -> Path:
    target = folder / name
    target.write_bytes(b"".join(path.read_bytes() for path in paths))
    return target


def test_joined_recordings_are_whole(tmp_path: Path, make_video: MakeVideo) -> None:
    dark = make_video("a.ts", grey_frames([40] * 30), sound=tone(3.0, hertz=300.0))
    light = make_video("b.ts", grey_frames([200] * 20), sound=tone(2.0, hertz=900.0))
    video = Media.file("video", _joined(tmp_path, dark, light, dark))
    assert probe(video).seconds == pytest.approx(8.0, abs=0.25)
    levels = [float(p.mean()) > 120 for p in uniform_frames(video, 8).pixels]
    assert levels == [False] * 3 + [True] * 2 + [False] * 3
    sound = waveform(video)
    assert sound is not None
    assert sound.seconds == pytest.approx(8.0, abs=0.4)
    middle = sound.samples[round(3.5 * 16000) : round(4.5 * 16000)]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(900, abs=2)
    assert len(keyframe_times(Media.file("video", video.path or "", start=2.0, end=4.0))) >= 1


def test_a_late_matroska_is_whole_and_a_cut_one_is_not(make_video: MakeVideo) -> None:
    times = [7 + index / 10 for index in range(40)]
    path = make_video("late.mkv", times=times, sound=tone(4.0), sound_delay=7.0)
    assert probe(Media.file("video", path)).seconds == pytest.approx(4.0, abs=0.06)
    for share in (0.5, 0.8):
        with pytest.raises(MediaError, match="truncated"):
            probe(Media.file("video", cut_file(path, share)))


def test_raw_pictures_have_no_sound_and_a_length(make_video: MakeVideo) -> None:
    path = make_video("raw.h264")
    media = Media.file("video", path)
    assert not has_sound(media)
    assert waveform(media) is None
    assert len(uniform_frames(media, 4).pixels) == 4
    assert probe(media).seconds > 1.0


def test_lost_packets_leave_silence(tmp_path: Path, make_sound: MakeSound) -> None:
    import av

    whole = make_sound("w.mka", tone(3.0, 48000), codec="libopus", rate=48000)
    path = tmp_path / "lost.mka"
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for number, packet in enumerate(source.demux()):
            if packet.dts is not None and not 50 <= number < 100:
                packet.stream = stream
                target.mux(packet)
    found = waveform(Media.file("audio", path), 48000)
    assert found is not None
    assert found.seconds == pytest.approx(3.0, abs=0.05)
    assert not np.abs(found.samples[round(1.1 * 48000) : round(1.9 * 48000)]).max() > 0.01
    assert np.abs(found.samples[round(2.1 * 48000) :]).max() > 0.4
