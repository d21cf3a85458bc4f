from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from aurelia_plugin.statistics.bootstrap import studentised
from aurelia_plugin.statistics.bounded import gain_test, score_bounds
from aurelia_plugin.statistics.clusters import Design
from aurelia_plugin.statistics.estimates import (
    Estimate,
    Resampled,
    gain_estimate,
    score_estimate,
)
from aurelia_plugin.statistics.pairs import pair_bounds, pair_p, pair_variance
from aurelia_plugin.statistics.proportions import proportion_bounds
from aurelia_plugin.statistics.ranking import auc, auc_interval
from aurelia_plugin.statistics.tests import detectable_gain, exact_mcnemar, holm

FAST = Resampled(draws=400)


def names(count: int) -> list[str]:
    return [str(k) for k in range(count)]


def clustered(seed: int, videos: int = 60) -> tuple[list[float], list[str]]:
    random = np.random.default_rng(seed)
    place = np.repeat(np.arange(videos), random.integers(1, 6, videos))
    values = random.normal(size=videos)[place] + random.normal(size=len(place)) + 0.3
    return values.tolist(), [f"v{k}" for k in place]


def width(one: Estimate) -> float:
    assert one.low is not None
    assert one.high is not None
    return one.high - one.low


# Means and their errors.


def test_the_error_is_the_cluster_robust_one_of_statsmodels() -> None:
    values, videos = clustered(1)
    groups = np.unique(videos, return_inverse=True)[1]
    count, size = len(set(videos)), len(values)
    model = sm.OLS(values, np.ones(size)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    design = Design.of(videos)
    found = design.moments(design.sums(values))
    assert found.mean == pytest.approx(model.params[0])
    expected = model.bse[0] * math.sqrt(count / (count - 1))
    assert np.sqrt(found.variance) == pytest.approx(expected)


@given(st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_the_order_of_items_changes_nothing(seed: int, columns: int) -> None:
    random = np.random.default_rng(seed)
    values = random.random(50)
    videos, strata = random.integers(0, 12, 50), random.integers(0, columns, 50)
    shuffled = random.permutation(50)
    one, two = (
        (d := Design.of(videos[o].tolist(), strata[o].tolist())).moments(d.sums(values[o]))
        for o in (np.arange(50), shuffled)
    )
    assert np.allclose(np.array(one), np.array(two))


def test_every_item_twice_about_one_video_tells_no_more() -> None:
    values = np.random.default_rng(0).random(40)
    alone = Design.of(names(40))
    doubled = Design.of(names(40) * 2)
    one = alone.moments(alone.sums(values))
    two = doubled.moments(doubled.sums(np.concatenate([values, values])))
    assert one.variance == pytest.approx(two.variance)
    assert one.variance == pytest.approx(np.var(values, ddof=1) / 40)


def test_the_mean_over_columns_weighs_columns_alike_and_corrects_each() -> None:
    random = np.random.default_rng(0)
    strata = ["large"] * 30 + ["small"] * 10
    values = random.normal(size=40)
    design = Design.of(names(40), strata)
    found = design.moments(design.sums(values))
    parts = values[:30], values[30:]
    assert found.mean == pytest.approx(np.mean([part.mean() for part in parts]))
    assert found.variance == pytest.approx(sum(np.var(p, ddof=1) / len(p) for p in parts) / 4)
    assert found.freedom <= 38
    across = Design.of([*names(20), *names(20)], ["a"] * 20 + ["b"] * 20)  # a video in both
    both = across.moments(across.sums(values))
    assert both.variance == pytest.approx(np.var((values[:20] + values[20:]) / 2, ddof=1) / 20)


def test_a_column_of_one_video_has_an_error_still() -> None:
    design = Design.of(names(11), ["many"] * 10 + ["one"])
    values = np.array([0.0, 1.0] * 5 + [1.0])
    alone = Design.of(names(10))
    whole = design.moments(design.sums(values)).variance
    assert whole > alone.moments(alone.sums(values[:10])).variance / 4


# Scores.


@pytest.mark.parametrize("n", [5, 42, 210])
def test_independent_scores_have_the_bounds_of_clopper_and_pearson(n: int) -> None:
    design = Design.of(names(n))
    for right in {0, 1, n // 2, n - 1, n}:
        found = score_bounds(design, design.sums([1.0] * right + [0.0] * (n - right)))
        expected = proportion_confint(right, n, method="beta")
        assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)
        exact = stats.binomtest(right, n).proportion_ci(method="exact")
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_bounds_at_an_effective_size_are_those_of_the_beta_distribution() -> None:
    low, high = proportion_bounds(0.9, 33.3)
    assert low == pytest.approx(stats.beta.ppf(0.025, 0.9 * 33.3, 0.1 * 33.3 + 1))
    assert high == pytest.approx(stats.beta.ppf(0.975, 0.9 * 33.3 + 1, 0.1 * 33.3))


def test_videos_that_share_one_fate_count_once() -> None:
    videos = [str(k // 5) for k in range(500)]
    scores = [float(k // 5 % 10 != 0) for k in range(500)]
    found = score_estimate(scores, videos)
    design = Design.of(names(100))
    alone = score_bounds(design, design.sums(scores[::5]))
    assert found.low == pytest.approx(float(alone.low), abs=0.02)
    assert width(found) > 1.6 * width(score_estimate(scores, names(500)))


def test_equal_scores_still_have_an_interval() -> None:
    found = score_estimate([1.0] * 40, [str(k // 2) for k in range(40)])
    assert (found.mean, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 20))  # twenty videos, all of them right


# Gains.


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-0.99, 0.99))
@settings(max_examples=100, deadline=None)
def test_the_variance_under_a_gain_is_that_of_the_likeliest_shares(
    first: float, second: float, delta: float
) -> None:
    wins, losses = first * (1 - second), second * (1 - first) * 0.999
    if wins + losses > 1:
        wins, losses = wins / 2, losses / 2

    def against(lost: float) -> float:
        shares = np.array([lost + delta, lost, 1 - 2 * lost - delta])
        seen = np.array([wins, losses, 1 - wins - losses])
        return -float((seen * np.log(np.maximum(shares, 1e-300))).sum())

    low, high = max(0.0, -delta), (1 - delta) / 2
    best = optimize.minimize_scalar(against, bounds=(low, high), method="bounded").x
    found = float(pair_variance(wins, losses, delta))
    lost = (found - delta + delta**2) / 2
    assert low - 1e-9 <= lost <= high + 1e-9
    assert against(lost) <= against(best) + 1e-9


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (1, 0), (7, 1), (12, 12), (40, 23), (3, 90)])
def test_the_test_of_pairs_is_mcnemars_with_continuity_correction(wins: int, losses: int) -> None:
    table = [[10, wins], [losses, 20]]
    n = 30 + wins + losses
    found = float(pair_p(wins / n, losses / n, n))
    if wins + losses:
        corrected = mcnemar(table, exact=False, correction=True).pvalue
        assert found == pytest.approx(corrected if wins != losses else 1.0)
    assert exact_mcnemar(wins, losses) == pytest.approx(mcnemar(table, exact=True).pvalue)


def test_it_decides_as_the_exact_test_does() -> None:
    differ = [
        (wins, losses)
        for wins in range(25)
        for losses in range(wins)
        if (exact_mcnemar(wins, losses) < 0.05) != (pair_p(wins / 99, losses / 99, 99) < 0.05)
    ]
    assert len(differ) <= 2


def test_without_the_correction_the_interval_is_tangos() -> None:
    # Tango (1998), table I: 0 and 2 discordant pairs of 54, -0.1253 to 0.0338 (uncorrected).
    low, high = pair_bounds(0 / 54, 2 / 54, 54)
    assert low < -0.1253
    assert high > 0.0338
    assert (low, high) == pytest.approx((-0.1253, 0.0338), abs=0.03)


def _sample(seed: int) -> tuple[list[float], list[str], list[str] | None]:
    random = np.random.default_rng(seed)
    form = seed % 6
    size = int(random.integers(8, 120))
    videos = [str(k) for k in random.integers(0, max(5, size // 3), size)]
    if form == 1:  # one video holds half of the items
        videos[: size // 2] = ["big"] * (size // 2)
    strata = [str(k) for k in random.integers(0, 5, size)] if form == 2 else None
    if form == 3:
        strata = [str(k % 4) for k in range(size)]
        videos = names(size)
    win, lose = random.random(2) * (0.02 if form == 4 else 0.4)
    values = random.choice([1.0, 0.0, -1.0], size, p=[win, 1 - win - lose, lose])
    if form == 5:
        values = values * random.integers(0, 5, size) / 4
    return values.tolist(), videos, strata


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_an_interval_excludes_0_exactly_where_p_is_below_5_percent(seed: int) -> None:
    values, videos, strata = _sample(seed)
    found = gain_estimate(values, videos, strata, resampled=FAST)
    if found.low is None or found.high is None or found.p is None:
        assert found.clusters < 5
        assert "fewer than 5 videos" in found.missing
        return
    assert -1 <= found.low <= found.high <= 1
    assert (found.low > 0 or found.high < 0) == (found.p < 0.05)
    mirrored = gain_estimate([-value for value in values], videos, strata, resampled=FAST)
    if found.method == "score":
        assert mirrored.p == pytest.approx(found.p)
        assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-9)


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_no_score_leaves_the_possible_range(seed: int) -> None:
    values, videos, strata = _sample(seed)
    scores = [abs(value) for value in values]
    found = score_estimate(scores, videos, strata, resampled=FAST)
    if found.low is None or found.high is None:
        assert found.missing
        return
    assert 0 <= found.low <= found.high <= 1
    assert width(found) > 0


def test_a_test_of_several_replicates_is_that_of_each() -> None:
    random = np.random.default_rng(0)
    design = Design.of([str(k // 3) for k in range(60)])
    many: NDArray[np.float64] = random.choice([1.0, 0.0, -1.0], (4, 60), p=[0.2, 0.7, 0.1])
    wins, losses = design.sums(np.maximum(many, 0)), design.sums(np.maximum(-many, 0))
    together = gain_test(design, wins, losses)
    for k in range(4):
        alone = gain_estimate(many[k].tolist(), [str(j // 3) for j in range(60)])
        assert alone.p == pytest.approx(float(together.p[k]))
        assert alone.low == pytest.approx(float(together.bounds.low[k]))


# Graded scores.


def test_with_one_item_a_video_the_bootstrap_is_near_scipys() -> None:
    values = np.random.default_rng(5).normal(0.2, 1, 80)
    design = Design.of(names(80))
    found = studentised(design, design.sums(values), draws=8000, seed=0)
    assert found is not None
    bca = stats.bootstrap((values,), np.mean, n_resamples=8000, random_state=0).confidence_interval
    assert (found.low, found.high) == pytest.approx((bca.low, bca.high), abs=0.03)
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)
    assert studentised(design, design.sums(values), draws=8000, seed=0) == found


def test_the_bootstrap_draws_whole_videos() -> None:
    values, videos = clustered(2)
    whole, alone = (
        gain_estimate(values, own, share=False, resampled=Resampled(2000))
        for own in (videos, names(len(values)))
    )
    assert whole.method == alone.method == "bootstrap"
    assert width(whole) > 1.3 * width(alone)


def test_where_draws_have_no_error_another_method_answers() -> None:
    values = [0.5, 0.25] + [0.0] * 58  # a third of the draws holds neither
    design = Design.of(names(60))
    assert studentised(design, design.sums(values), draws=400, seed=0) is None
    found = gain_estimate(values, names(60), resampled=FAST)
    assert (found.method, found.missing) == ("score", "")
    assert found.low is not None
    assert found.low < 0 < (found.high or 0)
    score = score_estimate(values, names(60), resampled=FAST)
    assert score.method == "exact"
    assert studentised(design, design.sums([0.5] * 60), draws=200, seed=0) is None


def test_fewer_than_five_videos_give_no_interval_and_say_so() -> None:
    for count in (1, 4):
        videos = [str(k % count) for k in range(20)]
        for found in (score_estimate([1.0, 0.0] * 10, videos), gain_estimate([1.0] * 20, videos)):
            assert (found.low, found.high, found.p, found.method) == (None, None, None, None)
            assert found.missing == f"no interval: fewer than 5 videos ({count})"
    columns = [str(k // 2) for k in range(6)]  # a mean over columns counts all its videos
    assert score_estimate([1.0, 0.0] * 3, names(6), columns).low is not None


def test_scores_of_no_known_range_have_ts_interval() -> None:
    values = [float(k * k) for k in range(12)]
    found = gain_estimate(values, names(12), share=False)
    assert found.method == "t"
    expected = stats.t.interval(0.95, found.freedom, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert gain_estimate([7.0] * 12, names(12), share=False).missing


# The rest.


def test_holm_is_that_of_statsmodels() -> None:
    p_values = {"a": 0.011, "b": 0.2, "c": 0.0004, "d": 0.04, "e": 0.04, "f": 1.0}
    expected = multipletests(list(p_values.values()), method="holm")[1]
    found = holm(p_values)
    assert [found[name] for name in p_values] == pytest.approx(list(expected))


def test_the_detectable_gain_has_the_power_of_statsmodels() -> None:
    size, deviation = 150, 0.7
    gain = detectable_gain(deviation / math.sqrt(size), size - 1, alpha=0.05, power=0.8)
    assert gain is not None
    power = TTestPower().power(gain / deviation, size, 0.05, alternative="two-sided")
    assert power == pytest.approx(0.8, abs=0.005)
    assert detectable_gain(0.0, 9, alpha=0.05, power=0.8) is None


def test_auc_is_that_of_the_rank_test() -> None:
    random = np.random.default_rng(0)
    right, wrong = random.integers(1, 11, 70), random.integers(1, 9, 50)
    expected = stats.mannwhitneyu(right, wrong).statistic / (70 * 50)
    assert auc(right.tolist(), wrong.tolist()) == pytest.approx(expected)
    scores = [*right.tolist(), *wrong.tolist()]
    flags = [True] * 70 + [False] * 50
    found = auc_interval(scores, flags, names(120), draws=4000, seed=0)
    assert found is not None
    areas: list[float] = []
    for _ in range(1500):  # the same by brute force
        drawn = random.integers(0, 120, 120)
        good = [scores[k] for k in drawn if flags[k]]
        bad = [scores[k] for k in drawn if not flags[k]]
        area = auc(good, bad)
        assert area is not None
        areas.append(area)
    assert found == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=0.02)
    assert auc([1.0], []) is None
    assert auc_interval(scores[:71], flags[:71], names(71), draws=400, seed=0) is None
