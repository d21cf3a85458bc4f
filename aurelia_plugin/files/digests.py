"""Content digests: the names by which prompts, clips, settings and files are recognised."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

__all__ = ["digest_of", "digest_of_path"]


def digest_of(value: object) -> str:
    """Return the SHA-256 (hex) of a JSON-serialisable value, independent of dict order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of_path(path: Path, *, whole_below: int = 64 * 2**20) -> str:
    """Return the SHA-256 (hex) of a file, or of a folder's files with their relative names.

    Args:
        path: a file or folder that exists.
        whole_below: files of this many bytes or more (model weights) enter by size and
            modification time instead of content, because reading them costs minutes.
    """
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    rows = []
    for file in files:
        if "__pycache__" in file.parts:
            continue
        stat = file.stat()
        if stat.st_size < whole_below:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
        else:
            content = f"{stat.st_size}:{stat.st_mtime_ns}"
        rows.append([file.relative_to(path).as_posix() if file != path else "", content])
    return digest_of(rows)
