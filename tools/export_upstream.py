"""Write what goes upstream to lmms-eval: a tree for each contribution, from this project's sources.

`python tools/export_upstream.py OUT` makes `OUT/<letter>_<name>`; laid over a checkout of
lmms-eval, each is one pull request, whose text is in docs/upstream.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from upstream_export.contributions import CONTRIBUTIONS

__all__ = ["export", "main"]


def export(target: Path) -> list[Path]:
    """Write every contribution's tree below `target`, and return their folders.

    Raises:
        OSError: something cannot be written.
        ValueError: the installed lmms-eval is none that a patch fits.
    """
    folders = []
    for contribution in CONTRIBUTIONS:
        folder = target / contribution.folder
        for path, content in contribution.files().items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        folders.append(folder)
    return folders


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="a folder, made where there is none")
    for folder in export(parser.parse_args(arguments).out):
        print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
