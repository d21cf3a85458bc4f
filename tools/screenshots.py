"""Renew the picture of a study's page that README and documentation show.

    python tools/screenshots.py STUDY [docs/images/page.png]

Needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

__all__ = ["shoot"]

ROOT: Final = Path(__file__).parents[1]
_SIZE: Final = (1100, 760)


def shoot(study: Path, into: Path) -> None:
    """Take a picture of the top of a study's page.

    Raises:
        SystemExit: there is no page, or no Chromium.
    """
    from playwright.sync_api import sync_playwright

    page = study / "index.html"
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not page.is_file() or program is None:
        raise SystemExit(f"{page}, or a chromium on the PATH, is missing.")
    into.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        width, height = _SIZE
        shown = browser.new_page(viewport={"width": width, "height": height})
        shown.goto(page.resolve().as_uri())
        shown.wait_for_selector(".cards, table")
        shown.screenshot(path=into)
        browser.close()


if __name__ == "__main__":
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs/images/page.png"
    shoot(Path(sys.argv[1]), target)
    print(target)
