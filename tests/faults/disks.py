"""Faults of the file system: full, read-only, damaged files."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

from fake_servers import Server, serving

from aurelia_plugin.errors import StoreError
from faults.counting import Tally
from faults.world import Service, Watched, answers, right

_TMPFS_KB = 192


def try_disk(name: str, *, rounds: int, questions: int, seed: int = 0) -> Tally:
    """Let the disk fail so often, at another moment each time, and go on when it works again."""
    tally = Tally(name)
    rng = random.Random(seed)
    for _ in range(rounds):
        finished: Counter[str] = Counter()
        with _folder() as folder, serving(Service()) as server:
            _DISK_FAULTS[name](tally, server, folder, finished, questions, rng)
            _finish(tally, server, folder, finished, questions)
    return tally


def _finish(
    tally: Tally, server: Server, folder: Path, finished: Counter[str], questions: int
) -> None:
    """Run again without a fault, and count."""
    numbers = range(questions)
    given = answers(server.url, Watched(folder, finished), numbers)
    good = sum(answer == right(n) for n, answer in zip(numbers, given, strict=True))
    tally.questions += questions
    tally.survived += good
    tally.lost += questions - good
    tally.wrong += sum(a not in ("", right(n)) for n, a in zip(numbers, given, strict=True))
    tally.repeated += sum(max(0, times - 1) for times in finished.values())
    tally.lost += sum(1 for _ in folder.rglob(".part-*"))


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "traces"


@contextlib.contextmanager
def _failing(after: int, number: int, *, at: str) -> Iterator[list[int]]:
    """Let writes fail for good from the `after`-th on; yield how many have failed.

    Args:
        number: the system's error number.
        at: `write` fails after half of the bytes are on the disk, `rename` when all are.
    """
    failed = [0]
    left = [after]
    opened, replace = Path.open, os.replace

    def broken() -> bool:
        left[0] -= 1
        failed[0] += left[0] < 0
        return left[0] < 0

    class Half(io.FileIO):
        def write(self, content: Any) -> int:
            if broken():
                super().write(content[: len(content) // 2])
                raise OSError(number, os.strerror(number))
            return super().write(content)

    def open_(path: Path, mode: str = "r", *more: Any, **how: Any) -> Any:
        return Half(path, mode) if mode == "xb" else opened(path, mode, *more, **how)

    def rename(source: Any, target: Any) -> None:
        if broken():
            raise OSError(number, os.strerror(number))
        replace(source, target)

    patched: AbstractContextManager[object] = mock.patch.object(Path, "open", open_)
    if at == "rename":
        patched = mock.patch("aurelia_plugin.files.atomic.os.replace", rename)
    with patched:
        yield failed


def _stops(number: int, at: str) -> Callable[..., None]:
    def fault(
        tally: Tally,
        server: Server,
        folder: Path,
        finished: Counter[str],
        questions: int,
        rng: random.Random,
    ) -> None:
        after = rng.randrange(3 * questions)
        with _failing(after, number, at=at) as failed, contextlib.suppress(StoreError):
            given = answers(server.url, Watched(folder, finished), range(questions))
            tally.wrong += len(given) * bool(
                failed[0]
            )  # a run whose work cannot be kept must not end well
        tally.tried += failed[0]

    return fault


def _tmpfs(
    tally: Tally,
    server: Server,
    folder: Path,
    finished: Counter[str],
    questions: int,
    rng: random.Random,
) -> None:
    """A real disk that is full, and is given space by and by."""
    folder.mkdir()
    size = f"size={rng.randrange(24, _TMPFS_KB)}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
    try:
        try:
            answers(server.url, Watched(folder, finished), range(questions))
        except StoreError:
            tally.tried += 1
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
        kept = folder.with_name("kept")
        shutil.copytree(folder, kept)
    finally:
        subprocess.run(["umount", folder], check=True)
    folder.rmdir()
    kept.rename(folder)


def _read_only(
    tally: Tally,
    server: Server,
    folder: Path,
    finished: Counter[str],
    questions: int,
    rng: random.Random,
) -> None:
    """A folder that cannot be written to is refused before anything is asked."""
    for place in (Path("/proc/self/traces"), Path("/sys/traces"), Path("/dev/null/traces")):
        try:
            answers(server.url, Watched(place, finished), range(questions))
        except StoreError:
            tally.tried += 1
        else:
            tally.wrong += 1
    tally.repeated += len(server.requests)


def _damaged(
    tally: Tally,
    server: Server,
    folder: Path,
    finished: Counter[str],
    questions: int,
    rng: random.Random,
) -> None:
    """After a whole run a third of the traces, and some calls, are damaged; calls are made again
    only where their own record is gone."""
    given = answers(server.url, Watched(folder, finished), range(questions))
    tally.wrong += sum(a != right(n) for n, a in enumerate(given))
    traces, calls = sorted(folder.glob("traces/*/*.json")), sorted(folder.glob("calls/*/*.json"))
    other = traces[0].read_bytes()
    hurt = rng.sample(traces[1:], len(traces) // 3) + rng.sample(calls, len(calls) // 8)
    for path in hurt:
        content = path.read_bytes()
        path.write_bytes(
            rng.choice(
                (
                    b"",
                    content[: rng.randrange(len(content))],
                    content[: len(content) // 2] + b"\0" * 64,
                    rng.randbytes(200),
                    content.replace(b'"', b"'"),
                    b"[" * 100_000,
                    b'{"key": 1e999}',
                    b"null",
                    b'{"text": 7}',
                )
                + ((other,) if path in traces else ())
            )
        )
        if path in calls:
            finished[path.stem] -= 1  # its work has to be done again
    tally.tried += len(hurt)


_DISK_FAULTS: dict[str, Callable[..., None]] = {
    "full disk (writing)": _stops(errno.ENOSPC, "write"),
    "full disk (renaming)": _stops(errno.ENOSPC, "rename"),
    "disk turns read-only": _stops(errno.EROFS, "write"),
    "input/output error": _stops(errno.EIO, "write"),
    "full disk (a real tmpfs)": _tmpfs,
    "read-only folder": _read_only,
    "corrupt trace or call": _damaged,
}
NEEDS_MOUNT = "full disk (a real tmpfs)"
DISK_FAULTS = tuple(_DISK_FAULTS)


def can_mount() -> bool:
    """Whether this process may mount a file system."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True
