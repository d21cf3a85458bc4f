"""Escaping of text for what reads it: a terminal, JSON, a spreadsheet, Markdown, LaTeX.

Questions, replies, file names and services' messages are strangers' text. What each reader would
take for an instruction is made plain here, and nowhere else.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["for_csv", "for_json", "for_latex", "for_markdown", "for_terminal", "from_csv"]

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

_CONTROLS: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f"  # C0 but tab and line feed: escape sequences, carriage return
    "\x80-\x9f"  # C1: one character that begins an escape sequence
    "\u2028\u2029"  # separators of lines and paragraphs
    "\u202a-\u202e\u2066-\u2069"  # bidirectional embeddings, overrides and isolates
    "\ufff9-\ufffb"  # interlinear annotations
    "\ud800-\udfff"  # lone surrogates, which no output can carry
    "]"
)
_FORMULA: Final = re.compile(
    r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])"  # noqa: RUF001 - spreadsheets read full-width signs, too
)
_MARKDOWN: Final = re.compile(
    r"([\\`*_{}\[\]<>#|~&!$]"  # everywhere
    r"|^[+-](?=\s)|(?<=^\d)[.)]"  # the beginning of a list's line
    r"|:(?=//))"  # an address that would become a link
)
_LATEX: Final = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    REPLACEMENT: "?",  # which pdfLaTeX does not know
}


def for_terminal(text: str) -> str:
    """Return text that a terminal shows as it is; each control character becomes U+FFFD.

    Line feeds and tabs stay.
    """
    return _CONTROLS.sub(REPLACEMENT, text)


def for_json(document: str) -> str:
    r"""Return a JSON document whose control characters are written as `\u` escapes: equal data."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match.group()):04x}", document)


def for_csv(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe where it would.

    NUL, which Python's own writer refuses before 3.11 and spreadsheets stop at, is replaced.

    Source: OWASP, "CSV Injection".
    """
    cell = cell.replace("\0", REPLACEMENT)
    return f"'{cell}" if _FORMULA.match(cell) else cell


def from_csv(cell: str) -> str:
    """Return the text of which `for_csv` made the cell, but for NUL."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def for_markdown(text: str) -> str:
    """Return text that Markdown shows as it is, on one line, in a table's cell too."""
    return _MARKDOWN.sub(r"\\\1", _one_line(text))


def for_latex(text: str) -> str:
    """Return text that LaTeX typesets as it is, on one line."""
    plain = "".join(_LATEX.get(char, char) for char in _one_line(text))
    return re.sub("-(?=-)", "-{}", plain)  # two hyphens would become a dash


def _one_line(text: str) -> str:
    return for_terminal(" ".join(text.split()))
