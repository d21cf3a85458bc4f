"""What MkDocs needs beside `docs/`: pages that lie elsewhere in the repository, and links to them.

Named as a hook in `mkdocs.yml`. In the repository the Markdown files link one another by their
places there; on the site some of them are pages, and the others are named without a link.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

__all__ = ["on_files", "on_page_markdown"]

ROOT: Final = Path(__file__).parents[1]
_PAGES: Final = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/README.md": "examples.md",
}
"""Files of the repository that are pages of the site, too."""

_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")
_GENERATOR: Final = re.compile(
    r"<!-- \[\[\[cog.*?\]\]\] -->\n|<!-- \[\[\[end\]\]\] -->\n?", re.DOTALL
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside the documentation's folder."""
    from mkdocs.structure.files import File

    for source, page in _PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to where things are on the site, and leave out what generates tables."""
    uri = page.file.src_uri
    source = next((name for name, at in _PAGES.items() if at == uri), f"docs/{uri}")
    text = _GENERATOR.sub("", markdown)
    return _LINK.sub(lambda found: _led(found, source, uri), text)


def _led(found: re.Match[str], source: str, uri: str) -> str:
    """Return a link as the site has it."""
    shown, to, anchor = found[1], found[2], found[3] or ""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(source), to))
    if place in _PAGES:
        target = _PAGES[place]
    elif place.startswith("docs/"):
        target = place.removeprefix("docs/")
        if (ROOT / place).is_dir():
            target = f"{target}/index.html"
    elif (ROOT / place).exists():  # a file of the repository that is no page
        return f"{shown} (`{place}` in the repository)"
    else:
        return found[0]  # the strict build names it
    return f"[{shown}]({posixpath.relpath(target, posixpath.dirname(uri) or '.')}{anchor})"
