"""A comparison as a folder to look through: result object, tables, plots and page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from aurelia_plugin.compare.outputs.page import write_page
from aurelia_plugin.compare.outputs.page.clips import ClipFiles
from aurelia_plugin.compare.outputs.plots import write_plots
from aurelia_plugin.compare.outputs.tables import write_tables
from aurelia_plugin.compare.result import Comparison

__all__ = ["write_report"]


def write_report(
    comparison: Comparison,
    folder: Path,
    *,
    title: str = "",
    media: ClipFiles = "link",
    thumbnails: bool = True,
    provenance: Mapping[str, object] | None = None,
    say: Callable[[str], object] = lambda text: None,
) -> Path:
    """Write everything that is made of a comparison, and return the page's path.

    The arguments are those of `write_page`.

    Raises:
        ConfigError: matplotlib is not installed.
        OSError: the folder cannot be written to.
    """
    comparison.write(folder)
    write_tables(comparison, folder / "tables")
    plots = write_plots(comparison, folder / "plots")
    return write_page(
        comparison,
        folder,
        title=title,
        plots=plots,
        media=media,
        thumbnails=thumbnails,
        provenance=provenance,
        say=say,
    )
