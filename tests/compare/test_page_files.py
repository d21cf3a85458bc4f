"""The page's folder: what lies where, whatever the media are like."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote

import pytest
from making_comparisons import comparison, item
from media.conftest import MakeSound, MakeVideo, grey_frames, tone
from PIL import Image

from aurelia_plugin.compare.outputs.page import write_page
from aurelia_plugin.compare.outputs.page.clips import PageClips
from aurelia_plugin.compare.outputs.page.writing import PART

ASSETS = files("aurelia_plugin.compare.outputs.page") / "assets"


def data(folder: Path, name: str) -> Any:
    """Read a data file as the page does: a call with two strings, the second one JSON."""
    text = (folder / "page" / "data" / f"{name}.js").read_text(encoding="ascii")
    (arguments,) = re.findall(r"^Aurelia\.receive\((.*)\);\n$", text, re.DOTALL)
    named, content = json.loads(f"[{arguments}]")
    assert named == name
    return json.loads(content)


def test_every_script_of_the_page_is_there_and_no_other_thing_is_loaded(tmp_path: Path) -> None:
    write_page(comparison(3), tmp_path, media="none")
    html = (tmp_path / "index.html").read_text()
    scripts = re.findall(r'<script src="([^"]+)" defer></script>', html)
    assert len(scripts) == html.count("<script")
    for place in (*scripts, *re.findall(r'href="(page/[^"]+)"', html)):
        assert (tmp_path / place).is_file(), place
    assert "http" not in html.replace("http-equiv", "")
    for asset in ASSETS.iterdir():
        text = asset.read_text()
        assert "innerHTML" not in text, asset.name
        assert not re.search(r"\bfetch\(|XMLHttpRequest|\beval\(|https?://", text), asset.name


def test_data_are_ascii_and_in_parts(tmp_path: Path) -> None:
    items = [item(n, comparison(1).items[0].arms) for n in range(PART + 1)]
    items[0] = item(0, items[0].arms, question='</script>\u2028é"\\ __proto__', id="a")
    write_page(comparison(items=items), tmp_path, media="none")
    assert data(tmp_path, "rows")[0]["q"] == '</script>\u2028é"\\ __proto__'
    assert [len(data(tmp_path, f"details-{n:04d}")) for n in (0, 1)] == [PART, 1]
    assert data(tmp_path, "summary")["n"] == PART + 1


@pytest.fixture
def clip(make_video: MakeVideo) -> Path:
    return make_video("one #1 & only.mp4", grey_frames(range(20, 220, 10)), sound=tone(2.0))


def test_media_are_linked_where_they_lie(tmp_path: Path, clip: Path) -> None:
    page = tmp_path / "deep" / "page"
    clips = PageClips(page, "link")
    clips.take([str(clip)])
    shown = clips[str(clip)]
    assert shown.src is not None
    assert (page / unquote(shown.src)).resolve() == clip.resolve()
    assert "#" not in shown.src
    assert (shown.kind, shown.frames, shown.problem) == ("video", 6, None)
    assert len(shown.peaks) == 240
    assert 45 <= median(shown.peaks) <= 55, "a tone of half the full scale"
    assert shown.seconds == pytest.approx(2.0, abs=0.1)
    assert shown.strip is not None
    with Image.open(page / unquote(shown.strip)) as strip:
        assert (strip.width, strip.height) == (6 * 64, 48)
        grey = [strip.convert("L").getpixel((64 * n + 32, 24)) for n in range(6)]
    assert grey == sorted(grey), "the pictures stand in the order of time"


def test_media_are_copied_once_under_their_content(tmp_path: Path, clip: Path) -> None:
    twin = clip.with_name("twin.mp4")
    twin.write_bytes(clip.read_bytes())
    clips = PageClips(tmp_path, "copy", thumbnails=False)
    clips.take([str(clip), str(twin)])
    one, two = clips[str(clip)], clips[str(twin)]
    assert one.src == two.src
    assert one.src is not None
    assert (tmp_path / one.src).read_bytes() == clip.read_bytes()
    assert (one.strip, one.peaks) == (None, ())
    assert one.name == "one #1 & only.mp4"


def test_sounds_and_images_have_their_own_form(tmp_path: Path, make_sound: MakeSound) -> None:
    sound = make_sound("s.wav", tone(1.0))
    image = tmp_path / "i.png"
    Image.new("RGB", (300, 100), "red").save(image)
    clips = PageClips(tmp_path, "link")
    clips.take([str(sound), str(image)])
    assert (clips[str(sound)].kind, clips[str(sound)].strip) == ("audio", None)
    assert (clips[str(image)].kind, clips[str(image)].frames) == ("image", 1)
    assert clips[str(image)].peaks == ()


def test_what_cannot_be_shown_says_why(tmp_path: Path, clip: Path) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(clip.read_bytes()[:500])
    gone, array = str(tmp_path / "gone.mp4"), "audio array, 2.0 s at 16000 Hz"
    clips = PageClips(tmp_path, "link")
    clips.take([gone, array, str(damaged)])
    assert (clips[gone].src, clips[array].src) == (None, None)
    assert "in memory" in (clips[array].problem or "")
    assert clips[gone].problem
    assert clips[str(damaged)].problem
    none = PageClips(tmp_path, "none")
    none.take([str(clip)])
    assert (none[str(clip)].src, none[str(clip)].strip) == (None, None)
    assert "without media" in (none[str(clip)].problem or "")


def test_traces_that_are_gone_leave_a_page_without_loops(tmp_path: Path) -> None:
    made = comparison(2, traces=tmp_path / "no such folder")
    write_page(made, tmp_path, media="none")
    assert [row["traces"] for row in data(tmp_path, "details-0000")] == [{}, {}]
