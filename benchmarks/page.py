"""How quick the page of a comparison is with many questions, in headless Chromium.

    python benchmarks/page.py [QUESTIONS]

Prints one JSON object: seconds to write the page (without media), megabytes that are loaded to
show the table, and medians of five fresh browsers, in seconds: opening until rows can be seen, one
search over all questions, one sort, and opening a question whose part of the data is not loaded.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "helpers"))

from making_comparisons import comparison
from playwright.sync_api import sync_playwright

from aurelia_plugin.compare.outputs.page import write_page

__all__ = ["main"]

_RUNS = 5


def main(questions: int) -> dict[str, Any]:
    """Return the figures for a page of this many questions."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        made = comparison(questions)
        started = time.perf_counter()
        path = write_page(made, Path(folder), media="none")
        written = time.perf_counter() - started
        files = [Path(folder, "page", "data", f"{name}.js") for name in ("rows", "summary")]
        loaded = sum(file.stat().st_size for file in files)
        runs = []
        for _ in range(_RUNS):
            browser = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            runs.append(_once(browser, path.as_uri()))
            browser.close()
    return {
        "questions": questions,
        "write_s": round(written, 2),
        "loaded_mb": round(loaded / 1e6, 1),
        **{key: round(median(run[key] for run in runs), 3) for key in runs[0]},
    }


def _once(browser: Any, address: str) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    marks = {}

    def timed(name: str, act: Any, shown: str) -> None:
        started = time.perf_counter()
        act()
        page.wait_for_selector(shown)
        marks[name] = time.perf_counter() - started

    timed("open_s", lambda: page.goto(f"{address}#questions", wait_until="commit"), ".row")
    last = page.locator("#count").inner_text().split()[0]
    timed("search_s", lambda: page.fill("#search", "4"), f"#count:not(:has-text('{last} of'))")
    page.click("#reset")
    timed("sort_s", lambda: page.click("[data-sort=score]"), "[aria-sort=ascending]")
    timed("question_s", lambda: page.locator(".row").nth(5).click(), ".question")
    return marks


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_500)))
