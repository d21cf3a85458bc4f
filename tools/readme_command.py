"""Print a command of the README, so that the gate runs what users are told to run.

Usage: readme_command.py NAME, where the README has `<!-- command: NAME -->` above a code block.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def main() -> int:
    """Print the block and return 0, or 1 if there is none."""
    name = re.escape(sys.argv[1])
    pattern = rf"<!-- command: {name} -->\s*```bash\n(.*?)```"
    found = re.search(pattern, README.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        print(f"README.md has no command named {sys.argv[1]}.", file=sys.stderr)
        return 1
    print(found[1].strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
