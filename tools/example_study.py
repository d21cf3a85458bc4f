"""Copy the parts of a study that are worth reading into the documentation.

    python tools/example_study.py STUDY docs/example-study

Paths of the machine on which it was made are left out.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

__all__ = ["copy_study"]

KEPT = (
    "index.html",
    "page",
    "tables",
    "plots",
    "study.yaml",
    "study.json",
)
_TEXTS = {".js", ".json", ".md", ".csv", ".tex", ".yaml"}
_LARGEST = 6 * 2**20  # bytes


def copy_study(study: Path, into: Path) -> int:
    """Replace `into` by the kept parts of `study`; return their size in bytes.

    Raises:
        SystemExit: it is larger than the documentation should carry, or not a study.
    """
    missing = [name for name in KEPT if not (study / name).exists()]
    if missing:
        raise SystemExit(f"{study}: not a finished study, {', '.join(missing)} is missing.")
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for name in KEPT:
        if (study / name).is_dir():
            shutil.copytree(study / name, into / name)
        else:
            shutil.copyfile(study / name, into / name)
    for path in into.rglob("*"):
        if path.suffix in _TEXTS:
            _without_places(path, study.resolve())
    size = sum(path.stat().st_size for path in into.rglob("*") if path.is_file())
    if size > _LARGEST:
        raise SystemExit(f"{into}: {size / 2**20:.1f} MB is too much; study fewer items.")
    return size


def _without_places(path: Path, study: Path) -> None:
    """Write the study's own folder as `STUDY`, and the user's cache as `CACHE`."""
    from aurelia_plugin.files.places import cache_dir

    text = path.read_text(encoding="utf-8")
    for place, name in ((study, "STUDY"), (cache_dir(), "CACHE")):
        text = text.replace(str(place), name)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    print(f"{copy_study(Path(sys.argv[1]), Path(sys.argv[2])) / 2**20:.2f} MB")
