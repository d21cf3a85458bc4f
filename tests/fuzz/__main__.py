"""`python tests/fuzz --seconds 600`: fuzzing guided by coverage; needs `pip install atheris`.

Each property gets an equal share of the time in a process of its own. Prints, as JSON, how many
inputs each has seen and what broke it; the inputs that did are kept in the folder that is named.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_TESTS = str(Path(__file__).parents[1])

_CHILD = """
import sys
import atheris
name = sys.argv.pop(1)
with atheris.instrument_imports(include=["aurelia_plugin", "json_repair"]):
    from fuzz.properties import PROPERTIES
import logging
logging.disable(logging.CRITICAL)
atheris.Setup(sys.argv, PROPERTIES[name])
atheris.Fuzz()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="in all")
    parser.add_argument("--only", help="one property")
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-found")
    options = parser.parse_args()
    sys.path.insert(0, _TESTS)  # as pytest's `pythonpath` does
    from fuzz.properties import PROPERTIES

    names = [options.only] if options.only else list(PROPERTIES)
    options.found.mkdir(parents=True, exist_ok=True)
    rows = [_fuzz(name, options.seconds // len(names), options.found) for name in names]
    sys.stdout.write(json.dumps({"broken": sum(row["broken"] for row in rows), "runs": rows}))
    sys.stdout.write("\n")
    return int(any(row["broken"] for row in rows))


def _fuzz(name: str, seconds: int, found: Path) -> dict[str, object]:
    from fuzz.seeds import TEXTS

    with tempfile.TemporaryDirectory() as corpus:
        # Long inputs are for the tests: instrumented, each would take seconds, and the readers of
        # damaged JSON take more than twice as long for twice the length.
        for number, text in enumerate(text for text in TEXTS if len(text) < 1_000):
            (Path(corpus) / str(number)).write_bytes(text.encode())
        command = [
            sys.executable, "-c", _CHILD, name, corpus,
            f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=4096", "-max_len=512",
            f"-artifact_prefix={found}/{name}-",
        ]  # fmt: skip
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": _TESTS},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    said = done.stderr
    inputs = re.findall(r"^(?:Done |#)(\d+)\s", said, re.MULTILINE)
    if done.returncode:
        sys.stderr.write(f"{name}:\n{said[-3000:]}\n")
    return {
        "property": name,
        "inputs": int(inputs[-1]) if inputs else 0,
        "broken": done.returncode != 0,
    }


if __name__ == "__main__":
    sys.exit(main())
