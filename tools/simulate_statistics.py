"""Measure how often intervals cover and tests reject: `python tools/simulate_statistics.py`.

Questions come in videos, with 1 to 5 questions each; what is seen in a video makes its questions
alike (a latent normal share), and each arm has a luck of its own with a video, so that gains are
alike within a video too. Intervals should cover the truth in 93 to 97% of the replicates, and
tests should reject a true null in 3 to 7% at the 5% level. The figures are recorded in
docs/comparing.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from aurelia_plugin.benchmark.scoring.intervals import interval
from aurelia_plugin.compare import statistics
from aurelia_plugin.compare.result import Interval
from aurelia_plugin.compare.statistics import ClusterSums

ALPHA = 0.05
SHARED = 0.4  # of the latent variance: the video, and each arm's luck with it


class Rate(NamedTuple):
    """A share of replicates with its own 95% interval (Wilson)."""

    name: str
    design: str
    hits: int
    replicates: int

    def line(self) -> str:
        """Return the rate as one line of a table."""
        share = self.hits / self.replicates
        error = np.sqrt(share * (1 - share) / self.replicates)
        low, high = interval(share, float(error), self.replicates)
        bounds = f"{100 * low:.1f} to {100 * high:.1f}" if low is not None else ""
        return f"| {self.design} | {self.name} | {100 * share:.1f} | {bounds} |"


class Pair(NamedTuple):
    """Two arms over the same questions, and what the truth is."""

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    videos: list[str]
    columns: list[str]


def draw(
    random: np.random.Generator,
    videos: int,
    shares: tuple[float, float],
    *,
    largest: int = 5,
    levels: int = 1,
    columns: int = 1,
) -> Pair:
    """Draw one replicate.

    Args:
        shares: the true mean score of each arm.
        largest: most questions of a video; 1 makes questions independent.
        levels: 1 for right/wrong; k for scores in steps of 1/k (k facts of an item).
    """
    sizes = random.integers(1, largest + 1, videos)
    place = np.repeat(np.arange(videos), sizes)
    count = len(place)
    scene = random.normal(size=videos)[place] * np.sqrt(SHARED)
    scores = []
    for share in shares:
        luck = random.normal(size=videos)[place] * np.sqrt(SHARED)
        noise = random.normal(size=(levels, count)) * np.sqrt(1 - SHARED)
        # The latent variance is 1 + SHARED; the threshold gives the wanted share.
        below = scene + luck + noise < stats.norm.ppf(share) * np.sqrt(1 + SHARED)
        scores.append(below.mean(axis=0))
    of_video = random.integers(0, columns, videos)[place]
    return Pair(scores[0], scores[1], [str(k) for k in place], [str(k) for k in of_video])


def _covers(found: Interval | None, truth: float) -> bool:
    return found is not None and found.low <= truth <= found.high


def check(
    name: str, design: dict[str, int], shares: tuple[float, float], replicates: int, draws: int
) -> list[Rate]:
    """Return the rates of one design."""
    random = np.random.default_rng(hash_of(name))
    truth = shares[1] - shares[0]
    hits: dict[str, int] = {}
    for replicate in range(replicates):
        pair = draw(random, shares=shares, **design)  # type: ignore[arg-type]
        for key, hit in _checks(pair, shares, truth, design, draws, replicate):
            hits[key] = hits.get(key, 0) + hit
    return [Rate(key, name, count, replicates) for key, count in hits.items()]


def hash_of(text: str) -> int:
    """Return a number that is the same in every process."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def _checks(
    pair: Pair,
    shares: tuple[float, float],
    truth: float,
    design: dict[str, int],
    draws: int,
    seed: int,
) -> Iterator[tuple[str, bool]]:
    strata = pair.columns if design.get("columns", 1) > 1 else None
    score = ClusterSums.of(pair.first.tolist(), pair.videos, strata)
    gain = ClusterSums.of((pair.second - pair.first).tolist(), pair.videos, strata)
    low, high = interval(score.mean, score.error, score.size)
    analytic = Interval(low=low, high=high) if low is not None and high is not None else None
    yield "score, analytic interval covers", _covers(analytic, shares[0])
    boot = statistics.bootstrap(score, draws=draws, seed=seed, bounds=(0.0, 1.0))
    yield "score, bootstrap interval covers", _covers(boot.interval, shares[0])
    by_t = statistics.t_interval(gain.mean, gain.error, gain.size, 1 - ALPHA)
    yield "gain, analytic interval covers", _covers(by_t, truth)
    boot = statistics.bootstrap(gain, draws=draws, seed=seed)
    yield "gain, bootstrap interval covers", _covers(boot.interval, truth)
    if truth != 0:
        return
    yield "bootstrap test rejects", boot.p is not None and boot.p <= ALPHA
    if design.get("levels", 1) > 1 or strata is not None:
        return
    deltas = (pair.second - pair.first).astype(int)
    wins, losses = int((deltas > 0).sum()), int((deltas < 0).sum())
    exact = statistics.exact_mcnemar(wins, losses)
    yield "McNemar as if independent rejects", exact <= ALPHA
    if design.get("largest", 5) > 1:
        clustered = statistics.clustered_mcnemar(deltas.tolist(), pair.videos)
        yield "McNemar over videos rejects", clustered <= ALPHA


def holm_rate(replicates: int) -> Rate:
    """Return how often Holm's correction over seven null columns rejects any."""
    random = np.random.default_rng(7)
    hits = 0
    for _ in range(replicates):
        p_values = {}
        for column in range(7):
            pair = draw(random, 60, (0.4, 0.4))
            deltas = (pair.second - pair.first).astype(int).tolist()
            p_values[str(column)] = statistics.clustered_mcnemar(deltas, pair.videos)
        hits += min(statistics.holm(p_values).values()) <= ALPHA
    return Rate("Holm over 7 columns rejects any", "right/wrong, 60 videos each", hits, replicates)


DESIGNS: dict[str, tuple[dict[str, int], tuple[float, float]]] = {
    "right/wrong, 40 videos": ({"videos": 40}, (0.35, 0.35)),
    "right/wrong, 200 videos": ({"videos": 200}, (0.35, 0.35)),
    "right/wrong near the top, 200 videos": ({"videos": 200}, (0.85, 0.85)),
    "right/wrong, 200 videos, gain 5": ({"videos": 200}, (0.35, 0.40)),
    "graded, 40 videos": ({"videos": 40, "levels": 4}, (0.5, 0.5)),
    "graded, 200 videos": ({"videos": 200, "levels": 4}, (0.5, 0.5)),
    "mean over 7 columns, 400 videos": ({"videos": 400, "columns": 7}, (0.35, 0.35)),
    "right/wrong, 500 independent questions": ({"videos": 500, "largest": 1}, (0.35, 0.35)),
}


def main(say: Callable[[str], None] = print) -> None:
    """Run every design and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=499)
    options = parser.parse_args()
    say("| design | what | % | 95% of the simulation |\n|---|---|---:|---:|")
    for name, (design, shares) in DESIGNS.items():
        for rate in check(name, design, shares, options.replicates, options.draws):
            say(rate.line())
    say(holm_rate(options.replicates).line())


if __name__ == "__main__":
    main()
