"""Write the benchmark's manifests and media into the user's cache folder, each file once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from aurelia_plugin.benchmark.data.items import COLUMNS, Item, write_items
from aurelia_plugin.benchmark.synthetic.columns import DATASET, Sample, make
from aurelia_plugin.benchmark.synthetic.encode import write_mp4, write_wav
from aurelia_plugin.benchmark.synthetic.render import render, render_sound
from aurelia_plugin.benchmark.synthetic.scene import Scene
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.places import cache_dir

__all__ = [
    "GENERATOR_VERSION",
    "chosen_folder",
    "folder",
    "planned_folder",
    "questions_folder",
    "require_media",
    "samples",
]

GENERATOR_VERSION: Final = 3
"""Raised with every change that alters an item or its media."""

_SEED: Final = "AVREASONBENCH_MINI_SEED"
_ITEMS: Final = "AVREASONBENCH_MINI_ITEMS"
_DIGEST: Final = "digest.json"
"""There once all media are."""
_QUESTIONS: Final = "questions.json"
"""There once all manifests are."""


def samples(column: str, seed: int, items: int) -> Iterator[Sample]:
    """Yield the column's samples; each depends on (seed, column, index) and nothing else."""
    for index in range(items):
        yield _sample(column, seed, index)


def _sample(column: str, seed: int, index: int) -> Sample:
    rng = np.random.default_rng([seed, COLUMNS.index(column), index])
    return make(column, rng, index=index, letters=seed)


def planned_folder(seed: int, items: int) -> Path:
    """Return where the benchmark with these settings lies, or would lie."""
    return cache_dir() / DATASET / f"v{GENERATOR_VERSION}-s{seed}-n{items}"


def folder(seed: int = 0, items: int = 30) -> Path:
    """Return the folder of the benchmark, with all of its media.

    It holds `<column>.jsonl` for each column, `media/` and `digest.json` (SHA-256 of every
    manifest and of all media). Processes that race end with one complete folder.

    Args:
        seed: of all randomness, at least 0.
        items: questions per column, at least 1.

    Raises:
        ConfigError: a number is out of range, or the cache folder cannot be written.
    """
    target = questions_folder(seed, items)
    if (target / _DIGEST).is_file():
        return target
    digests: dict[str, str] = json.loads((target / _QUESTIONS).read_bytes())
    media = hashlib.sha256()
    with _writing(target), tqdm(total=items * len(COLUMNS), desc=f"making {DATASET}") as bar:
        for column in COLUMNS:
            for sample in samples(column, seed, items):
                for path in _write_media(target, sample):
                    media.update(path.read_bytes())
                bar.update()
        digests["media"] = media.hexdigest()
        write_atomically(target / _DIGEST, f"{json.dumps(digests, indent=1)}\n".encode("ascii"))
    return target


def questions_folder(seed: int = 0, items: int = 30) -> Path:
    """Return the folder of the benchmark, whose media may still have to be made.

    Arguments and errors are those of `folder`.
    """
    if seed < 0 or items < 1:
        raise ConfigError(
            f"seed={seed}, items={items}: out of range", "Use seed >= 0 and items >= 1."
        )
    target = planned_folder(seed, items)
    if (target / _QUESTIONS).is_file():
        return target
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            _write_questions(work, seed, items)
            _publish(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def require_media(item: Item, target: Path) -> None:
    """Make the media of one question that are not there yet.

    Args:
        item: a question of the chosen benchmark.
        target: its folder.

    Raises:
        ConfigError: the folder cannot be written, or is of another benchmark.
    """
    if all((target / name).is_file() for name in item.media):
        return
    place = int(item.id.rpartition("-")[2])
    sample = _sample(item.column, _number(_SEED, 0, least=0), place)
    if sample.item != item:
        raise ConfigError(
            f"{target}: {item.id} is another question than this version makes.",
            "Remove the folder; it is made anew.",
        )
    with _writing(target):
        for _ in _write_media(target, sample):
            pass


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Say which folder cannot be written, and what to do about it."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{target}: cannot be written: {error}",
            "Set AURELIA_CACHE to a folder that can be written and has space.",
        ) from error


def chosen_folder() -> Path:
    """Return the folder for `AVREASONBENCH_MINI_SEED` (0) and `AVREASONBENCH_MINI_ITEMS` (30).

    A question's media are made by `require_media`, when it is asked.

    Raises:
        ConfigError: a variable is not such a number, or as for `folder`.
    """
    return questions_folder(_number(_SEED, 0, least=0), _number(_ITEMS, 30, least=1))


def _number(variable: str, default: int, least: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise ConfigError(
            f"{variable}={text!r} is not a whole number of at least {least}",
            f"Set {variable} to a whole number of at least {least}, or unset it for {default}.",
        )
    return int(text)


def _write_questions(work: Path, seed: int, items: int) -> None:
    (work / "media").mkdir()
    digests: dict[str, str] = {}
    for column in COLUMNS:
        manifest = work / f"{column}.jsonl"
        write_items(manifest, [sample.item for sample in samples(column, seed, items)])
        digests[manifest.name] = hashlib.sha256(manifest.read_bytes()).hexdigest()
    text = f"{json.dumps(digests, indent=1)}\n"
    (work / _QUESTIONS).write_text(text, encoding="ascii")


def _write_video(sample: Sample, path: Path) -> None:
    write_mp4(path, *render(sample.scene))


def _write_media(target: Path, sample: Sample) -> Iterator[Path]:
    """Write the media of a sample that are not there yet, and yield all of them."""
    if sample.item.video is not None:
        path = target / sample.item.video
        _once(path, partial(_write_video, sample))
        yield path
    for name, candidate in zip(sample.item.audios, sample.candidates, strict=True):
        path = target / name
        _once(path, partial(_write_sound, candidate))
        yield path


def _write_sound(candidate: Scene, path: Path) -> None:
    write_wav(path, render_sound(candidate))


def _once(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and rename it there: whoever sees it sees all of it."""
    if path.is_file():
        return
    part = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _publish(work: Path, target: Path) -> None:
    # mkdtemp makes folders private; the cache may be shared.
    work.chmod(0o755)
    try:
        work.rename(target)
    except OSError:
        # Another process was faster, and its folder is as good if it is complete; or the folder is
        # of a version that made all media at once, and lacks the list of its questions.
        if not target.is_dir():
            raise
        for path in sorted(work.glob("*.json*"), key=lambda path: path.name == _QUESTIONS):
            path.replace(target / path.name)
