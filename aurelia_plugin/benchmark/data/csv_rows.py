"""Tables of text as people's programs write them: cells between commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from aurelia_plugin.files.regular import read_regular
from aurelia_plugin.files.shown import shown
from aurelia_plugin.files.text_lines import LineError, decoded

__all__ = ["CSV_ENDINGS", "CsvRow", "csv_rows"]

CSV_ENDINGS: Final = frozenset({".csv", ".tsv"})

_SEPARATORS: Final = {",": "comma", ";": "semicolon", "\t": "tab"}
_MOST_BYTES: Final = 256 * 2**20


class CsvRow(NamedTuple):
    """A row's cells by the titles of their columns, and the line on which it ends, from 1."""

    line: int
    cells: Mapping[str, str]


def csv_rows(path: Path) -> Iterator[CsvRow]:
    """Yield the rows of a table with a head; cells at the end of a row may be left out.

    The separator is the one that gives the head most cells.

    Raises:
        OSError: the file cannot be read.
        LineError: it is not UTF-8, a quotation mark is not closed, two columns have one title, or
            a row has more cells than the head.
    """
    text = decoded(1, read_regular(path, _MOST_BYTES))
    separator = _separator(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        head = [title.strip() for title in next(reader, [])]
        doubled = [title for title, count in Counter(head).items() if count > 1 and title]
        if doubled:
            raise LineError(1, f"two columns are called {shown(doubled[0], 60)!r}")
        for cells in reader:
            if len(cells) > len(head):
                raise LineError(
                    reader.line_num,
                    f"has {len(cells)} cells, and the head has {len(head)}: a cell with a "
                    f"{_SEPARATORS[separator]} in it has to stand in quotation marks",
                )
            if any(cells):
                yield CsvRow(reader.line_num, dict(zip(head, cells, strict=False)))
    except csv.Error as error:
        unclosed = "a quotation mark is not closed"
        cause = unclosed if "end of data" in str(error) else str(error)
        raise LineError(reader.line_num, cause) from error


def _separator(head: str) -> str:
    """Return the separator that gives most cells; of several the first in `_SEPARATORS`."""
    return max(_SEPARATORS, key=head.count)
