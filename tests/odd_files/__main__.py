"""Make the odd files, decode them by this package and by ffmpeg, and print what came of it.

`python tests/odd_files --out DIR`; exit status 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from odd_files.catalogue import odd_files
from odd_files.comparing import Finding, compared
from odd_files.reference import make_reference


def _table(findings: list[Finding]) -> Iterator[str]:
    yield f"{'file':32} {'group':14} {'outcome':8} {'melody':>7} {'ffmpeg':>7}  remark"
    for found in findings:
        numbers = (
            f"{'' if value is None else f'{value:.4f}':>7}"
            for value in (found.correlation, found.by_ffmpeg)
        )
        columns = f"{found.name:32} {found.group:14} {found.outcome:8}"
        yield f"{columns} {' '.join(numbers)}  {found.said}"
    yield ""
    groups = dict.fromkeys(found.group for found in findings)
    for group in groups:
        counts = Counter(found.outcome for found in findings if found.group == group)
        yield f"{group:14} " + ", ".join(f"{number} {word}" for word, number in counts.items())
    counts = Counter(found.outcome for found in findings)
    yield f"{'all':14} " + ", ".join(f"{number} {word}" for word, number in counts.items())


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the files and table.txt here")
    parser.add_argument("--only", default="", help="only files whose name or group holds this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        make_reference(folder)
        chosen = [
            odd for odd in odd_files() if options.only in odd.name or options.only in odd.group
        ]
        findings = []
        for number, odd in enumerate(chosen, 1):
            findings.append(compared(odd, folder))
            print(f"{number}/{len(chosen)} {odd.name}", end="\r", file=sys.stderr)
        text = "\n".join(_table(findings)) + "\n"
        print(text)
        if options.out:
            (folder / "table.txt").write_text(text, encoding="utf-8")
    return int(any(found.outcome == "wrong" for found in findings))


if __name__ == "__main__":
    sys.exit(main())
