"""Make the clips of a benchmark's folder, each once, from the clips that the user has."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tqdm import tqdm

from aurelia_plugin.benchmark.data.collecting import Collected, MediaFolder
from aurelia_plugin.benchmark.sources.compositional.rendering import render
from aurelia_plugin.benchmark.sources.draft import Draft
from aurelia_plugin.benchmark.sources.montage import Montage
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.errors import ConfigError, MediaError

__all__ = ["assemble"]


def assemble(
    drafts: Iterable[Draft], folder: Path, media: MediaFolder | None, *, keep_incomplete: bool
) -> Collected:
    """Make the drafts' clips in the folder and return the items that are complete.

    A clip that is there and not older than what it is made from is kept, so a build that was
    stopped goes on where it was; so is one whose sources are gone. The bytes of a clip follow from
    its sources and the version of FFmpeg.

    Args:
        drafts: with montages.
        folder: of the benchmark.
        media: where the clips are searched; None keeps what is in the folder.
        keep_incomplete: whether items whose clips cannot be made are returned too.

    Raises:
        ConfigError: a clip cannot be written.
    """
    result = Collected()
    for draft in tqdm(list(drafts), desc="making clips", unit="clip"):
        montage, place = draft.montage, draft.item.video
        if montage is None or place is None:
            raise ValueError(f"{draft.item.id} is made from nothing")
        target = folder / place
        found = {name: media.find(name) if media else None for name in montage.files}
        files = {name: path for name, path in found.items() if path is not None}
        complete = len(files) == len(found)
        if not complete and not target.is_file():
            result.missing += [name for name, path in found.items() if path is None]
        if complete and not _is_new(target, files.values()):
            try:
                _make(target, montage, files)
            except MediaError as error:
                result.faults.append(f"{draft.item.id}: left out: {error.path} {error.cause}")
                complete = False
                target.unlink(missing_ok=True)
        if keep_incomplete or target.is_file():
            result.items.append(draft.item)
    result.missing = list(dict.fromkeys(result.missing))
    return result


def _is_new(target: Path, sources: Iterable[Path]) -> bool:
    """Return whether a clip is there and not older than its sources."""
    if not target.is_file():
        return False
    made = target.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns <= made for source in sources)


def _make(target: Path, montage: Montage, files: Mapping[str, Path]) -> None:
    clip = render(montage, files)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_mp4(temporary, clip.frames, clip.samples)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ConfigError(
            f"{target}: cannot be written: {error}", "Name a folder with enough space (--to)."
        ) from error
