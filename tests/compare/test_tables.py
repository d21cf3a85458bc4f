from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from aurelia_plugin.benchmark.reported import reported
from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.outputs.cells import pvalue, share, signed, span
from aurelia_plugin.compare.outputs.tables import latex, markdown, write_tables
from aurelia_plugin.compare.outputs.terminal import show, show_arms
from aurelia_plugin.compare.result import Comparison, Interval

from .making_logs import make_trace, row, write_plugin_run

HOSTILE = "=1+1 | [bold red]x[/] <script>alert(1)</script> \x1b[31m \\input{x} *y*"


@pytest.fixture
def result(tmp_path: Path) -> Comparison:
    def rows(scores: list[int]) -> list[dict[str, object]]:
        return [
            row(k, float(score), column="geoiq" if k < 20 else "meme", video=f"v{k}")
            | {"filtered_resps": HOSTILE, "item": f"i{k}", "category": "Language"}
            for k, score in enumerate(scores)
        ]

    base, gained = [1, 0] * 20, [1, 1, 1, 0] * 10
    traces = [make_trace(f"{k:02d}", [HOSTILE], [8], "accepted") for k in range(40)]
    runs = {
        "none": write_plugin_run(tmp_path / "none", "qa", rows(base), condition="none"),
        "aurelia_&": write_plugin_run(
            tmp_path / "with", "qa", rows(gained), condition="aurelia", traces=traces
        ),
    }
    return compare(runs, Options(draws=300, reported="VITA"))


def test_how_numbers_are_written() -> None:
    assert (share(0.1234), share(None), signed(0.05), signed(-0.0001)) == (
        "12.3",
        "-",
        "+5.0",
        "0.0",
    )
    assert span(Interval(low=-0.01, high=0.2), sign=True) == "-1.0 to +20.0"
    assert [pvalue(p) for p in (0.0004, 0.04, 1.0, None)] == ["<0.001", "0.040", "1.000", "-"]


def test_csv_and_json_hold_every_number(result: Comparison, tmp_path: Path) -> None:
    write_tables(result, tmp_path)
    contrasts = list(csv.DictReader(io.StringIO((tmp_path / "contrasts.csv").read_text())))
    assert len(contrasts) == len(result.contrasts)
    for line, one in zip(contrasts, result.contrasts, strict=True):
        assert float(line["gain"]) == one.gain
        assert line["name"] == one.name
        assert line["interval_low"] == ("" if one.interval is None else str(one.interval.low))
    assert json.loads((tmp_path / "figures.json").read_text())[0]["score"] == 0.5
    items = list(csv.DictReader(io.StringIO((tmp_path / "items.csv").read_text(), newline="")))
    assert len(items) == 80
    assert items[0]["answer"] == f"'{HOSTILE}"  # no formula in a spreadsheet


def test_markdown_is_data_and_has_every_section(result: Comparison) -> None:
    text = markdown(result)
    assert "<script>" not in text
    assert r"\<script\>" in text  # the steps to look at
    for line in text.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line)
            assert len(cells) >= 5
    sentence = result.verdicts[0].sentence
    assert sentence.split(": ")[1].split(" (")[0] in text.split("## ")[0]
    for title in ("Runs", "against none", "Do the steps give", "reported", "Steps to look at"):
        assert title in text
    assert r"| geoiq | 20 | 20 | 50.0 | 75.0 | +25.0 |" in text
    assert r"| mean over columns | 40 | 40 | 50.0 | 75.0 | +25.0 |" in text


def test_latex_has_the_papers_layout(result: Comparison) -> None:
    lines = latex(result).splitlines()
    assert r"none & 50.0 & 50.0 & 50.0 \\" in lines
    (ours,) = [line for line in lines if line.startswith(r"aurelia\_\& &")]
    assert ours.count(r"75.0$^{+50.0") == 3
    vita = reported().row("VITA")
    assert vita is not None
    cell = vita.cells["geoiq"]
    (published,) = [line for line in lines if line.startswith("VITA + AURELIA, reported")]
    assert rf"{cell.with_aurelia:.1f}$^{{+52.94}}$" in published
    assert lines.count(r"\begin{table*}") == lines.count(r"\end{table*}") == 1
    named = {part for line in lines for part in re.findall(r"\\([a-z]+rule)", line)}
    assert named == {"toprule", "midrule", "bottomrule"}  # booktabs and nothing else
    assert {r"\toprule", r"\midrule", r"\bottomrule"} <= set(lines)


def test_a_loss_has_a_minus_sign_in_latex(result: Comparison) -> None:
    lower = tuple(c.model_copy(update={"relative_gain": -0.123}) for c in result.contrasts)
    text = latex(result.model_copy(update={"contrasts": lower}))
    assert "$^{-12.3" in text  # in mathematics a hyphen is a minus sign
    assert not re.search(r"[^${^]-12\.3", text)
    none = tuple(c.model_copy(update={"relative_gain": -0.0001}) for c in result.contrasts)
    assert "-0.0" not in latex(result.model_copy(update={"contrasts": none}))


def _has_booktabs() -> bool:
    if shutil.which("pdflatex") is None or shutil.which("kpsewhich") is None:
        return False
    found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False)
    return found.returncode == 0


@pytest.mark.skipif(not _has_booktabs(), reason="pdflatex with booktabs is not installed")
def test_latex_compiles(result: Comparison, tmp_path: Path) -> None:
    page = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    (tmp_path / "page.tex").write_text(f"{page}\n{latex(result)}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:]


def test_the_terminal_shows_texts_as_they_are(result: Comparison) -> None:
    out = io.StringIO()
    show(result, Console(file=out, width=250, force_terminal=False), everything=True)
    text = out.getvalue()
    assert "[bold red]x[/]" in text
    assert "\x1b" not in text
    assert "aurelia_& against none" in text
    assert "Left out" not in text
    brief = io.StringIO()
    show(result, Console(file=brief, width=250))
    assert "Steps to look at" not in brief.getvalue()
    for word in ("unparsed", "failed", "dropped", "iterations", "tokens", "could show", "Holm"):
        assert word in brief.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_tables_fit_the_width_and_say_what_they_leave_out(
    result: Comparison, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))  # piped: the width is what the variable says
    out = io.StringIO()
    show(result, Console(file=out, width=width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    gains = [line for line in lines if line.strip().startswith("geoiq")]
    assert all("+25.0" in line for line in gains[:1])  # a figure is never broken
    whole = "Left out, for want of width" in " ".join(out.getvalue().split())
    assert whole == (width < 140) or width >= 100


def test_a_pipe_without_a_width_gets_everything(
    result: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = io.StringIO()
    show(result, Console(file=out))
    assert "Left out" not in out.getvalue()
    assert "could show" in " ".join(out.getvalue().split())


def test_the_arms_are_a_line_each(result: Comparison) -> None:
    out = io.StringIO()
    show_arms(result, Console(file=out, width=90))
    said = out.getvalue()
    assert said.startswith(result.verdicts[0].sentence[:20])
    rows = [line.split() for line in said.splitlines()]
    assert next(row for row in rows if row[:1] == ["none"])[:3] == ["none", "40", "50.0"]
    assert any(row[:1] == ["aurelia_&"] and "+25.0" in row for row in rows)
