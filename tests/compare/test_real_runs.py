"""Comparisons over logs that lmms-eval itself wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurelia_plugin.cli import main
from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.result import Comparison
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.traces.store import TraceStore


def test_arms_of_the_plugin(runs: Path, tmp_path: Path) -> None:
    result = compare({label: runs / label for label in ("none", "aurelia")}, Options(draws=300))
    assert result.reference == "none"
    assert result.columns == ("music_avqa", "meme")
    assert result.notes == ()
    whole = result.figure("aurelia", "all")
    assert whole is not None
    assert (whole.n, whole.failed, whole.dropped) == (12, 0, 0)
    assert whole.mean_iterations is not None
    assert whole.mean_iterations >= 1
    run, plain = result.run("aurelia"), result.run("none")
    assert run.target == plain.target
    assert run.prompts == plain.prompts
    assert run.calls["reasoner"] > 0
    assert run.seconds is not None
    assert run.traces is not None
    store = TraceStore(Path(run.traces), writable=False)
    for item in result.items:
        answer = item.arms["aurelia"]
        assert answer.trace is not None
        trace = store.trace(answer.trace)
        assert trace is not None
        assert trace.question in item.question or item.question in trace.question
        assert answer.iterations == len(trace.iterations)
        assert answer.leak is not None
        assert item.needs
        assert Path(item.media[0]).is_file()
        assert item.arms["none"].trace is None
        own, target = answer.input_tokens, item.arms["none"].input_tokens
        assert own is not None
        assert target is not None
        assert own > target  # the agents' tokens are counted along
    assert [audit.arm for audit in result.audits.leaks] == ["aurelia"]
    assert result.audits.saturation[0].n == 12
    assert Comparison.read(result.write(tmp_path)) == result


def test_models_that_know_nothing_of_the_plugin(runs: Path) -> None:
    both = {"b": runs / "b", "a": runs / "a"}
    with pytest.raises(ConfigError, match=r"b and a differ in target: .*response=B.*response=A"):
        compare(both)
    result = compare(both, Options(allow=frozenset({"target"})))
    assert result.columns == ("meme", "foreign_qa")
    golds = [item.gold for item in result.items if item.column == "meme"]
    for label in "ab":
        figure = result.figure(label, "column", "meme")
        assert figure is not None
        assert figure.score == pytest.approx(golds.count(label.upper()) / 6)
        assert figure.failed is None  # nobody recorded it
    assert result.run("a").condition is None
    (position,) = [one for one in result.audits.position if (one.arm, one.options) == ("a", 4)]
    assert position.chosen == {"A": position.n, "B": 0, "C": 0, "D": 0}


def test_a_task_whose_metric_is_a_record(runs: Path) -> None:
    result = compare({"b": runs / "b", "a": runs / "a"}, Options(allow=frozenset({"target"})))
    found = result.contrast("a", "column", "foreign_qa")
    assert found is not None
    assert (found.n, found.clusters) == (30, 10)
    assert found.score == pytest.approx(23 / 30)
    assert found.reference_score == pytest.approx(7 / 30)
    assert (found.wins, found.losses, found.method) == (23, 7, "score")
    assert {"action", "object"} <= set(result.categories)
    item = next(item for item in result.items if item.column == "foreign_qa")
    assert item.arms["a"].read == "A"
    assert item.options == ("yes", "no", "neither")


def test_a_plain_run_beside_one_of_the_plugin_is_refused_for_its_target(runs: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        compare({"none": runs / "none", "a": runs / "a"})
    lines = str(refused.value).splitlines()
    text = "\n".join(lines)
    assert "none and a differ in items: 6 questions (" in lines[1]
    assert "only in none" in lines[1]
    assert "30 questions (foreign_qa/0, foreign_qa/1, foreign_qa/2, ...) only in a" in text
    assert "differ in target: aurelia_embedded / dummy?response=A" in text
    assert lines[-1].endswith("add --allow items,target.")


def test_the_command(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", str(runs / "none"), f"with={runs / 'aurelia'}", "--draws", "200"]
    assert main([*arguments, "--out", str(tmp_path), "--reported", "VITA"]) == 0
    shown = capsys.readouterr().out
    for text in ("with against none", "could show", "Do the steps give", "58.6", "reported"):
        assert text in shown
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "comparison.md",
        "comparison.tex",
        "contrasts.csv",
        "contrasts.json",
        "figures.csv",
        "figures.json",
        "items.csv",
        "items.json",
        "verdicts.csv",
        "verdicts.json",
    ]
    assert main([*arguments, "--json"]) == 0
    Comparison.model_validate_json(capsys.readouterr().out)
    assert main([*arguments, "--board", "worldsense"]) == 1
    assert "no run is of its tasks alone" in capsys.readouterr().err
