from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path

from making_comparisons import comparison

from aurelia_plugin.study.overview import write_overview


def test_every_target_and_arm_has_a_line_and_names_are_escaped(tmp_path: Path) -> None:
    evil = "evil<script>|&"
    page = write_overview(tmp_path, {"one": comparison(20, ("none", "cot")), evil: comparison(10)})
    html = page.read_text()
    assert "<script" not in html
    assert "evil&lt;script&gt;|&amp;" in html
    assert "targets/evil%3Cscript%3E%7C%26/index.html" in html
    with (tmp_path / "tables" / "overview.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["arm"] for row in rows if row["target"] == "one"] == ["none", "cot"]
    assert len(rows) == 2 + 5
    assert rows[0]["gain"] == ""
    known = json.loads((tmp_path / "tables" / "overview.json").read_text())
    assert float(rows[1]["gain"]) == known[1]["gain"]
    assert (tmp_path / "tables" / "overview.md").read_text().count("\n| ") == 8
    assert (tmp_path / "plots" / "gain_by_target.svg").is_file()
    assert (tmp_path / "page" / "page.css").is_file()


def test_a_target_without_a_finished_arm_is_named_with_its_reason(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing to draw is no cause for one
        page = write_overview(
            tmp_path, {"one": comparison(20, ("none",))}, ["two: no arm is finished. <b>"]
        )
    assert "two: no arm is finished. &lt;b&gt;" in page.read_text()
    assert "two: no arm is finished." in (tmp_path / "tables" / "overview.md").read_text()
