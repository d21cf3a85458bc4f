"""Decoders with the faults of real ones, to be run in processes of their own."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np
from loguru import logger
from numpy.typing import NDArray

from aurelia_plugin.media.containers.container import opened, picture_stream, video_frames
from aurelia_plugin.media.isolation.isolated import isolated

__all__ = [
    "aborting",
    "allocating",
    "crashing",
    "environment",
    "exiting",
    "hanging",
    "imported",
    "looping",
    "own_error",
    "slow",
    "twice",
    "warning",
]


def _decode_some(path: Path) -> None:
    """Be in the middle of a file."""
    with opened(path) as container:
        stream = picture_stream(container)
        assert stream is not None
        frames = video_frames(path, container, stream)
        next(frames)
        next(frames)


@isolated
def aborting(path: Path) -> int:
    """End as a failed assertion in C does."""
    _decode_some(path)
    os.abort()


@isolated
def crashing(path: Path) -> int:
    """Read where there is no memory."""
    _decode_some(path)
    ctypes.string_at(8)
    return 0


@isolated
def exiting(path: Path) -> int:
    """End the process, as some libraries do on errors."""
    _decode_some(path)
    os._exit(3)


@isolated
def hanging(path: Path) -> int:
    """Loop for ever in C, with Python's lock held and signals to Python unheard."""
    _decode_some(path)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    ctypes.PyDLL(None).pause()
    return 0


@isolated
def looping(path: Path) -> int:
    """Decode the same for ever: there is progress, and no end."""
    while True:
        _decode_some(path)


@isolated
def allocating(path: Path) -> int:
    """Take memory without end, and use it."""
    _decode_some(path)
    blocks = []
    while True:
        blocks.append(np.ones(2**24, dtype=np.uint8))


@isolated
def own_error(path: Path) -> int:
    """Raise what a library raises."""
    raise KeyError(path.name)


@isolated
def slow(path: Path, seconds: float) -> int:
    """Take its time, and return the process id."""
    _decode_some(path)
    time.sleep(seconds)
    return os.getpid()


@isolated
def twice(path: Path, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an array, doubled."""
    doubled: NDArray[np.float32] = array * np.float32(2)
    return doubled


@isolated
def environment(path: Path) -> dict[str, str]:
    """Return the environment of the process."""
    return dict(os.environ)


@isolated
def imported(path: Path) -> list[str]:
    """Return the modules that the process has imported."""
    import sys

    return sorted(sys.modules)


@isolated
def warning(path: Path) -> None:
    """Log a warning."""
    logger.warning("a word of warning about {}", path.name)
