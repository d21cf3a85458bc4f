"""The Python environments of sidecars: requirement files, and venvs made from them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import SpecifierSet

from aurelia_plugin.atomic import write_atomically
from aurelia_plugin.digests import digest_of
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.paths import cache_dir

__all__ = ["ENVIRONMENTS", "Environment", "create", "environment", "environment_python", "names"]

ENVIRONMENTS = Path(__file__).parent / "environments"
_MARK = "aurelia-environment.json"


class Environment(NamedTuple):
    """One requirements file.

    Attributes:
        name: the file's name without `.txt`.
        path: the file, in pip's format.
        pythons: versions of Python that its pins are made for (`# python:` in the file).
        imports: modules that have to be importable afterwards (`# imports:`).
        programs: programs that have to be on the PATH (`# programs:`).
    """

    name: str
    path: Path
    pythons: SpecifierSet
    imports: tuple[str, ...]
    programs: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its venv is by default: in the user's cache."""
        return cache_dir() / "environments" / self.name


def names() -> list[str]:
    """Return the names of the environments."""
    return sorted(path.stem for path in ENVIRONMENTS.glob("*.txt"))


def environment(name: str) -> Environment:
    """Return an environment.

    Raises:
        ConfigError: if there is none of this name.
    """
    path = ENVIRONMENTS / f"{name}.txt"
    if name not in names():
        raise ConfigError(
            f"There is no environment {name!r}.", f"Use one of: {', '.join(names())}."
        )
    text = path.read_text(encoding="utf-8")
    return Environment(
        name,
        path,
        SpecifierSet(",".join(_listed(text, "python"))),
        tuple(_listed(text, "imports")),
        tuple(_listed(text, "programs")),
    )


def _listed(text: str, key: str) -> list[str]:
    lines = re.findall(rf"^# {key}:(.*)$", text, re.MULTILINE)
    return [item for line in lines for item in re.split(r"[,\s]+", line.strip()) if item]


def environment_python(name: str) -> Path | None:
    """Return the interpreter of an environment that `create` has finished, None if there is none.

    Raises:
        ConfigError: if there is no environment of this name.
    """
    folder = environment(name).folder
    python = _python_of(folder)
    return python if (folder / _MARK).is_file() and python.is_file() else None


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def create(
    name: str, *, python: str | None, folder: Path | None, say: Callable[[str], None]
) -> Path:
    """Make an environment's venv with pip, check its imports, and return its interpreter.

    A venv that is there is brought up to date; one that is finished is only checked.

    Args:
        name: the environment.
        python: the interpreter that the venv is made from; by default this one.
        folder: where; by default in the user's cache, where backends find it by themselves.
        say: told what is being done.

    Raises:
        ConfigError: if the Python does not fit, a step failed, or a module cannot be imported.
    """
    made = environment(name)
    place = folder or made.folder
    base = python or sys.executable
    own = _python_of(place)
    if not own.is_file():
        _check_version(made, base)
        say(f"{name}: making {place} from {base}")
        _step([base, "-m", "venv", str(place)], f"{base} cannot make a venv")
    mark = {"requirements": digest_of([made.path.read_text(encoding="utf-8")])}
    if _marked(place) != mark:
        (place / _MARK).unlink(missing_ok=True)
        say(f"{name}: installing {made.path.name} (this downloads some gigabytes)")
        _install(made, own)
    _check_imports(made, own)
    write_atomically(place / _MARK, json.dumps(mark).encode())
    say(f"{name}: ready; {len(made.imports)} modules can be imported: {own}")
    return own


def _install(made: Environment, python: Path) -> None:
    """Run pip; what it says goes where this process's own output goes, for it takes minutes."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    if subprocess.run([*command, "-r", str(made.path)], check=False).returncode:
        raise ConfigError(
            f"pip could not install {made.path}; its own lines above say why.",
            "Correct what they name, and repeat: what is installed already stays.",
        )


def _marked(place: Path) -> object:
    try:
        return json.loads((place / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _check_version(made: Environment, base: str) -> None:
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    version = _step([base, "-c", code], f"{base} is no Python").strip()
    if version not in made.pythons:
        raise ConfigError(
            f"The environment {made.name} is made for Python {made.pythons}; {base} is {version}.",
            "Name another interpreter with --python.",
        )


def _check_imports(made: Environment, python: Path) -> None:
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except BaseException as error:\n"
        "        print(name, type(error).__name__, error, sep=': ')\n"
    )
    output = _step([str(python), "-c", code, *made.imports], f"{python} does not run")
    failed = [line for line in output.splitlines() if line.split(":")[0] in made.imports]
    if failed:
        raise ConfigError(
            f"{made.name}: not importable: {'; '.join(failed)}.",
            f"Remove {python.parent.parent} and run `aurelia sidecar create {made.name}` again.",
        )


def _step(command: list[str], failure: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ConfigError(
            f"{failure}: {error}", "Name another interpreter with --python."
        ) from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        last = "\n".join(lines[-15:])
        raise ConfigError(f"{failure}:\n{last}", "Correct what the lines above name, and repeat.")
    return done.stdout
