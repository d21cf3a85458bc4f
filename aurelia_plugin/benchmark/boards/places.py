"""Where a board's questions and media lie: a folder of the user's, or the hub."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from loguru import logger

from aurelia_plugin.benchmark.boards.board_set import BoardSet
from aurelia_plugin.benchmark.data.items import Item, write_items
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.files.records import problem_of
from aurelia_plugin.files.strict_json import parse_json

__all__ = ["SPLIT", "board_folder", "dataset_kwargs"]

SPLIT: Final = "test"

_LAYOUT: Final = 1
"""Raised when the items of a board change their form."""


def board_folder(board: BoardSet) -> Path:
    """Return the folder with the board's media.

    Raises:
        ConfigError: it is not set and the media cannot be had from the hub, or there is none.
    """
    named = os.environ.get(board.variable, "").strip()
    if named:
        folder = Path(named).expanduser().resolve()
        if not folder.is_dir():
            raise ConfigError(f"{board.variable}={named}: is no folder.", _steps(board))
        return folder
    if not board.archive:
        raise ConfigError(
            f"{board.variable} is not set: {board.title} has no media.", _steps(board)
        )
    return _unpacked(board, _from_hub(board, board.archive))


def dataset_kwargs(board: BoardSet) -> dict[str, object]:
    """Return what `datasets.load_dataset("json")` needs to load the board's one split.

    The items are kept in the user's cache, named by the digest of the file with the questions.

    Raises:
        ConfigError: there are no questions or no media, or a row has another form.
    """
    from aurelia_plugin.benchmark.data.table import item_features

    folder = board_folder(board)
    local = folder / board.annotations
    source = local if local.is_file() else _from_hub(board, board.annotations)
    items = list(_read(board, source))
    _require_media(board, items, folder)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    target = cache_dir() / "boards" / f"{board.name}-v{_LAYOUT}-{digest}.jsonl"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_items(target, items)
    except OSError as error:
        raise ConfigError(
            f"{target}: cannot be written: {error}",
            "Set AURELIA_CACHE to a folder that can be written and has space.",
        ) from error
    return {"data_files": {SPLIT: str(target)}, "features": item_features()}


def _read(board: BoardSet, path: Path) -> Iterable[Item]:
    try:
        content = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", _steps(board)) from error
    try:
        items = list(board.items(content))
    except ValueError as error:
        cause = f"{path}: a question of {board.title} is none: {problem_of(error)}"
        raise ConfigError(cause, _steps(board)) from error
    if not items:
        raise ConfigError(f"{path}: holds no questions.", _steps(board))
    return items


def _require_media(board: BoardSet, items: Iterable[Item], folder: Path) -> None:
    videos = sorted({item.video for item in items if item.video is not None})
    missing = [name for name in videos if not (folder / name).is_file()]
    if len(missing) == len(videos):
        raise ConfigError(
            f"{folder}: holds no video of {board.title}; {missing[0]} is not there, for example.",
            _steps(board),
        )
    if missing:
        logger.warning(
            "{}: {} of {} videos are missing in {}, {} for example; their questions will fail.",
            board.title, len(missing), len(videos), folder, missing[0],
        )  # fmt: skip


def _steps(board: BoardSet) -> str:
    return (
        f"1. Get {board.title} ({board.hub} at the hub; {board.licence}). 2. Set: export "
        f"{board.variable}=FOLDER, with {board.annotations} in it and the media at {board.layout}."
    )


def _from_hub(board: BoardSet, name: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        path = hf_hub_download(
            board.hub, name, repo_type="dataset", endpoint=os.environ.get("HF_ENDPOINT")
        )
    except (OSError, ValueError) as error:  # what the hub's own errors are, gated ones included
        first = str(error).strip().splitlines()
        raise ConfigError(
            f"{board.hub}: {name} cannot be had from the hub: {first[0] if first else error!r}",
            _steps(board),
        ) from error
    return Path(path)


def _unpacked(board: BoardSet, archive: Path) -> Path:
    """Return the folder with the archive's files, unpacked once."""
    stamp = archive.resolve().name[:16]  # the hub's own name of the content
    target = cache_dir() / "boards" / f"{board.name}-media-{stamp}"
    if target.is_dir():
        return target
    work = target.with_name(f".{target.name}-{os.getpid()}")
    try:
        work.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as packed:
            packed.extractall(work, filter="data")  # nothing leaves the folder, no links out of it
        work.rename(target)
    except (OSError, tarfile.TarError) as error:
        shutil.rmtree(work, ignore_errors=True)
        if not target.is_dir():
            raise ConfigError(
                f"{archive}: cannot be unpacked: {error}",
                "Set AURELIA_CACHE to a folder with enough space, or unpack it yourself and set "
                f"{board.variable}.",
            ) from error
    return target
