"""The small version of the table in docs/explanation/statistics.md."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
import simulate_statistics as simulation
from coverage_tables import DATA


def measured(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    before = sys.argv
    sys.argv = ["simulate_statistics.py", *options]
    try:
        simulation.main()
    finally:
        sys.argv = before
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize(
    "options",
    [
        "--kind=score --n=210 --p=0.99",
        "--kind=score --n=100 --p=0.9 --clusters=5 --sizes=skewed",
        "--kind=score --n=210 --p=0.97 --clusters=20 --correlation=1",
        "--kind=score --n=100 --p=0.8 --clusters=3 --sizes=half",
        "--kind=gain --n=210 --p=0.99 --losses=0",
        "--kind=gain --n=100 --wins=0.1 --losses=0.05 --clusters=5 --dependence=copula",
        "--kind=mean --n=14 --p=0.9 --losses=0.05",
        "--kind=mean --n=21 --p=0.5",
    ],
)
def test_intervals_cover_and_tests_do_not_cry_wolf(
    capsys: pytest.CaptureFixture[str], options: str
) -> None:
    found = measured(capsys, *options.split(), "--replicates=2000")
    assert found["coverage"] >= 0.93
    assert found["false_alarms"] <= 0.06
    assert 0 < found["width"] < 1


def test_enumeration_and_simulation_agree(capsys: pytest.CaptureFixture[str]) -> None:
    exact = measured(capsys, "--kind=gain", "--n=60", "--wins=0.2", "--losses=0.05")
    assert exact["exact"] is True
    options = simulation.complete(
        simulation.parser().parse_args(
            ["--kind=gain", "--n=60", "--wins=0.2", "--losses=0.05", "--replicates=4000"]
        )
    )
    drawn = simulation.simulate(options)
    for key in ("coverage", "width", "false_alarms"):
        assert drawn[key] == pytest.approx(exact[key], abs=0.015)


def test_too_few_videos_claim_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(capsys, "--kind=gain", "--n=42", "--clusters=20", "--sizes=equal")
    assert (found["given"], found["coverage"], found["width"]) == (0, 1, 2)


def test_the_documented_table_keeps_what_it_promises() -> None:
    rows = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
    assert len(rows) > 200
    for row in rows:
        assert row["coverage"] >= 0.93, row
        assert row["false_alarms"] <= 0.06, row
        assert row["exact"] or row["replicates"] == 20_000
