"""A file that names other files is refused by its content, whatever it is called."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from media.conftest import MakeSound, MakeVideo, grey_frames, make_sound, make_video
from PIL import Image

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.containers.formats import format_whitelist, require_self_contained
from aurelia_plugin.media.content import coerce
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.video import uniform_frames

__all__ = ["make_sound", "make_video"]

_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
_NAMING = {
    "hls": _PLAYLIST,
    "hls after white space": "\n  " + _PLAYLIST,
    "hls after a byte order mark": "\ufeff" + _PLAYLIST,
    "hls after an ID3 tag": "ID3\x04\0\0\0\0\0\x10" + "\0" * 16 + _PLAYLIST,
    "concat": "ffconcat version 1.0\nfile '{}'\n",
    "dash": '<MPD xmlns="urn:mpeg:dash"><Period><BaseURL>{}</BaseURL></Period></MPD>',
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 4 RTP/AVP 0\r\n",
    "svg": '<?xml version="1.0"?><svg><image href="{}"/></svg>',
    "imf": "<CompositionPlaylist><Id>{}</Id></CompositionPlaylist>",
    "rtsp": "rtsp://127.0.0.1:1/{}",
    "pls": "[playlist]\nFile1={}\n",
    "vobsub": "# VobSub index file, v7\nid: en, index: 0\n",
    "postscript": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({}) run\nshowpage\n",
}


@pytest.mark.parametrize("ending", ["", ".mp4", ".wav", ".png", ".m3u8", ".ts"])
@pytest.mark.parametrize("kind", sorted(_NAMING))
def test_it_is_refused(tmp_path: Path, make_sound: MakeSound, kind: str, ending: str) -> None:
    secret = make_sound("secret.wav")
    path = tmp_path / f"item{ending}"
    path.write_text(_NAMING[kind].replace("{}", str(secret)), encoding="utf-8")
    for wanted in (lambda: coerce(str(path)), lambda: uniform_frames(Media.file("video", path), 1)):
        with pytest.raises(MediaError) as caught:
            wanted()
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "worst",
    ["<?xml?>", "<!-- ", " ", "#\n", "REM x\n", "<!doctype [>", "v=0\n", "a b c\n", "ASF  "],
)
def test_no_text_takes_long(tmp_path: Path, worst: str) -> None:
    path = tmp_path / "worst.mp4"
    path.write_text(worst * 100_000)
    begun = time.process_time()
    with suppress(MediaError):
        require_self_contained(path)
    assert time.process_time() - begun < 1.0


def test_the_demuxers_that_open_others_may_not_be_used() -> None:
    allowed = set(format_whitelist().split(","))
    assert {"mov", "mp4", "matroska", "avi", "mpegts", "mpeg", "flv", "swf", "wav"} <= allowed
    assert not allowed & {"hls", "concat", "dash", "sdp", "rtsp", "image2", "lavfi", "imf", "tty"}


def test_a_name_is_no_pattern(tmp_path: Path, make_video: MakeVideo) -> None:
    for number in range(1, 4):
        Image.fromarray(grey_frames([200])[0]).save(tmp_path / f"a{number:03d}.png")
    Image.fromarray(grey_frames([30])[0]).save(tmp_path / "a%03d.png")
    media = coerce(str(tmp_path / "a%03d.png"))
    assert media.kind == "image"
    assert picture(media).mean() == pytest.approx(30, abs=1)
    clip = make_video("b%03d.png.mp4")
    odd = clip.rename(tmp_path / "b%03d.png")
    assert coerce(str(odd)).kind == "video"
    assert len(uniform_frames(coerce(str(odd)), 2).pixels) == 2
