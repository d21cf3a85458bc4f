"""Where vLLM is installed."""

from __future__ import annotations

from pathlib import Path

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.environments import ENGINES, environment_python, names

__all__ = ["found_python"]


def found_python(named: str | None) -> Path | None:
    """Return the interpreter that is named, else that of an environment made here, else None.

    Raises:
        ConfigError: if the one that is named is not there.
    """
    if named is not None:
        python = Path(named).expanduser()
        if not python.is_file():
            raise ConfigError(
                f"python={named}: there is no such file.",
                "Name the interpreter of an environment with vLLM.",
            )
        return python.absolute()
    made = (environment_python(name, ENGINES) for name in sorted(names(ENGINES)))
    return next((python for python in made if python is not None), None)
