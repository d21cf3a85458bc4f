"""Python environments of other systems and of engines: requirement files, venvs made from them."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import SpecifierSet

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.redaction import environment_without_secrets

__all__ = [
    "ENGINES",
    "ENVIRONMENTS",
    "Environment",
    "create",
    "environment",
    "environment_python",
    "names",
    "variables",
]

ENVIRONMENTS = Path(__file__).parent / "sidecar" / "environments"
"""The requirement files of sidecars."""
ENGINES = Path(__file__).parent / "vllm" / "environments"
"""Those of engines."""
_NOT_PASSED_ON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""Variables of this process's Python that would lead another one to the wrong packages."""

_HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Passed on nevertheless: other people's code loads weights with them."""

_MARK = "aurelia-environment.json"
_MINORS = range(20, 7, -1)


class Environment(NamedTuple):
    """One requirements file.

    Attributes:
        name: the file's name without `.txt`.
        path: the file, in pip's format.
        pythons: versions of Python that its pins are made for (`# python:` in the file).
        imports: modules that have to be importable afterwards (`# imports:`).
        programs: programs that have to be on the PATH (`# programs:`).
        other_index: one more index of packages, for what pip does not find in its own (`# index:`).
    """

    name: str
    path: Path
    pythons: SpecifierSet
    imports: tuple[str, ...]
    programs: tuple[str, ...]
    other_index: str | None

    @property
    def folder(self) -> Path:
        """Where its venv is by default: in the user's cache."""
        return cache_dir() / "environments" / self.name


def names(files: Path | None = None) -> list[str]:
    """Return the names of the environments whose files lie in a folder, that of sidecars."""
    return sorted(path.stem for path in (files or ENVIRONMENTS).glob("*.txt"))


def environment(name: str, files: Path | None = None) -> Environment:
    """Return an environment.

    Raises:
        ConfigError: if there is none of this name in the folder.
    """
    path = (files or ENVIRONMENTS) / f"{name}.txt"
    if name not in names(files):
        raise ConfigError(
            f"There is no environment {name!r}.", f"Use one of: {', '.join(names(files))}."
        )
    text = path.read_text(encoding="utf-8")
    return Environment(
        name,
        path,
        SpecifierSet(",".join(_listed(text, "python"))),
        tuple(_listed(text, "imports")),
        tuple(_listed(text, "programs")),
        next(iter(_listed(text, "index")), None),
    )


