"""Pictures, sounds and files: what is drawn can be seen and heard again."""

from __future__ import annotations

import json
import multiprocessing
import wave
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from aurelia_plugin.benchmark.data.items import COLUMNS, read_items
from aurelia_plugin.benchmark.synthetic import folder, make, render
from aurelia_plugin.benchmark.synthetic.build import chosen_folder, require_media
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.benchmark.synthetic.render import RGB, render_picture, render_sound
from aurelia_plugin.benchmark.synthetic.scene import Figure, Flag, Note, Scene, Sound
from aurelia_plugin.errors import ConfigError

_QUIET = Scene(picture_noise=0.0, sound_noise=0.0)


def _centroid(timbre: str, pitch: float = 64.0) -> float:
    note = Sound(timbre, (Note(0.0, 0.4, pitch),))
    spectrum = np.abs(np.fft.rfft(render_sound(replace(_QUIET, sounds=(note,)))[:6400]))
    return float((spectrum * np.arange(spectrum.size)).sum() / spectrum.sum() * 16_000 / 6400)


def _decay(timbre: str) -> float:
    note = Sound(timbre, (Note(0.0, 0.4, 64.0),))
    sound = render_sound(replace(_QUIET, sounds=(note,)))
    return float(np.std(sound[4000:5600]) / np.std(sound[800:2400]))


def test_timbres_differ_in_spectrum_or_in_decay() -> None:
    centroids = {name: _centroid(name) for name in ("flute", "organ", "guitar", "drum", "bell")}
    decays = {name: _decay(name) for name in centroids}
    assert centroids["flute"] < 0.7 * min(centroids["organ"], centroids["bell"], centroids["drum"])
    assert centroids["drum"] > 1.3 * max(centroids["organ"], centroids["bell"])
    assert decays["flute"] > 0.8
    assert decays["organ"] > 0.8
    assert max(decays["guitar"], decays["bell"], decays["drum"]) < 0.6
    assert decays["drum"] < 0.1


