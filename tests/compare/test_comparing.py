"""Figures, contrasts and audits of runs whose every number is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.result import Comparison

from .making_logs import make_trace, row, write_plugin_run, write_run

OPTIONS = ["a duck", "a goose", "a swan", "a hen"]


@pytest.fixture
def audited(tmp_path: Path) -> Comparison:
    """Forty questions over twenty videos, arms whose steps leak in every fourth question."""
    random = np.random.default_rng(0)
    base = [float(x) for x in random.random(40) < 0.4]
    steps = [["The bird is a duck."] if k % 4 == 0 else ["Look closely."] for k in range(40)]
    gained = [1.0 if k % 4 == 0 else base[k] for k in range(40)]

    def rows(scores: list[float], reply: str | None = None) -> list[dict[str, object]]:
        text = "\n".join(f"{'ABCD'[k]}. {option}" for k, option in enumerate(OPTIONS))
        return [
            {
                **row(k, score, category="Language" if k % 2 else "Continent"),
                "input": f"Which bird {k}?\n{text}",
                "filtered_resps": reply or ("A" if score else "B"),
                "needs": [],
            }
            for k, score in enumerate(scores)
        ]

    traces = [
        make_trace(
            f"{k:02d}",
            steps[k],
            [9] if k % 2 else [3, 4, 8 if gained[k] else 4],
            "accepted" if k % 2 or gained[k] else "exhausted",
            dropped=("sound: cannot hear",) if k == 5 else (),
        )
        for k in range(40)
    ]
    placebo = [steps[(k + 1) % 40] for k in range(40)]
    runs = {
        "none": write_plugin_run(tmp_path / "none", "qa", rows(base), condition="none"),
        "aurelia": write_plugin_run(
            tmp_path / "aurelia",
            "qa",
            rows(gained),
            condition="aurelia",
            traces=traces,
            failed={3: "agents"},
        ),
        "placebo": write_plugin_run(
            tmp_path / "placebo", "qa", rows(base), condition="placebo", steps=placebo
        ),
        "muted": write_plugin_run(
            tmp_path / "muted", "qa", rows([0.0] * 40, "D"), condition="none", media="muted"
        ),
    }
    prices = {"answerer": (1e6, 0.0), "thinker": (0.0, 2e6)}  # a dollar, two dollars a token
    return compare(runs, Options(draws=500, prices=prices))


def test_figures(audited: Comparison) -> None:
    assert [run.label for run in audited.runs] == ["none", "aurelia", "placebo", "muted"]
    figure = audited.figure("aurelia", "all")
    assert figure is not None
    assert (figure.n, figure.clusters, figure.failed, figure.dropped) == (40, 20, 1, 1)
    turns = [1 if k % 2 else 3 for k in range(40)]
    assert figure.mean_iterations == pytest.approx(np.mean(turns))
    assert figure.input_tokens == 40 * 7 + 10 * sum(turns)
    assert figure.output_tokens == 40 * 2 + 5 * sum(turns)
    assert figure.cost == pytest.approx(40 * 7 * 1.0 + 5 * sum(turns) * 2.0)
    assert figure.seconds == pytest.approx(0.5)
    assert audited.run("aurelia").cost == pytest.approx(100.0)  # what this run itself asked for
    half = audited.figure("aurelia", "category", "Language")
    assert half is not None
    assert (half.n, half.mean_iterations) == (20, 1.0)
    assert audited.figure("aurelia", "answer_class", "language") == half.model_copy(
        update={"kind": "answer_class", "name": "language"}
    )


def test_a_question_without_a_reply_failed_and_is_not_unparsed(tmp_path: Path) -> None:
    rows = [{**row(k, 0.0), "filtered_resps": "Hm." * (k > 0), "unparsed": 1} for k in range(10)]
    run = write_plugin_run(tmp_path / "run", "qa", rows, condition="none", failed={0: "target"})
    made = compare({"none": run}, Options(draws=100))
    figure = made.figure("none", "all")
    assert figure is not None
    assert (figure.n, figure.failed, figure.unparsed) == (10, 1, 1.0)
    assert [one.arms["none"].unparsed for one in made.items] == [None, *[True] * 9]


def test_contrasts(audited: Comparison) -> None:
    found = audited.contrast("aurelia", "all")
    assert found is not None
    ones = [item.arms["aurelia"].score - item.arms["none"].score for item in audited.items]
    assert found.gain == pytest.approx(np.mean(ones))
    assert found.wins == found.wrong_to_right == sum(one > 0 for one in ones)
    assert found.right_to_wrong == 0
    by_video = [ones[2 * k] + ones[2 * k + 1] for k in range(20)]
    wins = sum(one > 0 for one in by_video)
    assert found.method == "score"
    assert found.p is not None
    assert found.p >= stats.binomtest(wins, wins).pvalue  # no surer than the exact test of videos
    assert found.interval is not None
    assert (found.interval.low > 0) == (found.p < 0.05)
    assert found.interval.low < found.gain < found.interval.high
    assert found.detectable is not None
    assert 0 < found.detectable < 0.5
    assert audited.contrast("none", "all") is None


def test_leaks(audited: Comparison) -> None:
    leaks = {audit.arm: audit for audit in audited.audits.leaks}
    assert set(leaks) == {"aurelia", "placebo"}
    own = leaks["aurelia"]
    assert (own.leaking, own.clean, own.unclear) == (10, 30, 0)
    assert own.rate == 0.25
    assert own.clean_contrast is not None
    assert own.clean_contrast.n == 30
    assert own.clean_contrast.gain == 0.0  # all that was gained was given away
    assert own.leaking_contrast is not None
    assert own.leaking_contrast.score == 1.0
    assert leaks["placebo"].leaking == 10  # by chance, as it happens: every bird is a duck
    assert [sample.leak for sample in own.sample] == ["leak"] * 10 + ["clean"] * 10
    assert own.sample[0].excerpt == "The bird is a duck."
    assert audited.items[0].arms["aurelia"].leak == "leak"
    assert audited.items[1].arms["aurelia"].leak == "clean"
    assert audited.items[1].arms["none"].leak is None


def test_the_evaluator(audited: Comparison) -> None:
    (saturation,) = audited.audits.saturation
    assert saturation.accepted_first == 0.5
    assert saturation.scores["9"] == 20
    assert saturation.mean_by_iteration[0] == pytest.approx(6.0)
    assert list(saturation.mean_by_iteration) == sorted(saturation.mean_by_iteration)
    (found,) = audited.audits.discrimination
    pairs = [(i.arms["aurelia"].best_score, i.arms["aurelia"].right) for i in audited.items]
    right = [score for score, good in pairs if good]
    wrong = [score for score, good in pairs if not good]
    expected = stats.mannwhitneyu(right, wrong).statistic / len(right) / len(wrong)
    assert found.auc == pytest.approx(expected)
    assert found.interval is not None
    answer = audited.items[0].arms["aurelia"]
    assert (answer.first_score, answer.best_score, answer.iterations) == (3, 8, 3)


def test_modality_and_position(audited: Comparison) -> None:
    (audit,) = audited.audits.modality
    score = audited.figure("none", "all")
    assert score is not None
    assert (audit.full, audit.reduced, audit.media, audit.n) == ("none", "muted", "muted", 40)
    assert audit.drop == pytest.approx(score.score)
    chosen = {one.arm: one.chosen for one in audited.audits.position}
    assert chosen["muted"] == {"A": 0, "B": 0, "C": 0, "D": 40}
    assert audited.audits.position[0].gold == {"A": 40, "B": 0, "C": 0, "D": 0}
    assert audited.audits.position[0].p is None  # gold never stands where it was looked for


def test_the_position_test_is_that_of_scipy(tmp_path: Path) -> None:
    letters = "ABCD" * 10
    text = "\n".join(f"{letter}. bird {letter}" for letter in "ABCD")
    said = "A" * 22 + "B" * 10 + "C" * 4 + "D" * 3 + "?"
    rows = [
        {**row(k, float(said[k] == letters[k])), "target": letters[k], "filtered_resps": said[k]}
        | {"input": f"{k}\n{text}"}
        for k in range(40)
    ]
    (audit,) = compare({"x": write_run(tmp_path, {"qa": rows})}).audits.position
    assert audit.unread == 1
    assert audit.p == pytest.approx(stats.chisquare([22, 10, 4, 3], [39 / 4] * 4).pvalue)


def test_columns_and_holm(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    columns = {}
    for name, gain in (("one", 0.5), ("two", 0.2), ("three", 0.0)):
        base = random.random(60) < 0.4
        columns[name] = (base, base | (random.random(60) < gain))

    def tasks(which: int) -> dict[str, list[dict[str, object]]]:
        return {
            name: [row(k, float(x), video=f"{name}{k}") for k, x in enumerate(pair[which])]
            for name, pair in columns.items()
        }

    runs = {str(k): write_run(tmp_path / str(k), tasks(k)) for k in (0, 1)}
    result = compare(runs, Options(draws=300))
    contrasts = [result.contrast("1", "column", name) for name in result.columns]
    p_values = [one.p for one in contrasts if one is not None]
    adjusted = [one.p_holm for one in contrasts if one is not None]
    assert adjusted == pytest.approx(list(multipletests(p_values, method="holm")[1]))
    mean = result.contrast("1", "mean_over_columns")
    assert mean is not None
    assert mean.gain == pytest.approx(np.mean([one.gain for one in contrasts if one]))
    assert mean.p_holm is None
    assert mean.interval is not None
    assert mean.clusters == 180


def test_graded_scores_are_tested_by_the_bootstrap(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    base = random.integers(0, 5, 80) / 4
    more = np.clip(base + random.integers(-1, 3, 80) / 4, 0, 1)
    runs = {
        name: write_run(
            tmp_path / name, {"qa": [row(k, float(x), video=f"{k}") for k, x in enumerate(scores)]}
        )
        for name, scores in (("base", base), ("more", more))
    }
    found = compare(runs, Options(draws=4000)).contrast("more", "all")
    assert found is not None
    assert (found.method, found.mcnemar, found.wrong_to_right) == ("bootstrap", None, None)
    assert found.p == pytest.approx(stats.ttest_rel(more, base).pvalue, abs=0.006)
    assert found.interval is not None
    interval = stats.ttest_rel(more, base).confidence_interval()
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(interval), abs=0.01)
