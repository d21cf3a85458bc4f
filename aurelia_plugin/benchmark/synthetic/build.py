"""Write the benchmark's media and manifests once, into the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from aurelia_plugin.benchmark.data.items import COLUMNS, Item, write_items
from aurelia_plugin.benchmark.synthetic.columns import DATASET, Sample, make
from aurelia_plugin.benchmark.synthetic.encode import write_mp4, write_wav
from aurelia_plugin.benchmark.synthetic.render import render, render_sound
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.places import cache_dir

__all__ = ["GENERATOR_VERSION", "chosen_folder", "folder", "planned_folder", "samples"]

GENERATOR_VERSION: Final = 3
"""Raised with every change that alters an item or its media."""

_SEED: Final = "AVREASONBENCH_MINI_SEED"
_ITEMS: Final = "AVREASONBENCH_MINI_ITEMS"
_DIGEST: Final = "digest.json"


def samples(column: str, seed: int, items: int) -> Iterator[Sample]:
    """Yield the column's samples; each depends on (seed, column, index) and nothing else."""
    for index in range(items):
        rng = np.random.default_rng([seed, COLUMNS.index(column), index])
        yield make(column, rng, index=index, letters=seed)


def planned_folder(seed: int, items: int) -> Path:
    """Return where the benchmark with these settings lies, or would lie."""
    return cache_dir() / DATASET / f"v{GENERATOR_VERSION}-s{seed}-n{items}"


def folder(seed: int = 0, items: int = 30) -> Path:
    """Return the folder of the benchmark, making it first if it is not there.

    It holds `<column>.jsonl` for each column, `media/` and `digest.json` (SHA-256 of every
    manifest and of all media). Processes that race end with one complete folder.

    Args:
        seed: of all randomness, at least 0.
        items: questions per column, at least 1.

    Raises:
        ConfigError: a number is out of range, or the cache folder cannot be written.
    """
    if seed < 0 or items < 1:
        raise ConfigError(
            f"seed={seed}, items={items}: out of range", "Use seed >= 0 and items >= 1."
        )
    target = planned_folder(seed, items)
    if (target / _DIGEST).is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            _build(work, seed, items)
            _publish(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ConfigError(
            f"{target}: cannot be written: {error}",
            "Set AURELIA_CACHE to a folder that can be written and has space.",
        ) from error
    return target


def chosen_folder() -> Path:
    """Return `folder` for `AVREASONBENCH_MINI_SEED` (0) and `AVREASONBENCH_MINI_ITEMS` (30).

    Raises:
        ConfigError: a variable is not such a number, or as for `folder`.
    """
    return folder(_number(_SEED, 0, least=0), _number(_ITEMS, 30, least=1))


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


def _build(work: Path, seed: int, items: int) -> None:
    (work / "media").mkdir()
    digests: dict[str, str] = {}
    media = hashlib.sha256()
    with tqdm(total=items * len(COLUMNS), desc=f"making {DATASET}", unit="clip") as bar:
        for column in COLUMNS:
            rows: list[Item] = []
            for sample in samples(column, seed, items):
                for path in _write_media(work, sample):
                    media.update(path.read_bytes())
                rows.append(sample.item)
                bar.update()
            manifest = work / f"{column}.jsonl"
            write_items(manifest, rows)
            digests[manifest.name] = hashlib.sha256(manifest.read_bytes()).hexdigest()
    digests["media"] = media.hexdigest()
    (work / _DIGEST).write_text(json.dumps(digests, indent=1) + "\n", encoding="ascii")


def _write_media(work: Path, sample: Sample) -> Iterator[Path]:
    if sample.item.video is not None:
        path = work / sample.item.video
        write_mp4(path, *render(sample.scene))
        yield path
    for name, candidate in zip(sample.item.audios, sample.candidates, strict=True):
        path = work / name
        write_wav(path, render_sound(candidate))
        yield path


def _publish(work: Path, target: Path) -> None:
    # mkdtemp makes folders private; the cache may be shared.
    work.chmod(0o755)
    try:
        work.rename(target)
    except OSError:
        # Another process was faster; its folder is as good if it is complete.
        if not (target / _DIGEST).is_file():
            raise
