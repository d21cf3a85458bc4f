"""The command blocks of README and documentation, run as they stand.

    python tools/doc_commands.py --list             # which can run without network, and which not
    python tools/doc_commands.py README.md          # run those of a page, in a folder of their own
    python tools/doc_commands.py --quick            # those that take a second or two, of all pages

Blocks of a page run one after the other in one folder, with few questions, and this Python's
environment first on the path.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Block", "aurelia_commands", "blocks", "pages", "run"]

ROOT: Final = Path(__file__).parents[1]

_BLOCK: Final = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)
_AWAY: Final = re.compile(
    r"pip install|git clone|\bhf |https?://|vllm|gemini|hf:|qwen|vita\b|openai:|transformers:"
    r"|--repo |--weights |accelerate|SBATCH|--engine ray|pre-commit|\.ci/run|docker|mkdocs serve"
    r"|vl2"
)
"""What needs a network, a GPU, weights and a system's code, or another machine."""
_TO_FILL_IN: Final = re.compile(
    r"\b[A-Z][A-Z_]{2,}\b|\.\.\.|/path/|my-(questions|benchmark|traces)|mine|\bDIR\b|pytest|tests/"
)
"""What a reader has to replace, or what the tests do anyhow."""
_LONG: Final = re.compile(r"tools/(train|report|simulate|example)|benchmarks/|capacity\.py")
_INSTALLING: Final = re.compile(
    r"(python3 -m venv \S+|(\.venv/bin/)?pip install [^&\n]*)( && |\n|$)"
)
"""Left out: this Python's environment has it."""
_NAMES: Final = frozenset({"AVREASONBENCH_MINI_SEED", "AURELIA_CACHE"})
_QUICK: Final = re.compile(r"^(aurelia (models|doctor|reported|tasks-path|data schema)\b.*|#.*|)$")
_LIMIT_S: Final = 1800


class Block(NamedTuple):
    """One block of commands.

    Attributes:
        page: the file, as a path in the repository.
        line: the first line of its text.
    """

    page: str
    line: int
    text: str

    @property
    def commands(self) -> str:
        """What is to be run of it, where all is installed."""
        return _INSTALLING.sub("", self.text).replace(".venv/bin/", "")

    @property
    def why_not(self) -> str:
        """Why it cannot run here; empty where it can."""
        text = self.commands
        if not text.strip():
            return "installs"
        for name in _NAMES:
            text = text.replace(name, "")
        for why, pattern in (
            ("needs more than this machine", _AWAY),
            ("has places to fill in", _TO_FILL_IN),
            ("takes long", _LONG),
        ):
            if pattern.search(text):
                return why
        return ""

    @property
    def quick(self) -> bool:
        """Whether all of it takes seconds."""
        return all(_QUICK.match(line) for line in self.text.splitlines())


def pages() -> list[Path]:
    """Return the pages that hold commands for users."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found += [ROOT / "examples" / "README.md"]
    return [path for path in found if "example-study" not in path.parts]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the command blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        yield Block(str(page.relative_to(ROOT)), line, found[1])


def aurelia_commands(block: Block) -> Iterator[list[str]]:
    """Yield the arguments of each `aurelia` command of a block.

    Commands in forms, such as `DIR...` or `a | b`, are left out.
    """
    whole = block.text.replace("\\\n", " ")
    for line in whole.splitlines():
        words = line.strip()
        words = words.removeprefix(".venv/bin/")
        if not words.startswith("aurelia ") or re.search(r"\.\.\.| \| ", words.split(" #")[0]):
            continue
        yield shlex.split(words, comments=True)[1:]


def run(chosen: Sequence[Block], folder: Path) -> int:
    """Run blocks one after the other in a folder; return how many failed."""
    failed = 0
    surroundings = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AVREASONBENCH_MINI_ITEMS": "2",
        "AURELIA_CACHE": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
    }
    for name in ("examples", "docs", "tools"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    for block in chosen:
        print(f"== {block.page}:{block.line}", flush=True)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.commands],
            cwd=folder,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        if done.returncode:
            failed += 1
            print(f"{block.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
            print(f"failed: {block.page}:{block.line}, exit status {done.returncode}")
    return failed


def main() -> int:
    """Run the chosen blocks; return 1 if one fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", type=Path, help="default: all")
    parser.add_argument("--list", action="store_true", help="run nothing")
    parser.add_argument("--quick", action="store_true", help="only what takes seconds")
    options = parser.parse_args()
    failed = count = 0
    for page in [path.resolve() for path in options.pages] or pages():
        found = list(blocks(page))
        if options.list:
            for block in found:
                print(f"{block.page}:{block.line}: {block.why_not or 'runs'}")
            continue
        chosen = [b for b in found if not b.why_not and (b.quick or not options.quick)]
        count += len(chosen)
        with tempfile.TemporaryDirectory() as folder:
            failed += run(chosen, Path(folder))
    if not options.list:
        print(f"{count} blocks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
