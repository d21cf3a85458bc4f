"""What arms took, and what ablations are tested against."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import making_comparisons as made
import pytest

from aurelia_plugin.calling.compute import Compute
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.compare.figures import contrast, figure
from aurelia_plugin.compare.inputs.records import _accounts, _written
from aurelia_plugin.compare.outputs.sections import sections
from aurelia_plugin.compare.outputs.tables import write_tables
from aurelia_plugin.compare.result import ArmAnswer, Comparison, Method
from aurelia_plugin.compare.scopes import Scope
from aurelia_plugin.compare.verdicts import verdicts

METHOD = Method(draws=100, seed=0, cluster="video")
TOOK = {
    "none": Compute(calls=1, input_tokens=100, output_tokens=2, frames=8, passes=2),
    "aurelia": Compute(
        calls=4, input_tokens=900, output_tokens=60, frames=24, sound_seconds=6.0, passes=None
    ),
}


def comparison() -> Comparison:
    items = tuple(
        made.item(
            number,
            {
                arm: ArmAnswer(score=float(number % 3 > 0), right=True, answer="A", compute=took)
                for arm, took in TOOK.items()
            },
        )
        for number in range(12)
    )
    scope, method = Scope("all", "all items", items), METHOD
    figures = [figure(scope, arm, method) for arm in TOOK]
    gain = contrast(scope, "aurelia", "none", method)
    base = made.comparison(4)
    return base.model_copy(
        update={
            "runs": tuple(made.run(arm) for arm in TOOK),
            "items": items,
            "figures": tuple(one for one in figures if one),
            "contrasts": (gain,) if gain else (),
        }
    )


def test_compute_adds_up_and_one_unknown_count_of_passes_makes_the_sum_unknown() -> None:
    none, aurelia = TOOK.values()
    assert (none + none).passes == 4
    both = none + aurelia
    assert (both.calls, both.passes, both.frames) == (5, None, 32)


def test_the_table_has_what_a_question_took_on_average() -> None:
    result = comparison()
    (table,) = (one for one in sections(result) if one.name == "compute")
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    assert rows["aurelia"]["calls"] == "4.0"
    assert rows["aurelia"]["passes"] == "-"
    assert rows["aurelia"]["sound s"] == "6.0"
    assert rows["none (reference)"]["passes"] == "2.0"


def test_files_have_it_unrounded(tmp_path: Path) -> None:
    write_tables(comparison(), tmp_path)
    figures = list(csv.DictReader(io.StringIO((tmp_path / "figures.csv").read_text())))
    assert {line["arm"]: line["compute_calls"] for line in figures} == {
        "none": "12",
        "aurelia": "48",
    }
    items = json.loads((tmp_path / "items.json").read_text())
    assert items[0]["compute_output_tokens"] == 2


def test_a_comparison_without_records_has_no_such_table() -> None:
    assert "compute" not in [one.name for one in sections(made.comparison(4))]


@pytest.mark.parametrize(
    "settings", [{"without": ["feedback"]}, {"iteration": 1}, {"agents_media": "muted"}]
)
def test_an_ablation_is_tested_against_the_whole_loop_and_the_reference(
    settings: dict[str, Any],
) -> None:
    labels = ("none", "aurelia", "part", "consistency")
    items = [
        made.item(n, {arm: ArmAnswer(score=float(n % 2), right=True, answer="A") for arm in labels})
        for n in range(20)
    ]
    runs = [made.run(label) for label in labels if label != "part"]
    runs.append(made.run("part", condition="aurelia", settings=settings))
    found = {one.arm: [test.reference for test in one.contrasts] for one in verdicts(
        items, runs, "none", METHOD
    )}  # fmt: skip
    assert found == {"aurelia": ["none", "consistency"], "part": ["none", "aurelia"]}


def test_a_record_is_read_with_its_compute_and_the_calls_beside_a_loop(tmp_path: Path) -> None:
    took = Compute(calls=2, input_tokens=20, output_tokens=4, sound_seconds=3.0)
    scored = {
        "role": "evaluator", "model": "m-e", "sound_seconds": 1.0,
        "usage": {"input_tokens": 1_000_000, "output_tokens": 0},
    }  # fmt: skip
    line = {
        "id": "qa/test/3",
        "model": "m-t",
        "input_tokens": 10,
        "output_tokens": 2,
        "turns": [scored, {**scored, "role": "target"}],
        "compute": {
            "target": took.model_dump(),
            "agents": Compute(calls=1, input_tokens=1_000_000, passes=None).model_dump(),
        },
    }
    path = tmp_path / "runs" / "20260101T000000Z_best_of_n.json"
    path.parent.mkdir()
    path.with_suffix(".items.jsonl").write_text(json.dumps(line) + "\n")
    ((key, account),) = _accounts(path, tmp_path).items()
    assert key == ("qa", "3")
    assert (account.input_tokens, account.output_tokens) == (1_000_020, 4)
    assert account.compute is not None
    assert (account.compute.calls, account.compute.passes) == (3, None)
    prices = Prices.of_pairs({"m-t": (0.0, 0.0), "m-e": (2.0, 0.0)})
    assert account.cost("m-t", prices) == pytest.approx(2.0)


def test_settings_of_a_record_are_compared_as_model_args_write_them() -> None:
    assert _written(["summarizer", "feedback"]) == _written("feedback|summarizer")
    assert _written([]) == _written(())
    assert _written("FULL") == _written("full")
