"""What follows: the reasoning arm against every control."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console
from statsmodels.stats.multitest import multipletests

from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.outputs.tables import latex, markdown, write_tables
from aurelia_plugin.compare.outputs.terminal import show
from aurelia_plugin.compare.result import COMPARISON, Comparison
from aurelia_plugin.errors import ConfigError

from .making_logs import row, write_plugin_run, write_run

FAST = Options(draws=200)
N = 80


def rights(share: float, shift: int = 0) -> list[float]:
    """Return scores with this share right, the wrong ones starting at `shift`."""
    wrong = N - round(share * N)
    return [0.0 if (k - shift) % N < wrong else 1.0 for k in range(N)]


def runs(folder: Path, arms: Mapping[str, Sequence[float]]) -> dict[str, Path]:
    return {
        label: write_plugin_run(
            folder / label,
            "qa",
            [row(k, score, video=str(k)) for k, score in enumerate(scores)],
            condition=label.partition("@")[0],
            media=label.partition("@")[2] or "full",
        )
        for label, scores in arms.items()
    }


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    arms = {
        "none": rights(0.5),
        "placebo": rights(0.3),
        "cot": rights(0.75, 5),
        "none@muted": rights(0.1),
        "aurelia": rights(0.75),
    }
    return compare(runs(tmp_path_factory.mktemp("runs"), arms), FAST)


def test_the_reasoning_arm_is_tested_against_every_control_of_its_media(
    result: Comparison,
) -> None:
    (verdict,) = result.verdicts
    assert verdict.arm == "aurelia"
    assert [one.reference for one in verdict.contrasts] == ["none", "placebo", "cot"]
    expected = multipletests([one.p for one in verdict.contrasts], method="holm")[1]
    assert [one.p_holm for one in verdict.contrasts] == pytest.approx(list(expected))
    none = result.contrast("aurelia", "all")
    assert none is not None
    assert verdict.contrasts[0] == none.model_copy(update={"p_holm": verdict.contrasts[0].p_holm})
    cot = verdict.contrasts[2].interval
    assert cot is not None
    assert verdict.sentence == (
        "aurelia: +25.0 points over none, +45.0 over placebo; no difference from cot is shown "
        f"(0.0 [\u2212{-100 * cot.low:.1f}, +{100 * cot.high:.1f}]) "
        "(Holm over 3 tests at 0.05; intervals are not corrected)."
    )


def test_the_sentence_is_at_the_top_of_every_output(result: Comparison, tmp_path: Path) -> None:
    sentence = result.verdicts[0].sentence
    out = io.StringIO()
    show(result, Console(file=out, width=300))
    assert out.getvalue().startswith(sentence)
    assert "against every control" in out.getvalue()
    assert "points over none" in markdown(result).split("## ")[0]
    assert latex(result).startswith("% aurelia: +25.0 points over none")
    write_tables(result, tmp_path)
    assert sentence in (tmp_path / "verdicts.json").read_text("utf-8")


def test_a_worse_arm_is_said_to_be_below(tmp_path: Path) -> None:
    found = compare(runs(tmp_path, {"none": rights(0.8), "aurelia": rights(0.4)}), FAST)
    assert found.verdicts[0].sentence == "aurelia: 40.0 points below none."


def test_without_a_reasoning_arm_every_arm_is_judged_against_the_reference(tmp_path: Path) -> None:
    folders = {
        name: write_run(
            tmp_path / name,
            {"qa": [row(k, score, video=str(k)) for k, score in enumerate(rights(share))]},
        )
        for name, share in (("one", 0.2), ("two", 0.5), ("three", 0.2))
    }
    found = compare(folders, FAST)
    assert [one.arm for one in found.verdicts] == ["two", "three"]
    assert found.verdicts[0].sentence == "two: +30.0 points over one."
    assert found.verdicts[1].sentence.startswith("three: no difference from one is shown (0.0 [")


def test_few_videos_are_said_instead_of_an_interval(tmp_path: Path) -> None:
    folders = {
        name: write_run(
            tmp_path / name,
            {"qa": [row(k, share, video=str(k % 3)) for k in range(12)]},
        )
        for name, share in (("one", 0.0), ("two", 1.0))
    }
    found = compare(folders, FAST)
    assert "no interval: fewer than 5 videos (3)" in found.verdicts[0].sentence
    figure = found.figure("two", "all")
    assert figure is not None
    assert (figure.interval, figure.missing) == (None, "no interval: fewer than 5 videos (3)")
    assert "no interval: fewer than 5 videos (3)" in markdown(found)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), 1e308])
@pytest.mark.parametrize("inside", [False, True])
def test_a_score_that_is_no_number_names_its_line(tmp_path: Path, bad: float, inside: bool) -> None:
    rows = [row(k, float(k % 2)) for k in range(6)]
    rows[3]["acc"] = {"score": bad} if inside else bad
    folder = write_run(tmp_path / "one", {"qa": rows})
    with pytest.raises(ConfigError) as caught:
        compare({"one": folder}, FAST)
    assert "samples_qa.jsonl, line 4: acc of document 3 is" in str(caught.value)
    assert "--metric" in str(caught.value)


def test_a_comparison_of_an_older_form_says_so(result: Comparison, tmp_path: Path) -> None:
    path = result.write(tmp_path)
    assert Comparison.read(tmp_path) == result
    path.write_text(path.read_text("utf-8").replace('"schema_version": 2', '"schema_version": 1'))
    with pytest.raises(ConfigError, match=rf"{COMPARISON}: a comparison of form 1"):
        Comparison.read(tmp_path)