def variables(added: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that runs other people's code: no secrets of this one."""
    passed = environment_without_secrets(os.environ, keep=_HUB_TOKENS)
    kept = {key: value for key, value in passed.items() if key not in _NOT_PASSED_ON}
    return {**kept, "PYTHONNOUSERSITE": "1", "TOKENIZERS_PARALLELISM": "false", **added}


def _listed(text: str, key: str) -> list[str]:
    lines = re.findall(rf"^# {key}:(.*)$", text, re.MULTILINE)
    return [item for line in lines for item in re.split(r"[,\s]+", line.strip()) if item]


def environment_python(name: str, files: Path | None = None) -> Path | None:
    """Return the interpreter of an environment that `create` has finished, None if there is none.

    Raises:
        ConfigError: if there is no environment of this name.
    """
    folder = environment(name, files).folder
    python = _python_of(folder)
    return python if (folder / _MARK).is_file() and python.is_file() else None


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def create(
    made: Environment,
    *,
    python: str | None,
    folder: Path | None,
    say: Callable[[str], None],
    adapt: Callable[[Path], None] | None = None,
) -> Path:
    """Make an environment's venv with pip, check its imports, and return its interpreter.

    A venv that is there is brought up to date; one that is finished is only checked.

    Args:
        made: the environment.
        python: the interpreter that the venv is made from; by default this one, or, where it does
            not fit, the newest on the PATH that does.
        folder: where; by default in the user's cache, where backends find it by themselves.
        say: told what is being done.
        adapt: changes what pip has installed, given the venv's interpreter.

    Raises:
        ConfigError: if no Python fits, a step failed, or a module cannot be imported.
    """
    name = made.name
    place = folder or made.folder
    own = _python_of(place)
    if not own.is_file():
        base = _base(made, python)
        say(f"{name}: making {place} from {base}")
        _step([base, "-m", "venv", str(place)], f"{base} cannot make a venv")
    mark = {"requirements": digest_of([made.path.read_text(encoding="utf-8")])}
    if _marked(place) != mark:
        (place / _MARK).unlink(missing_ok=True)
        say(f"{name}: installing {made.path.name} (this downloads some gigabytes)")
        _install(made, own)
        if adapt is not None:
            adapt(own)
    _check_imports(made, own)
    write_atomically(place / _MARK, json.dumps(mark).encode())
    say(f"{name}: ready; {len(made.imports)} modules can be imported: {own}")
    absent = [program for program in made.programs if shutil.which(program) is None]
    if absent:
        say(f"{name}: not on the PATH, and needed: {', '.join(absent)}")
    return own


def _base(made: Environment, python: str | None) -> str:
    """Return the interpreter to make a venv from: the one named, this one, or one on the PATH."""
    if python is not None:
        version = _version(python)
        if version in made.pythons:
            return python
        seen = f"{python} is {version}"
    else:
        named = (shutil.which(f"python3.{minor}") for minor in _MINORS)
        for candidate in (sys.executable, *filter(None, named)):
            with contextlib.suppress(ConfigError):  # a version manager's may not run
                if _version(candidate) in made.pythons:
                    return candidate
        seen = f"this one is {platform.python_version()}, and none on the PATH fits"
    wanted = next((f"3.{minor}" for minor in _MINORS if f"3.{minor}.0" in made.pythons), "3")
    raise ConfigError(
        f"The environment {made.name} is made for Python {made.pythons}; {seen}.",
        f"Install one (apt-get install python{wanted}-venv; conda create -n py python={wanted}; "
        f"uv python install {wanted}), and name its interpreter with --python.",
    )


def _version(python: str) -> str:
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    return _step([python, "-c", code], f"{python} is no Python").strip()


def _install(made: Environment, python: Path) -> None:
    """Run pip; what it says goes where this process's own output goes, for it takes minutes."""
    # The other index only where it is needed: it may be out of reach where a mirror has everything.
    tries = [[]] if made.other_index is None else [[], ["--extra-index-url", made.other_index]]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "pip.log"
        command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--log", str(log), "-r", str(made.path)]
        # What pip builds is other people's code.
        passed = environment_without_secrets(os.environ)
        for more in tries:
            if not subprocess.run([*command, *more], check=False, env=passed).returncode:
                return
        why = _why(log.read_text(encoding="utf-8") if log.is_file() else "")
    raise ConfigError(
        f"pip could not install {made.path}: {why}",
        "Try another Python with --python and a new folder with --to; or correct a copy of the "
        "file, install it with pip into a venv of your own, and name its interpreter as python=…",
    )


def _why(log: str) -> str:
    """Return pip's last errors and the requirement that it was at, from its log."""
    lines = [line.partition(" ")[2].strip() for line in log.splitlines()]  # without the time
    errors = [line[:200] for line in lines if line.startswith("ERROR: ")][-2:]
    at = [line for line in lines if re.match(r"(Collecting|Building wheel for) ", line)][-1:]
    return "; ".join([*errors, *at]) or "its own lines above say why"


def _marked(place: Path) -> object:
    try:
        return json.loads((place / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


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
            "Install the system's library that they name, if they name one; otherwise remove "
            f"{python.parent.parent} and create it again.",
        )


def _step(command: list[str], failure: str) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=environment_without_secrets(os.environ),
        )
    except OSError as error:
        raise ConfigError(
            f"{failure}: {error}", "Name another interpreter with --python."
        ) from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        last = "\n".join(lines[-15:])
        raise ConfigError(f"{failure}:\n{last}", "Correct what the lines above name, and repeat.")
    return done.stdout