def _onsets(waveform: NDArray[np.float32]) -> list[float]:
    """Return the moments (seconds) at which the level of 20 ms frames jumps up."""
    level = np.sqrt(np.mean(waveform[: waveform.size // 320 * 320].reshape(-1, 320) ** 2, axis=1))
    jumps = (level[1:] > 0.05) & (level[1:] > 2.0 * level[:-1] + 0.01)
    return [float(index + 1) * 0.02 for index in np.flatnonzero(jumps)]


@pytest.mark.parametrize("timbre", ["flute", "organ", "guitar", "drum", "bell"])
def test_onsets_are_heard_where_they_are(timbre: str) -> None:
    notes = (Note(0.5, 0.3, 60.0), Note(1.7, 0.3, 62.0), Note(3.1, 0.3, 64.0))
    heard = _onsets(render_sound(replace(_QUIET, sounds=(Sound(timbre, notes),))))
    for note in notes:
        assert min(abs(moment - note.onset) for moment in heard) <= 0.041, heard


def test_gain_is_loudness_whatever_the_timbre() -> None:
    for timbre in ("flute", "organ", "guitar", "drum", "bell"):
        note = Sound(timbre, (Note(0.0, 0.3, 64.0),), gain=0.1)
        head = render_sound(replace(_QUIET, sounds=(note,)))[:3200]
        assert float(np.sqrt(np.mean(head**2))) == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("size", [112, 56])
@pytest.mark.parametrize("shape", ["circle", "square", "triangle", "star", "cross"])
def test_a_figure_is_its_colour_where_it_stands(shape: str, size: int) -> None:
    scene = replace(_QUIET, figures=(Figure(shape, "green", 0.3, 0.6, 0.15),))
    frame = render_picture(scene, size)[0]
    assert tuple(frame[round(0.6 * size), round(0.3 * size)]) == RGB["green"]
    assert tuple(frame[2, -3]) == (40, 40, 40)
    area = float((frame[..., 1] > 110).mean()) / (0.15**2)
    assert area == pytest.approx(_AREA[shape], rel=0.12)


# Areas for a circumradius of one.
_AREA = {"circle": 3.14, "square": 2.0, "triangle": 1.30, "star": 1.23, "cross": 2.02}


def _height(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    bright = frames.max(axis=3) > 110
    rows = np.arange(frames.shape[1])[None, :, None]
    heights: NDArray[np.float64] = (bright * rows).sum((1, 2)) / bright.sum((1, 2))
    return heights


def test_motions_move() -> None:
    still = Figure("square", "white", 0.5, 0.6, 0.15)

    def frames(motion: str, begins: float = 2.0) -> NDArray[np.uint8]:
        figure = replace(still, motion=motion, begins=begins)  # type: ignore[arg-type]
        return render_picture(replace(_QUIET, figures=(figure,)))

    for motion in ("bouncing", "sliding", "spinning", "flashing"):
        moved = np.abs(np.diff(frames(motion).astype(int), axis=0)).max(axis=(1, 2, 3)) > 50
        assert not moved[:15].any(), motion
        assert moved[15:].any(), motion
    assert np.ptp(_height(frames("bouncing", 0.0))) > 25
    assert not np.diff(frames("still").astype(int), axis=0).any()


def test_flags_run_both_ways() -> None:
    stripes = ("red", "white", "blue")
    upright = render_picture(replace(_QUIET, flag=Flag(stripes, upright=True)))[0]
    lying = render_picture(replace(_QUIET, flag=Flag(stripes, upright=False)))[0]
    assert [tuple(upright[56, x]) for x in (25, 56, 87)] == [RGB[c] for c in stripes]
    assert [tuple(lying[y, 56]) for y in (25, 56, 87)] == [RGB[c] for c in stripes]


def test_an_mp4_holds_the_pictures_and_the_sound_in_time(tmp_path: Path) -> None:
    scene = Scene(
        figures=(Figure("circle", "red", 0.5, 0.5, 0.3, flashes=(2.0,)),),
        sounds=(Sound("drum", (Note(2.0, 0.3, 60.0),), gain=0.2),),
    )
    path = tmp_path / "clip.mp4"
    write_mp4(path, *render(scene))
    with av.open(str(path)) as container:
        frames: NDArray[np.uint8] = np.stack(
            [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
        )
    with av.open(str(path)) as container:
        blocks = [(f.pts or 0, f.to_ndarray()[0]) for f in container.decode(audio=0)]
    assert frames.shape == (32, 112, 112, 3)
    red = frames[:, 56, 56, 0].astype(int)
    assert list(np.flatnonzero(red > 180)) == [16, 17]
    waveform = np.concatenate([block for pts, block in blocks if pts >= 0])
    assert abs(waveform.size - 64_000) <= 2048
    assert abs(_onsets(waveform)[0] - 2.0) < 0.1


def _snapshot(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_the_same_seed_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = []
    for name in ("one", "two"):
        monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / name))
        snapshots.append(_snapshot(folder(3, 4)))
    assert snapshots[0] == snapshots[1]
    monkeypatch.setenv("AURELIA_CACHE", str(tmp_path / "three"))
    other = json.loads((folder(4, 1) / "digest.json").read_text())
    assert other["media"] != json.loads(snapshots[0]["digest.json"])["media"]


def test_the_x264_settings_are_deterministic(tmp_path: Path) -> None:
    rendered = render(make("meme", np.random.default_rng(2), index=4).scene)
    files = set()
    for index in range(12):
        path = tmp_path / f"{index}.mp4"
        # Blocks of changing size in between: the encoder must not read what was there before.
        _ = [np.random.default_rng(index).bytes(1000 * k + index) for k in range(40)]
        write_mp4(path, *rendered)
        files.add(path.read_bytes())
    assert len(files) == 1


def test_the_folder_is_complete_and_made_once() -> None:
    path = folder(0, 2)
    for column in COLUMNS:
        items = list(read_items(path / f"{column}.jsonl"))
        assert len(items) == 2
        for item in items:
            assert item.video is not None
            for media in (item.video, *item.audios):
                assert (path / media).stat().st_size > 1000
            for audio in item.audios:
                with wave.open(str(path / audio)) as file:
                    assert (file.getframerate(), file.getnframes()) == (16_000, 64_000)
    before = (path / "digest.json").stat().st_mtime_ns
    assert folder(0, 2) == path
    assert (path / "digest.json").stat().st_mtime_ns == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_media_are_made_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVREASONBENCH_MINI_SEED", "5")
    monkeypatch.setenv("AVREASONBENCH_MINI_ITEMS", "2")
    path = chosen_folder()
    items = [item for column in COLUMNS for item in read_items(path / f"{column}.jsonl")]
    assert len(items) == 14
    assert list((path / "media").iterdir()) == []
    asked = next(item for item in items if item.column == "dm_match")
    require_media(asked, path)
    made = {str(one.relative_to(path)): one.stat().st_mtime_ns for one in path.glob("media/*")}
    assert set(made) == set(asked.media)
    require_media(asked, path)
    assert made == {name: (path / name).stat().st_mtime_ns for name in made}
    bytes_ = {name: (path / name).read_bytes() for name in made}
    assert folder(5, 2) == path  # all others
    assert {name: (path / name).read_bytes() for name in made} == bytes_
    assert len(list((path / "media").iterdir())) == sum(len(item.media) for item in items)
    with pytest.raises(ConfigError, match="another question"):
        require_media(asked.model_copy(update={"question": "?", "video": "media/no.mp4"}), path)


def _make_folder(_: int) -> str:
    return str(folder(1, 1))


def test_two_processes_that_race_end_with_one_folder() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.map(_make_folder, range(2), chunksize=1)
    assert first == second
    assert (Path(first) / "digest.json").is_file()
    assert [entry.name for entry in Path(first).parent.iterdir()] == [Path(first).name]


def test_folder_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="items >= 1"):
        folder(0, 0)
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("AURELIA_CACHE", str(blocker))
    with pytest.raises(ConfigError, match="Set AURELIA_CACHE"):
        folder(0, 1)
