"""Scene -> pictures and waveform, in memory."""

from __future__ import annotations

import math
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.benchmark.synthetic.scene import (
    FPS,
    SIZE,
    Figure,
    Flag,
    Scene,
)
from aurelia_plugin.benchmark.synthetic.sound import render_sound

__all__ = ["RGB", "Pose", "Rendered", "pose_of", "render", "render_picture", "render_sound"]

RGB: dict[str, tuple[int, int, int]] = {
    "red": (225, 40, 40),
    "green": (40, 185, 70),
    "blue": (50, 90, 240),
    "yellow": (245, 220, 40),
    "white": (245, 245, 245),
}

_FLASH_SECONDS = 0.25
_DIM = 0.35
_TURNS_PER_SECOND = 0.4
_BOUNCE_HEIGHT = 0.3
_SLIDE_WIDTH = 0.24

# Corners of the regular outlines and the ratio of inner to outer radius.
_OUTLINES = {"square": (4, math.sqrt(0.5)), "triangle": (3, 0.5), "star": (5, 0.42)}

Plane = NDArray[np.float32]


class Rendered(NamedTuple):
    """`frames`: uint8 `[n, height, width, 3]`; `waveform`: mono float32 `[samples]`, 16 kHz."""

    frames: NDArray[np.uint8]
    waveform: NDArray[np.float32]


def _overshoot(shape: str, dx: Plane, dy: Plane, angle: float) -> Plane:
    """Signed distance-like field over unit-radius coordinates: negative inside the shape."""
    if shape == "circle":
        return np.asarray(np.hypot(dx, dy) - 1.0, dtype=np.float32)
    cos, sin = math.cos(angle), math.sin(angle)
    u, v = dx * cos + dy * sin, -dx * sin + dy * cos
    if shape == "cross":
        narrow, wide = np.minimum(abs(u), abs(v)), np.maximum(abs(u), abs(v))
        return np.asarray(np.maximum(narrow - 0.32, wide - 0.95), dtype=np.float32)
    corners, inner = _OUTLINES[shape]
    half = math.pi / corners
    # Angle from the nearest corner; the first corner points upwards (a square stands flat).
    start = half if shape == "square" else 0.0
    theta = np.abs((np.arctan2(u, -v) + start + half) % (2 * half) - half)
    # Where the ray at theta crosses the straight line from an outer to an inner corner.
    ex, ey = inner * math.cos(half) - 1.0, inner * math.sin(half)
    edge = ey / (ey * np.cos(theta) - ex * np.sin(theta))
    return np.asarray(np.hypot(u, v) - edge, dtype=np.float32)


class Pose(NamedTuple):
    """Where a figure is at one moment: centre as fractions, angle in radians, light 0..1."""

    x: float
    y: float
    angle: float
    light: float


def _lit(figure: Figure, time: float) -> bool:
    if figure.flashes:
        return any(0.0 <= time - moment < _FLASH_SECONDS for moment in figure.flashes)
    since = time - figure.begins
    return since >= 0.0 and since % figure.period < min(_FLASH_SECONDS, 0.45 * figure.period)


def pose_of(figure: Figure, time: float) -> Pose:
    """Return the figure's pose at a time in seconds."""
    x, y, angle, light = figure.x, figure.y, 0.0, 1.0
    since = time - figure.begins
    moving = since >= 0.0
    if figure.flashes or figure.motion == "flashing":
        light = 1.0 if _lit(figure, time) else _DIM
    elif figure.motion == "bouncing" and moving:
        phase = (since % figure.period) / figure.period
        y -= _BOUNCE_HEIGHT * 4.0 * phase * (1.0 - phase)
    elif figure.motion == "sliding" and moving:
        x += _SLIDE_WIDTH * math.sin(2 * math.pi * since / figure.period)
    elif figure.motion == "spinning" and moving:
        angle = 2 * math.pi * _TURNS_PER_SECOND * since
    return Pose(x, y, angle, light)


def _draw(frame: Plane, figure: Figure, time: float) -> None:
    """Paint one figure into a float frame `[size, size, 3]`, with soft edges."""
    size = frame.shape[0]
    pose = pose_of(figure, time)
    centre_x, centre_y, radius = pose.x * size, pose.y * size, figure.radius * size
    left, right = max(int(centre_x - radius - 2), 0), min(int(centre_x + radius + 3), size)
    top, bottom = max(int(centre_y - radius - 2), 0), min(int(centre_y + radius + 3), size)
    if left >= right or top >= bottom:
        return
    dx = ((np.arange(left, right, dtype=np.float32) + 0.5 - centre_x) / radius)[None, :]
    dy = ((np.arange(top, bottom, dtype=np.float32) + 0.5 - centre_y) / radius)[:, None]
    dx, dy = np.broadcast_arrays(dx, dy)
    cover = np.clip(0.5 - _overshoot(figure.shape, dx, dy, pose.angle) * radius, 0.0, 1.0)
    if figure.motion == "spinning":
        # A spot off the centre makes the turning of a circle visible too.
        spot_x, spot_y = 0.35 * math.sin(pose.angle), -0.35 * math.cos(pose.angle)
        spot = np.clip(0.5 - (np.hypot(dx - spot_x, dy - spot_y) - 0.18) * radius, 0.0, 1.0)
        cover = cover * (1.0 - spot)
    paint = np.asarray(RGB[figure.colour], dtype=np.float32) * pose.light
    region = frame[top:bottom, left:right]
    region += cover[..., None] * (paint - region)


def _draw_flag(frame: Plane, flag: Flag) -> None:
    size = frame.shape[0]
    low, high = round(0.12 * size), round(0.88 * size)
    cuts = np.linspace(low, high, 4).round().astype(int)
    for colour, start, stop in zip(flag.stripes, cuts[:-1], cuts[1:], strict=True):
        if flag.upright:
            frame[low:high, start:stop] = RGB[colour]
        else:
            frame[start:stop, low:high] = RGB[colour]


def render_picture(scene: Scene, size: int = SIZE) -> NDArray[np.uint8]:
    """Render the pictures, uint8 `[round(duration * 8), size, size, 3]`, later figures on top."""
    count = round(scene.duration * FPS)
    frames = np.full((count, size, size, 3), scene.background, dtype=np.float32)
    for index, frame in enumerate(frames):
        time = index / FPS
        if scene.flag is not None:
            _draw_flag(frame, scene.flag)
        for figure in scene.figures:
            if figure.shown[0] <= time < figure.shown[1]:
                _draw(frame, figure, time)
    rng = np.random.default_rng([scene.noise_seed, zlib.crc32(b"picture")])
    noise = rng.standard_normal((count, size, size), dtype=np.float32)
    frames += scene.picture_noise * noise[..., None]
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def render(scene: Scene, size: int = SIZE) -> Rendered:
    """Render pictures and waveform. The same scene always gives the same arrays."""
    return Rendered(render_picture(scene, size), render_sound(scene))
