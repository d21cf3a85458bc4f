from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from aurelia_plugin.compare import statistics
from aurelia_plugin.compare.statistics import ClusterSums


def clustered(seed: int, videos: int = 60) -> tuple[list[float], list[str]]:
    random = np.random.default_rng(seed)
    place = np.repeat(np.arange(videos), random.integers(1, 6, videos))
    values = random.normal(size=videos)[place] + random.normal(size=len(place)) + 0.3
    return values.tolist(), [f"v{k}" for k in place]


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (1, 0), (7, 1), (12, 12), (40, 23), (3, 90)])
def test_exact_mcnemar_is_that_of_statsmodels(wins: int, losses: int) -> None:
    expected = mcnemar([[10, wins], [losses, 20]], exact=True).pvalue
    assert statistics.exact_mcnemar(wins, losses) == pytest.approx(expected)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_with_one_item_a_video_the_clustered_test_is_mcnemars(wins: int, losses: int) -> None:
    differences = [1] * wins + [-1] * losses + [0] * 5
    names = [str(k) for k in range(len(differences))]
    p = statistics.clustered_mcnemar(differences, names)
    assert p == pytest.approx(statistics.exact_mcnemar(wins, losses))


def test_the_clustered_test_is_the_permutation_test_of_scipy_over_videos() -> None:
    random = np.random.default_rng(3)
    place = np.repeat(np.arange(11), random.integers(1, 5, 11))
    differences = random.choice([-1, 0, 1], len(place), p=[0.15, 0.35, 0.5])
    net = np.bincount(place, differences)
    # Every sign pattern of the 11 videos: scipy's paired permutation test, exhaustive.
    expected = stats.permutation_test(
        (net, np.zeros_like(net)),
        lambda a, b, axis: np.sum(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    ).pvalue
    found = statistics.clustered_mcnemar(differences.tolist(), [str(k) for k in place])
    assert found == pytest.approx(expected)
    assert found != pytest.approx(
        statistics.exact_mcnemar(int((differences > 0).sum()), int((differences < 0).sum()))
    )


def test_holm_is_that_of_statsmodels() -> None:
    p_values = {"a": 0.011, "b": 0.2, "c": 0.0004, "d": 0.04, "e": 0.04, "f": 1.0}
    expected = multipletests(list(p_values.values()), method="holm")[1]
    assert list(statistics.holm(p_values)) != list(p_values)  # in order of size
    found = statistics.holm(p_values)
    assert [found[name] for name in p_values] == pytest.approx(list(expected))


def test_the_error_is_the_cluster_robust_one_of_statsmodels() -> None:
    values, names = clustered(1)
    groups = np.unique(names, return_inverse=True)[1]
    count, size = len(set(names)), len(values)
    model = sm.OLS(values, np.ones(size)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    sums = ClusterSums.of(values, names)
    assert sums.mean == pytest.approx(model.params[0])
    assert sums.error == pytest.approx(model.bse[0] * math.sqrt(count / (count - 1)))
    interval = statistics.t_interval(sums.mean, sums.error, sums.size, 0.95)
    expected = stats.t.interval(0.95, count - 1, loc=sums.mean, scale=sums.error)
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(expected)


def test_with_one_item_a_video_interval_and_bootstrap_are_those_of_scipy() -> None:
    values = np.random.default_rng(5).normal(0.2, 1, 80)
    names = [str(k) for k in range(80)]
    sums = ClusterSums.of(values.tolist(), names)
    by_t = statistics.t_interval(sums.mean, sums.error, sums.size, 0.95)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert by_t is not None
    assert (by_t.low, by_t.high) == pytest.approx((expected.low, expected.high))
    boot = statistics.bootstrap(sums, draws=8000, seed=0, bounds=(-9, 9))
    bca = stats.bootstrap((values,), np.mean, n_resamples=8000, random_state=0).confidence_interval
    assert boot.interval is not None
    assert boot.interval.low == pytest.approx(bca.low, abs=0.03)
    assert boot.interval.high == pytest.approx(bca.high, abs=0.03)
    assert boot.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)


def test_the_bootstrap_draws_whole_videos() -> None:
    values, names = clustered(2)
    whole = statistics.bootstrap(ClusterSums.of(values, names), draws=2000, seed=0, bounds=(-9, 9))
    alone = statistics.bootstrap(
        ClusterSums.of(values, [str(k) for k in range(len(values))]),
        draws=2000,
        seed=0,
        bounds=(-9, 9),
    )
    assert whole.interval is not None
    assert alone.interval is not None
    wide, narrow = (one.high - one.low for one in (whole.interval, alone.interval))
    assert wide > 1.3 * narrow
    again = statistics.bootstrap(ClusterSums.of(values, names), draws=2000, seed=0, bounds=(-9, 9))
    assert again == whole


def test_few_videos_and_equal_scores_give_no_bootstrap() -> None:
    few = ClusterSums.of([0.0, 1.0] * 5, [str(k) for k in range(10)])
    assert statistics.bootstrap(few, draws=200, seed=0) == (None, None)
    equal = ClusterSums.of([1.0] * 50, [str(k) for k in range(50)])
    assert statistics.bootstrap(equal, draws=200, seed=0) == (None, None)
    assert statistics.t_interval(1.0, 0.0, 50, 0.95) is None
    assert ClusterSums.of([1.0, 0.0], ["v", "v"]).error is None


def test_the_mean_over_columns_weighs_columns_alike() -> None:
    values = [1.0] * 30 + [0.0] * 10
    strata = ["large"] * 30 + ["small"] * 10
    names = [str(k) for k in range(40)]
    assert ClusterSums.of(values, names).mean == 0.75
    assert ClusterSums.of(values, names, strata).mean == 0.5
    random = np.random.default_rng(0)
    values = random.normal(size=40).tolist()
    variances = [np.var(values[:30], ddof=0) / 30, np.var(values[30:], ddof=0) / 10]
    error = ClusterSums.of(values, names, strata).error
    assert error == pytest.approx(math.sqrt(sum(variances) / 4 * 40 / 39))


def test_the_relative_gain_has_an_interval_and_none_over_zero() -> None:
    random = np.random.default_rng(0)
    names = [str(k) for k in range(200)]
    base = (random.random(200) < 0.4).astype(float)
    gain = (random.random(200) < 0.6).astype(float) - base
    one, two = ClusterSums.of(gain.tolist(), names), ClusterSums.of(base.tolist(), names)
    found = statistics.ratio_interval(one, two, draws=2000, seed=0)
    assert found is not None
    assert found.low < one.mean / two.mean < found.high
    nothing = ClusterSums.of([0.0] * 200, names)
    assert statistics.ratio_interval(one, nothing, draws=200, seed=0) is None


def test_the_detectable_gain_has_the_power_of_statsmodels() -> None:
    size, deviation = 150, 0.7
    gain = statistics.detectable_gain(deviation / math.sqrt(size), size, alpha=0.05, power=0.8)
    assert gain is not None
    power = TTestPower().power(gain / deviation, size, 0.05, alternative="two-sided")
    assert power == pytest.approx(0.8, abs=0.005)


def test_auc_is_that_of_the_rank_test() -> None:
    random = np.random.default_rng(0)
    right, wrong = random.integers(1, 11, 70), random.integers(1, 9, 50)
    expected = stats.mannwhitneyu(right, wrong).statistic / (70 * 50)
    assert statistics.auc(right.tolist(), wrong.tolist()) == pytest.approx(expected)
    scores = [*right.tolist(), *wrong.tolist()]
    flags = [True] * 70 + [False] * 50
    names = [str(k) for k in range(120)]
    found = statistics.auc_interval(scores, flags, names, draws=4000, seed=0)
    assert found is not None
    areas = []
    for _ in range(1500):  # the same by brute force
        drawn = random.integers(0, 120, 120)
        good = [scores[k] for k in drawn if flags[k]]
        bad = [scores[k] for k in drawn if not flags[k]]
        area = statistics.auc(good, bad)
        assert area is not None
        areas.append(area)
    assert (found.low, found.high) == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=0.02)
    assert statistics.auc([1.0], []) is None


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "simulate_statistics.py"
    spec = importlib.util.spec_from_file_location("simulate_statistics", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_intervals_cover_and_tests_reject_as_they_should(simulation: ModuleType) -> None:
    """The small version of tools/simulate_statistics.py: 300 replicates know 5% to 2.5 points."""
    for name in ("right/wrong, 40 videos", "graded, 40 videos"):
        design, shares = simulation.DESIGNS[name]
        rates = {r.name: r for r in simulation.check(name, design, shares, 300, 199)}
        for what, rate in rates.items():
            share = rate.hits / rate.replicates
            if "as if independent" in what:
                assert share > 0.07, "the design must be hard enough to need clusters"
            elif "covers" in what:
                assert 0.915 <= share <= 0.985, (name, what, share)
            else:
                assert 0.015 <= share <= 0.085, (name, what, share)
