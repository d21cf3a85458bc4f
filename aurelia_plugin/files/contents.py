"""Files as values: content digests, results remembered per file version, atomic writes."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from aurelia_plugin.errors import MediaError
from aurelia_plugin.files.atomic import write_atomically

__all__ = ["FileMemory", "content_digest", "require_content", "write_media"]

_CHUNK_BYTES = 1 << 20

T = TypeVar("T")


class _FileVersion(NamedTuple):
    path: str
    inode: int
    size: int
    mtime_ns: int


class FileMemory(Generic[T]):
    """What was computed from a file, kept until the file's size or modification time changes.

    Bounded (the least recently used entry goes first) and safe to use from several threads. Two
    threads that ask for the same new file may both compute it: that costs time, never correctness.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._values: OrderedDict[_FileVersion, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, compute: Callable[[Path], T]) -> T:
        """Return `compute(path)`, from memory when the file has not changed.

        Raises:
            MediaError: the file is missing or cannot be examined, or whatever `compute` raises.
        """
        version = _version(path)
        with self._lock:
            if version in self._values:
                self._values.move_to_end(version)
                return self._values[version]
        value = compute(path)
        with self._lock:
            self._values[version] = value
            while len(self._values) > self._limit:
                self._values.popitem(last=False)
        return value


def _version(path: Path) -> _FileVersion:
    try:
        # Links are not followed by name, which takes a look at every folder on the way: where a
        # link leads elsewhere than before, the file behind it is another one.
        status = path.stat()
    # A caller may have taken any text for a path: NUL characters, far too long, endless links.
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(path, error) from error
    return _FileVersion(os.path.abspath(path), status.st_ino, status.st_size, status.st_mtime_ns)


def _unreadable(path: Path, error: Exception) -> MediaError:
    missing = isinstance(error, FileNotFoundError)
    cause = "no such file" if missing else getattr(error, "strerror", None) or str(error)
    name = str(path)
    name = name if len(name) <= 300 else f"{name[:300]}…"
    return MediaError(name, cause, "Check the path and the permissions of the file.")


def require_content(path: Path) -> None:
    """Raise MediaError unless `path` is a file with at least one byte."""
    version = _version(path)
    if not path.is_file():
        raise MediaError(path, "not a file", "Name a media file, not a folder.")
    if version.size == 0:
        raise MediaError(path, "the file is empty (0 bytes)", "Fetch the file again.")


def content_digest(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, in hexadecimal.

    Raises:
        MediaError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()


def write_media(path: Path, content: bytes, check: Callable[[Path], object] | None = None) -> None:
    """Write a media file of the cache; see `write_atomically`.

    Raises:
        MediaError: the folder cannot be written, or whatever `check` raises.
    """
    try:
        write_atomically(path, content, check)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> MediaError:
    return MediaError(
        path,
        f"cannot be written: {error.strerror or error}",
        "Make room or permissions there, or set AURELIA_CACHE to another folder.",
    )
