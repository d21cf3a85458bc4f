"""Still and animated pictures in depths and colours off the beaten track."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .kinds import Expected, OddFile
from .reference import ffmpeg, still

__all__ = ["ranges", "stills"]

_IMAGE = Expected("image", None, sound=False)
# Four levels of grey, darkest first: what of a picture without colours can be told.
_GREY = Expected("image", None, "0123", sound=False)


Pixels: TypeAlias = NDArray[np.generic]


def _levels(scale: float) -> NDArray[np.float64]:
    quarter = np.ones((120, 160))
    shares = (0.05, 0.35, 0.65, 0.95)
    rows = [np.hstack([quarter * shares[0], quarter * shares[1]])]
    rows.append(np.hstack([quarter * shares[2], quarter * shares[3]]))
    return np.vstack(rows) * scale


def _saved(**options: Any) -> Callable[[Path, str], None]:
    def make(folder: Path, name: str) -> None:
        mode = str(options.get("mode", "RGB"))
        Image.fromarray(still()).convert(mode).save(
            folder / name, **{k: v for k, v in options.items() if k != "mode"}
        )

    return make


def _turned(number: int) -> Callable[[Path, str], None]:
    """Store the picture so that the EXIF orientation lays it upright."""
    turns: dict[int, Callable[[Pixels], Pixels]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    undo = turns[number]

    def make(folder: Path, name: str) -> None:
        image = Image.fromarray(np.ascontiguousarray(undo(still())))
        exif = image.getexif()
        exif[0x0112] = number
        image.save(folder / name, exif=exif, quality=95)

    return make


def _array(values: Callable[[], Pixels]) -> Callable[[Path, str], None]:
    def make(folder: Path, name: str) -> None:
        Image.fromarray(values()).save(folder / name)

    return make


def stills() -> Iterator[OddFile]:
    """Yield pictures, checked by Pillow where ffmpeg does not read them."""
    saved: dict[str, dict[str, Any]] = {
        "plain.jpg": {"quality": 95},
        "progressive.jpg": {"quality": 95, "progressive": True},
        "cmyk.jpg": {"mode": "CMYK", "quality": 95},
        "cmyk.tiff": {"mode": "CMYK"},
        "palette.png": {"mode": "P"},
        "palette.gif": {"mode": "P"},
        "alpha.png": {"mode": "RGBA"},
        "alpha.webp": {"mode": "RGBA", "lossless": True},
        "lossy.webp": {"quality": 90},
        "plain.bmp": {},
        "plain.tga": {},
        "plain.ppm": {},
        "plain.pcx": {},
        "plain.jp2": {},
        "lzw.tiff": {"compression": "tiff_lzw"},
        "icon.ico": {"sizes": [(240, 180)]},
        "plain.avif": {"quality": 90},
        "ycbcr.tiff": {"mode": "YCbCr"},
        "picture.qoi": {},
        "plain.sgi": {},
    }
    for name, options in saved.items():
        yield OddFile(name, "picture", _saved(**options), _IMAGE, by_ffmpeg=False)
    for number in range(1, 9):
        for ending in ("jpg", "webp", "tiff", "png"):
            yield OddFile(
                f"exif_{number}.{ending}", "EXIF", _turned(number), _IMAGE, by_ffmpeg=False
            )


def ranges() -> Iterator[OddFile]:
    """Yield greyscale of one bit, sixteen bits, 32 bits and floats."""

    def wide(scale: float, kind: str) -> Callable[[], Pixels]:
        return lambda: _levels(scale).astype(kind)

    for name, make in {
        "grey8.png": _array(wide(255, "u1")),
        "grey16.png": _array(wide(65535, "u2")),
        "grey16.tiff": _array(wide(65535, "u2")),
        "grey16.pgm": _array(wide(65535, "u2")),
        "grey16.jp2": _array(wide(65535, "u2")),
        "grey32_low.tiff": _array(wide(255, "i4")),
        "grey32_mid.tiff": _array(wide(65535, "i4")),
        "grey32_high.tiff": _array(wide(2**31 - 1, "i4")),
        "float_unit.tiff": _array(wide(1.0, "f4")),
        "float_bytes.tiff": _array(wide(255.0, "f4")),
        "float_wide.tiff": _array(wide(65535.0, "f4")),
        "float.pfm": _array(wide(1.0, "f4")),
    }.items():
        yield OddFile(name, "depth", make, _GREY, grey=True, by_ffmpeg=False)

    def one_bit(folder: Path, name: str) -> None:
        half = np.zeros((240, 320), dtype=np.uint8)
        half[120:] = 255
        Image.fromarray(half).convert("1").save(folder / name)

    for ending in ("png", "tiff", "bmp", "pbm", "xbm"):
        expected = Expected("image", None, "0022", sound=False)
        yield OddFile(f"one_bit.{ending}", "depth", one_bit, expected, grey=True, by_ffmpeg=False)

    def animated(folder: Path, name: str) -> None:
        second = np.array(still())
        second[:8, :8] = 0
        pictures = [Image.fromarray(p) for p in (still(), second) * 4]
        options: dict[str, Any] = {"lossless": True} if name.endswith("webp") else {}
        pictures[0].save(
            folder / name, save_all=True, append_images=pictures[1:], duration=250, **options
        )

    for name, seconds in (
        ("animated.webp", 2.0),
        ("animated.avif", 2.0),
        ("animation.png", 2.0),
        ("animation.gif", 2.0),
    ):
        expected = Expected("video", seconds, sound=False)
        yield OddFile(name, "animation", animated, expected, by_ffmpeg=False)

    def rgb48(folder: Path, name: str) -> None:
        ffmpeg("-i", "still.png", "-pix_fmt", "rgb48be", "-update", "1", name, folder=folder)

    yield OddFile("rgb48.png", "depth", rgb48, _IMAGE)
