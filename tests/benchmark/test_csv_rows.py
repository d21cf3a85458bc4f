"""Tables of text: whatever the separator, every cell is read as it was written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.benchmark.data.csv_rows import csv_rows
from aurelia_plugin.files.text_lines import LineError

_TITLES = ("id", "question", "answer", "A", "B")
_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_ROWS = st.lists(st.lists(_CELL, min_size=1, max_size=5).filter(any), max_size=5)


@given(_ROWS, st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-8-sig"]), st.booleans())
def test_every_cell_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    separator: str,
    encoding: str,
    quoted: bool,
) -> None:
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        if quoted:
            writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL)
        writer.writerows([_TITLES, *rows])
    found = [dict(row.cells) for row in csv_rows(path)]
    assert found == [dict(zip(_TITLES, row, strict=False)) for row in rows]


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("a,b\n1,2\n1,2,3\n", 3, "has 3 cells, and the head has 2: a cell with a comma in it"),
        ("a;b\n1;2;3\n", 2, "a cell with a semicolon in it"),
        ('a,b\n"1,2\n3,4\n', 3, "a quotation mark is not closed"),
        ('a,b\n"1"2,3\n', 2, "',' expected after"),
        ("a,b,a\n1,2,3\n", 1, "two columns are called 'a'"),
    ],
)
def test_a_row_that_cannot_be_told_is_named(
    text: str, line: int, cause: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(LineError) as caught:
        list(csv_rows(path))
    assert caught.value.line == line
    assert cause in caught.value.cause


def test_rows_without_a_text_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a;b\n\n;;\n".replace(";;", ";") + "1;2\n")
    assert [(row.line, dict(row.cells)) for row in csv_rows(path)] == [(4, {"a": "1", "b": "2"})]
