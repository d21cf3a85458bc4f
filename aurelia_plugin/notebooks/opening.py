"""Results from the folders in which commands left them."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.result import COMPARISON, Comparison
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.notebooks.results import Results

__all__ = ["open_run", "open_study"]


def open_study(folder: str | PathLike[str], target: str | None = None) -> Results:
    """Open what `aurelia study` or `aurelia compare --out` has left in a folder.

    Args:
        target: which target, in a study of several: a folder's name in `targets`.

    Raises:
        ConfigError: there is no comparison, or there are several and none is chosen.
    """
    place = Path(folder).expanduser()
    several = sorted(path.parent.name for path in place.glob(f"targets/*/{COMPARISON}"))
    if several and target not in several:
        raise ConfigError(
            f"{place}: a study of {len(several)} targets.",
            f"Give one as target: {', '.join(several)}.",
        )
    return Results(Comparison.read(place / "targets" / target if several and target else place))


def open_run(
    folder: str | PathLike[str] | Mapping[str, str | PathLike[str]], options: Options | None = None
) -> Results:
    """Open what lmms-eval has left in the folder that `--output_path` named.

    Args:
        folder: of one run, or several of them by name, which are then compared.
        options: how they are compared.

    Raises:
        ConfigError: a run cannot be read, or the runs cannot be compared.
    """
    if isinstance(folder, Mapping):
        places = {name: Path(place).expanduser() for name, place in folder.items()}
    else:
        place = Path(folder).expanduser()
        places = {place.resolve().name: place}
    return Results(compare(places, options))
