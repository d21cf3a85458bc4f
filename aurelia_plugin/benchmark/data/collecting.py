"""Bring a benchmark's media into its folder: found by name, linked or copied, once."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.sources.draft import Draft
from aurelia_plugin.errors import ConfigError

__all__ = ["Collected", "Shelf", "collect"]

_SUFFIXES = frozenset(
    {".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".flv"}
    | {".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aac", ".opus"}
)


class Shelf:
    """The media files below a folder, by path and by name.

    Raises:
        ConfigError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: is no folder.", "Name the folder with the media.")
        self._folder = folder
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for root, folders, names in os.walk(folder, followlinks=True):
            folders.sort()
            for name in sorted(names):
                path = Path(root, name)
                if path.suffix.lower() in _SUFFIXES:
                    self._by_name[path.stem].append(path)

    def find(self, name: str) -> Path | None:
        """Return the file with this path or name, else the one that differs in its ending only.

        Of several, the one whose folders are most like those of `name`, then the first.
        """
        exact = self._folder / name
        if exact.is_file():
            return exact
        wanted = PurePosixPath(name)

        def likeness(path: Path) -> tuple[bool, int]:
            parts = zip(reversed(path.parts[:-1]), reversed(wanted.parts[:-1]), strict=False)
            same = 0
            for ours, theirs in parts:
                if ours != theirs:
                    break
                same += 1
            return path.name == wanted.name, same

        found = self._by_name.get(wanted.stem, [])
        return max(found, key=likeness) if found else None


@dataclass
class Collected:
    """What became of the drafts.

    Attributes:
        items: whose media are all there, or all items if media were not asked for.
        missing: names of the media, as the source has them, that were not found.
    """

    items: list[Item] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def collect(
    drafts: Iterable[Draft], folder: Path, shelf: Shelf | None, *, keep_incomplete: bool
) -> Collected:
    """Put the drafts' media into the folder and return the items that are complete.

    A file that is there already with the right size is not touched, so a build that was stopped
    goes on where it was.

    Args:
        shelf: where to look; None looks only into the folder itself.
        keep_incomplete: whether items whose media are missing are returned too.

    Raises:
        ConfigError: a file cannot be written.
    """
    result = Collected()
    for draft in tqdm(list(drafts), desc="collecting media", unit="item"):
        item, missing = draft.item, []
        for place, name in draft.media.items():
            path = _placed(folder, place, shelf.find(name) if shelf else None)
            if path is None:
                missing.append(name)
            elif path != place:
                item = _moved(item, place, path)
        result.missing += missing
        if not missing or keep_incomplete:
            result.items.append(item)
    result.missing = list(dict.fromkeys(result.missing))
    return result


def _placed(folder: Path, place: str, found: Path | None) -> str | None:
    """Return the path at which the medium stands in the folder now, or None."""
    if found is None:
        there = sorted((folder / place).parent.glob(f"{_literal(PurePosixPath(place).stem)}.*"))
        there = [path for path in there if path.suffix.lower() in _SUFFIXES]
        return there[0].relative_to(folder).as_posix() if there else None
    target = (folder / place).with_suffix(found.suffix.lower())
    try:
        if not target.is_file() or target.stat().st_size != found.stat().st_size:
            target.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(found, target)
    except OSError as error:
        raise ConfigError(
            f"{target}: cannot be written: {error}", "Name a folder with enough space (--to)."
        ) from error
    return target.relative_to(folder).as_posix()


def _literal(text: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in text)


def _link_or_copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), temporary)  # costs no space where both are on one disk
    except OSError:
        shutil.copyfile(source, temporary)
    temporary.replace(target)


def _moved(item: Item, old: str, new: str) -> Item:
    change = {
        "video": new if item.video == old else item.video,
        "audio": new if item.audio == old else item.audio,
        "audios": tuple(new if path == old else path for path in item.audios),
    }
    return item.model_copy(update=change)
