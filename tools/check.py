"""The checks of CI and of pre-commit: `python tools/check.py [NAME ...]`; without a name, all.

Types and imports are checked of the package as it is installed, so that the folders that lie
beside `aurelia_plugin` in a checkout are seen where users have them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

__all__ = ["CHECKS", "main"]

ROOT: Final = Path(__file__).parents[1]
_CONFIG: Final = str(ROOT / "pyproject.toml")
_PACKAGED: Final = (
    *("aurelia_plugin", "model_wrappers", "task_yamls"),
    *("pyproject.toml", "README.md", "LICENSE"),
)
_SOURCES: Final = ("tests", "tools", "benchmarks", "examples")
_PATHS: Final = ("tests/helpers", "tests", "tools", "benchmarks")
"""Where these find one another: as pytest's `pythonpath` says, and Python of scripts."""


class Checker:
    """Runs the checks with the tools of this Python's environment."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    @cached_property
    def _empty(self) -> Path:
        """A folder without any module that could hide an installed one."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    @cached_property
    def _installed(self) -> Path:
        """A folder with this package as it is installed, and nothing else."""
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        # A copy: what an earlier build left in the checkout would be installed, too.
        for name in _PACKAGED:
            place = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            place(ROOT / name, folder / "copy" / name)
        pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
        target = folder / "site"
        self._run(*pip, "install", "--no-deps", "--target", str(target), str(folder / "copy"))
        return target

    def format(self) -> None:
        """Every file is formatted."""
        self._run("-m", "ruff", "format", "--check", ".")

    def lint(self) -> None:
        """No rule of ruff is broken."""
        self._run("-m", "ruff", "check", ".")

    def types(self) -> None:
        """The types of package, tests, tools, benchmarks and examples fit together."""
        paths = [str(self._installed), *(str(ROOT / path) for path in _PATHS)]
        self._run(
            *("-m", "mypy", "--config-file", _CONFIG, "--explicit-package-bases"),
            *("--cache-dir", str(ROOT / ".mypy_cache" / "installed")),
            str(self._installed / "aurelia_plugin"),
            *(str(ROOT / source) for source in _SOURCES),
            cwd=self._empty,
            environment={"MYPYPATH": os.pathsep.join(paths)},
        )

    def imports(self) -> None:
        """Every room imports only what it may."""
        self._run(
            *("-c", "from importlinter.cli import lint_imports_command as main; main()"),
            *("--no-cache", "--no-logo", _CONFIG),
            cwd=self._empty,
            environment={"PYTHONPATH": str(self._installed)},
        )

    def docs(self) -> None:
        """The generated parts of the documentation are those of the code."""
        pages = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))]
        self._run("-m", "cogapp", "--check", "-I", "tools", "README.md", "CONTRIBUTING.md", *pages)

    def site(self) -> None:
        """The documentation site is built, and no link in it leads nowhere."""
        target = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        quiet = {"NO_MKDOCS_2_WARNING": "1"}  # of its theme, about a version that is ruled out
        words = ("build", "--strict", "--quiet", "--site-dir", str(target))
        self._run("-m", "mkdocs", *words, environment=quiet)

    def _run(
        self, *words: str, cwd: Path = ROOT, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        subprocess.run(
            [sys.executable, *words], cwd=cwd, env={**os.environ, **environment}, check=True
        )


CHECKS: Final[Mapping[str, Callable[[Checker], None]]] = MappingProxyType(
    {
        "format": Checker.format,
        "lint": Checker.lint,
        "types": Checker.types,
        "imports": Checker.imports,
        "docs": Checker.docs,
        "site": Checker.site,
    }
)


def main() -> int:
    """Run the named checks; return 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CHECKS))
    names = parser.parse_args().names or list(CHECKS)
    if unknown := set(names) - set(CHECKS):
        parser.error(f"no check: {', '.join(sorted(unknown))}; choose from {', '.join(CHECKS)}")
    failed = []
    with ExitStack() as stack:
        checker = Checker(stack)
        for name in names:
            print(f"== {name}", flush=True)
            try:
                CHECKS[name](checker)
            except subprocess.CalledProcessError:
                failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
