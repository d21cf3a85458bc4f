"""Files that have to be refused, under names that promise something else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .kinds import Expected, OddFile
from .reference import ffmpeg

__all__ = ["broken", "references"]

_TEXTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{file}\n#EXT-X-ENDLIST\n",
    "hls_bom": "\ufeff#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{file}\n#EXT-X-ENDLIST\n",
    "m3u": "#EXTINF:4,song\n{file}\n",
    "dash": '<?xml version="1.0"?>\n<!-- made up -->\n<MPD type="static"><Period><BaseURL>{file}'
    "</BaseURL></Period></MPD>\n",
    "concat": "ffconcat version 1.0\nfile '{file}'\n",
    "concat_plain": "# a list\nfile '{file}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="{file}"/>'
    "</svg>\n",
    "svg_doctype": '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">'
    '<svg width="9" height="9"></svg>\n',
    "smil": '<smil><body><video src="{file}"/></body></smil>\n',
    "asx": '<asx version="3.0"><entry><ref href="{file}"/></entry></asx>\n',
    "xspf": '<?xml version="1.0"?><playlist version="1"><trackList><track><location>{file}'
    "</location></track></trackList></playlist>\n",
    "pls": "[playlist]\nFile1={file}\nNumberOfEntries=1\n",
    "reference": "[Reference]\nRef1=http://127.0.0.1/{file}\n",
    "shortcut": "[InternetShortcut]\nURL=file://{file}\n",
    "address": "rtsp://127.0.0.1/{file}\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="x"><Id>1</Id></CompositionPlaylist>',
    "cue": 'TITLE "x"\nFILE "{file}" WAVE\n  TRACK 01 AUDIO\n',
    "vobsub": "# VobSub index file, v7\nsize: 720x576\n",
    "eps": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(file) run\nshowpage\n",
    "text": "A sentence, and nothing else.\n",
    "html": '<!doctype html><html><video src="{file}"></video></html>\n',
}
_ENDINGS = {
    "hls": ("m3u8", "mp4", "jpg", "wav"),
    "dash": ("mpd", "mp4"),
    "concat": ("ffconcat", "avi"),
    "sdp": ("sdp", "mkv"),
    "svg": ("svg", "png"),
}


def references() -> Iterator[OddFile]:
    """Yield what names other files, and text."""
    for kind, text in _TEXTS.items():
        for ending in _ENDINGS.get(kind, ("mp4",)):

            def make(folder: Path, name: str, text: str = text) -> None:
                target = folder / "sound.wav"
                (folder / name).write_text(text.replace("{file}", str(target)), encoding="utf-8")

            expected = Expected(None, None, "", sound=False)
            yield OddFile(f"names_{kind}.{ending}", "refused", make, expected, by_ffmpeg=False)


def broken() -> Iterator[OddFile]:
    """Yield what is cut or holds nothing."""

    def cut(folder: Path, name: str) -> None:
        whole = f"whole_{name}"
        options = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
        flags = ("-movflags", "faststart") if name.endswith("mp4") else ()
        ffmpeg("-i", "clip.mkv", *options, *flags, whole, folder=folder)
        content = (folder / whole).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    def noise(folder: Path, name: str) -> None:
        (folder / name).write_bytes(bytes((i * 7919 + i // 256) % 251 for i in range(20_000)))

    def empty(folder: Path, name: str) -> None:
        (folder / name).write_bytes(b"")

    refused = Expected(None, None, "", sound=False)
    for name in ("cut.mp4", "cut.mkv", "cut.mov"):
        yield OddFile(name, "refused", cut, refused, by_ffmpeg=False)
    yield OddFile("noise.mp4", "refused", noise, refused, by_ffmpeg=False)
    yield OddFile("empty.mp4", "refused", empty, refused, by_ffmpeg=False)
