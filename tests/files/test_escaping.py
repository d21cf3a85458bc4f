"""Text for terminals, JSON, spreadsheets, Markdown and LaTeX."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.markdown import Markdown

from aurelia_plugin.files.escaping import (
    for_csv,
    for_json,
    for_latex,
    for_markdown,
    for_terminal,
    from_csv,
)

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ANY = st.text(st.characters())
"""Any text, lone surrogates too."""


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred",
        "\x1b]0;title\x07",
        "\x1b]8;;http://evil\x1b\\link",
        "\x9b31m",
        "\x90q\x9c",
        "over\rwritten",
        "back\b\b",
        "\x7f",
        "\x00",
        f"a{BIDI}b",
        "a\u2028b\u2029c",
        "\udc80\ud800",
        "\x0b\x0c",
    ],
)
def test_no_control_reaches_a_terminal(text: str) -> None:
    shown = for_terminal(text)
    assert not set(shown) & {*map(chr, range(32)), *map(chr, range(127, 160)), *BIDI}
    assert "\N{REPLACEMENT CHARACTER}" in shown
    shown.encode("utf-8")


def test_what_languages_need_stays() -> None:
    text = "naïve 日本語 हिन्दी नहीं\u200c\u200d שלום\u200f 👩\u200d👩 tab\there\nline"
    assert for_terminal(text) == text


@given(ANY)
def test_a_terminal_gets_nothing_but_text(text: str) -> None:
    shown = for_terminal(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cs"} or c in "\n\t" for c in shown)
    assert len(shown) == len(text)
    assert for_terminal(shown) == shown


@given(st.recursive(ANY | st.integers() | st.none(), lambda one: st.lists(one, max_size=3)))
def test_json_keeps_its_data(value: object) -> None:
    for ascii_only in (True, False):
        shown = for_json(json.dumps(value, ensure_ascii=ascii_only, indent=1))
        assert json.loads(shown) == value
        assert for_terminal(shown) == shown


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1", "\u3000=1", "＝1", "'=1", "''-1"],  # noqa: RUF001
)
def test_no_cell_begins_a_formula(cell: str) -> None:
    assert for_csv(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "1-2", "'quoted'", "it's", "a@b"])
def test_other_cells_stay(cell: str) -> None:
    assert for_csv(cell) == cell


@given(ANY)
def test_a_cell_can_be_read_again(text: str) -> None:
    assert from_csv(for_csv(text)) == text.replace("\0", "\ufffd")
    assert for_csv(text).lstrip()[:1] not in {"=", "+", "-", "@"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_a_row_can_be_read_again(cells: list[str]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([for_csv(cell) for cell in cells])
    if cells != [""]:
        (row,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
        assert [from_csv(cell) for cell in row] == [cell.replace("\0", "\ufffd") for cell in cells]


@pytest.mark.parametrize(
    "text",
    [
        "*a* _b_ `c` ~~d~~",
        "[x](http://evil)",
        "![x](http://evil/a.png)",
        "<script>alert(1)</script>",
        "# title",
        "- item",
        "+ item",
        "1. item",
        "1) item",
        "> quoted",
        "a|b",
        "&lt;",
        "\\*",
        "http://evil.example",
        "$x$",
    ],
)
def test_markdown_shows_the_text_itself(text: str) -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(Markdown(for_markdown(text)))
    assert out.getvalue().strip() == text


@given(ANY)
def test_a_cell_of_a_markdown_table_stays_one(text: str) -> None:
    shown = for_markdown(text)
    assert "\n" not in shown
    assert for_terminal(shown) == shown
    assert re.fullmatch(r"(?:\\.|[^|\\])*", shown)  # every bar is escaped


def test_latex_typesets_the_text_itself() -> None:
    assert for_latex("50% of $5 & a_b #1 {x} ~ ^ \\ <a|b>") == (
        r"50\% of \$5 \& a\_b \#1 \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"\textless{}a\textbar{}b\textgreater{}"
    )
    assert for_latex("a\n\x1b[0m---b") == "a ?[0m-{}-{}-b"


@given(ANY)
def test_latex_has_no_special_character_of_the_text(text: str) -> None:
    shown = for_latex(text.replace("\\", ""))
    bare = shown.replace("{}", "")
    for char in "&%$#_{}":
        assert bare.replace(f"\\{char}", "").count(char) == 0
    assert "~" not in shown
    assert "^" not in shown
    assert "--" not in shown
    assert "\n" not in shown
