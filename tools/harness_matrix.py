"""Try the plugin with other versions of lmms-eval: `python tools/harness_matrix.py FOLDER...`.

A FOLDER holds a package `lmms_eval`: a checkout, or an unpacked wheel. Each is put in front of the
installed one, in this environment, and asked two questions of each column of the synthetic
benchmark with the packaged model. Prints a row for each and exits 1 if one does not work.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

__all__ = ["Row", "main", "tried"]


class Row(NamedTuple):
    """What came of one version.

    Attributes:
        works: whether there is a results file.
        score: of the group.
        why: the last line that was said, where there is none.
    """

    folder: str
    works: bool
    score: float | None
    why: str = ""


def tried(folder: Path) -> Row:
    """Run the packaged model on the synthetic benchmark under one version of the harness."""
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "lmms_eval", "--model", "aurelia_embedded"]
        command += ["--model_args", f"condition=aurelia,traces={work}/traces"]
        command += ["--tasks", "avreasonbench_mini", "--limit", "2"]
        command += ["--output_path", f"{work}/out"]
        done = subprocess.run(
            command,
            cwd=work,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = (done.stdout + done.stderr).strip().splitlines()
        results = sorted(Path(work, "out").rglob("*_results.json"))
        if not results:
            return Row(str(folder), False, None, said[-1] if said else "nothing was said")
        group = json.loads(results[-1].read_text())["results"]["avreasonbench_mini"]
        return Row(str(folder), True, float(group["score,none"]))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    rows = [tried(folder.resolve()) for folder in parser.parse_args(arguments).folders]
    print("| lmms-eval | works | score | why not |\n|---|---|---|---|")
    for row in rows:
        score = "" if row.score is None else f"{row.score:.3f}"
        print(f"| {row.folder} | {'yes' if row.works else 'no'} | {score} | {row.why} |")
    return 0 if all(row.works for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
