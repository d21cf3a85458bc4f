"""Upstream's form of Python files: black at 240 columns and isort."""

from __future__ import annotations

import re
import subprocess
import sys

__all__ = ["formatted"]

_COLUMNS = 240
_LONG_STRING = re.compile(r"(\w+(?:: Final)? = )(\"(?:[^\"\\]|\\.)*\")\n")
_FIRST_PARTY = "--config=lint.isort.known-first-party=['lmms_eval']"


def formatted(source: str) -> str:
    """Return a module as black at 240 columns and isort leave it.

    Ruff's formatter agrees with black but for strings that are longer than a line.
    """
    for command in (
        ["check", "--select=I", "--fix", "--exit-zero", "--quiet", _FIRST_PARTY],
        ["format", f"--line-length={_COLUMNS}", "--quiet"],
    ):
        source = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--stdin-filename=x.py", "-"],
            input=source,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    return "".join(_wrapped(line) for line in source.splitlines(keepends=True))


def _wrapped(line: str) -> str:
    long = _LONG_STRING.fullmatch(line)
    return f"{long[1]}(\n    {long[2]}\n)\n" if long and len(line) > _COLUMNS + 1 else line
