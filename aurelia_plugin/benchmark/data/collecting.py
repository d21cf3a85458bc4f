"""Bring a benchmark's media into its folder: found by name, linked or copied, once."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from loguru import logger
from tqdm import tqdm

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.data.media_path import SOUND_ENDINGS, VIDEO_ENDINGS
from aurelia_plugin.benchmark.sources.draft import Draft
from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.files.contents import content_digest
from aurelia_plugin.files.places import inside, name_problem
from aurelia_plugin.files.shown import shown

__all__ = ["Collected", "MediaFolder", "collect"]

_SUFFIXES: Final = VIDEO_ENDINGS | SOUND_ENDINGS
_CHUNK: Final = 1 << 20


class MediaFolder:
    """The media files below a folder, by path and by name. No link out of it is followed.

    Raises:
        ConfigError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ConfigError(f"{folder}: is no folder.", "Name the folder with the media.")
        self._folder = folder
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        seen = set()
        for root, folders, names in os.walk(folder, followlinks=True):
            folders[:] = sorted(name for name in folders if self._inside(Path(root, name)))
            place = os.path.realpath(root)
            if place in seen:  # links in a circle
                folders.clear()
                continue
            seen.add(place)
            for name in sorted(names):
                path = Path(root, name)
                if path.suffix.lower() in _SUFFIXES and self._inside(path) and path.is_file():
                    self._by_stem[_folded(path.stem)].append(path)

    def _inside(self, path: Path) -> bool:
        try:
            inside(self._folder, path.relative_to(self._folder).as_posix())
        except MediaError as error:
            logger.warning("{} is not used: it {}.", shown(path), error.cause)
            return False
        return True

    def find(self, name: str) -> Path | None:
        """Return the file with this path or name, else the one that differs in its ending only.

        Of several, the one whose folders are most like those of `name`. Where that does not tell
        files with different contents apart, None: it cannot be known which is meant.
        """
        exact = self._exact(name)
        if exact is not None:
            return exact
        wanted = PurePosixPath(name)
        stem = wanted.stem if wanted.suffix.lower() in _SUFFIXES else wanted.name
        found = self._by_stem.get(_folded(stem), [])
        if not found:
            return None
        best = max(_likeness(path, wanted) for path in found)
        first, *others = [path for path in found if _likeness(path, wanted) == best]
        unlike = [path for path in others if not _same_content(first, path)]
        if unlike:
            logger.warning(
                "{} is not used: it could be {} or {}; name it with its folder.",
                shown(name), shown(first), shown(unlike[0]),
            )  # fmt: skip
            return None
        return first

    def _exact(self, name: str) -> Path | None:
        if name_problem(name) is not None:
            return None
        path = self._folder / name
        try:
            below = path.relative_to(self._folder)
        except ValueError:  # an absolute path of the machine on which it was written
            return None
        return path if path.is_file() and self._inside(self._folder / below) else None


def _folded(stem: str) -> str:
    """Return a name as file systems that decompose letters have it, too."""
    return unicodedata.normalize("NFC", stem)


def _likeness(path: Path, wanted: PurePosixPath) -> tuple[bool, bool, bool, int]:
    """Return how like a path is to a name: letter for letter, ending, kind, folders in common."""
    same = 0
    for ours, theirs in zip(reversed(path.parts[:-1]), reversed(wanted.parts[:-1]), strict=False):
        if ours != theirs:
            break
        same += 1
    suffix = wanted.suffix.lower()
    ending = path.suffix.lower() == suffix
    kind = (path.suffix.lower() in SOUND_ENDINGS) == (suffix in SOUND_ENDINGS)
    return path.name == wanted.name, ending, kind, same


@dataclass
class Collected:
    """What became of the drafts.

    Attributes:
        items: whose media are all there, or all items if media were not asked for.
        missing: names of the media, as the source has them, that were not found.
        faults: items that were left out because a file of theirs cannot be used, and why.
    """

    items: list[Item] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def collect(
    drafts: Iterable[Draft], folder: Path, media: MediaFolder | None, *, keep_incomplete: bool
) -> Collected:
    """Put the drafts' media into the folder and return the items that are complete.

    A file that is there already with the right content is not touched, so a build that was stopped
    goes on where it was. Two contents never share a place.

    Args:
        drafts: items, and how their media are called in the source.
        folder: of the benchmark.
        media: where to look; None looks only into the folder itself.
        keep_incomplete: whether items whose media are missing are returned too.

    Raises:
        ConfigError: a file cannot be written.
    """
    result = Collected()
    target = _Target(folder)
    for draft in tqdm(list(drafts), desc="collecting media", unit="item"):
        places: dict[str, str] = {}
        missing = []
        for place, name in draft.media.items():
            found = media.find(name) if media is not None else None
            path = target.left_over(place) if found is None else target.put(place, found)
            if path is None:
                missing.append(name)
            else:
                places[place] = path
        result.missing += missing
        if not missing or keep_incomplete:
            result.items.append(_moved(draft.item, places))
    result.missing = list(dict.fromkeys(result.missing))
    return result


class _Target:
    """The benchmark's folder while media are put into it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Folded, as many file systems do: two names that differ in case may be one file.
        self._taken: dict[str, Path] = {}

    def left_over(self, place: str) -> str | None:
        """Return where an earlier collection put the medium of this place, or None."""
        exact = self._folder / place
        suffix = exact.suffix.lower()
        stem = exact.stem if suffix in _SUFFIXES else exact.name
        kinds = next((kind for kind in (SOUND_ENDINGS, VIDEO_ENDINGS) if suffix in kind), _SUFFIXES)
        paths = [exact, *(exact.with_name(stem + ending) for ending in sorted(kinds))]
        there = [path for path in paths if path.is_file() and _key(path) not in self._taken]
        return there[0].relative_to(self._folder).as_posix() if there else None

    def put(self, place: str, found: Path) -> str:
        """Put a file into the folder, and return where it stands."""
        target = self._folder / place
        if target.suffix.lower() in _SUFFIXES:
            target = target.with_suffix(found.suffix.lower())
        elif found.suffix:
            target = target.with_name(target.name + found.suffix.lower())
        other = self._taken.setdefault(_key(target), found)
        if other != found and not _same_content(other, found):
            digest = content_digest(found)[:12]
            target = target.with_name(f"{target.stem}-{digest}{target.suffix}")
            self._taken[_key(target)] = found
        try:
            if not (target.is_file() and _same_content(target, found)):
                target.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(found, target)
        except OSError as error:
            raise ConfigError(
                f"{target}: cannot be written: {error}", "Name a folder with enough space (--to)."
            ) from error
        return target.relative_to(self._folder).as_posix()


def _key(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()


def _same_content(one: Path, other: Path) -> bool:
    if one.samefile(other):
        return True
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(_CHUNK):
            if chunk != second.read(_CHUNK):
                return False
    return True


def _link_or_copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), temporary)  # costs no space where both are on one disk
    except OSError:
        shutil.copyfile(source, temporary)
    temporary.replace(target)


def _moved(item: Item, places: dict[str, str]) -> Item:
    change = {
        "video": places.get(item.video, item.video) if item.video else None,
        "audio": places.get(item.audio, item.audio) if item.audio else None,
        "audios": tuple(places.get(path, path) for path in item.audios),
    }
    return item.model_copy(update=change)
