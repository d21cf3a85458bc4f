"""Run lmms-eval's own tests with this plugin installed and with it hidden, and compare.

`AURELIA_UPSTREAM_LMMS_EVAL` names a checkout of lmms-eval, whose code and tests are run in this
environment. Exits 1 if any test ends in another way with the plugin, or if none passes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from upstream_export.docs_rows import CHECKOUT

__all__ = ["differences", "main", "outcomes"]

_TOOLS = Path(__file__).resolve().parent


def outcomes(checkout: Path, tests: list[str], *, hidden: bool) -> dict[str, str]:
    """Return test -> passed, failed, error or skipped.

    Args:
        checkout: of lmms-eval.
        tests: what pytest is given, relative to it.
        hidden: whether the plugin is hidden.

    Raises:
        RuntimeError: pytest did not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider"]
        command += ["-o", "addopts=", "--continue-on-collection-errors", f"--junitxml={report}"]
        command += ["-p", "upstream_export.hidden"] if hidden else []
        path = os.pathsep.join([str(checkout), str(_TOOLS)])
        done = subprocess.run(
            command,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.is_file():
            raise RuntimeError(f"pytest did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return read_report(report)


def read_report(report: Path) -> dict[str, str]:
    """Return test -> outcome of a JUnit report."""
    found = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        name = f"{case.get('classname')}::{case.get('name')}"
        found[name] = {"failure": "failed"}.get(kinds[0], kinds[0]) if kinds else "passed"
    return found


def differences(without: Mapping[str, str], with_: Mapping[str, str]) -> list[str]:
    """Return a line for each test that ends in another way with the plugin."""
    absent = "not there"
    return [
        f"{name}: {without.get(name, absent)} without, {with_.get(name, absent)} with the plugin"
        for name in sorted({*without, *with_})
        if without.get(name, absent) != with_.get(name, absent)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tests", nargs="*", default=["test"], help="default: all of them")
    options = parser.parse_args(arguments)
    named = os.environ.get(CHECKOUT, "")
    if not (Path(named) / "lmms_eval").is_dir():
        print(f"Set {CHECKOUT} to a checkout of lmms-eval.")
        return 2
    checkout = Path(named).resolve()
    runs = {hidden: outcomes(checkout, options.tests, hidden=hidden) for hidden in (True, False)}
    for hidden, found in runs.items():
        counts = ", ".join(
            f"{count} {kind}" for kind, count in sorted(Counter(found.values()).items())
        )
        print(f"{'without' if hidden else 'with'} the plugin: {counts}")
    changed = differences(runs[True], runs[False])
    if "passed" not in runs[False].values():
        print("no test passed: nothing was compared")
        return 1
    print("\n".join(changed) or "no difference")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
