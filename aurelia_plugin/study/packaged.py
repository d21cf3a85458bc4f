"""The studies that come with the package: YAML files beside this module, found by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["STUDIES", "find_plan", "packaged_plans"]

STUDIES: Final = Path(__file__).parent / "plans"


def packaged_plans() -> tuple[str, ...]:
    """Return the names of the packaged studies, such as `ablations.yaml`."""
    return tuple(sorted(path.name for path in STUDIES.glob("*.yaml")))


def find_plan(path: Path) -> Path:
    """Return a plan's file: the one that is named, else the packaged one of that name."""
    packaged = STUDIES / path.name
    if not path.exists() and path == Path(path.name) and packaged.is_file():
        return packaged
    return path
