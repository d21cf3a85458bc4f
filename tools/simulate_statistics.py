"""Measure how often intervals cover and tests reject: `python tools/simulate_statistics.py --help`.

Prints one line of JSON. Any subset of the options can be given. Questions come in videos
("clusters"), and answers about one video are alike. The data are drawn by other rules than the
intervals assume: each video has shares of its own (beta or Dirichlet distributed, or by a Gaussian
copula), and the videos' sizes differ. Where every question has a video of its own, the result is
no simulation but the sum over every possible outcome, and `exact` is true.

coverage: share of the intervals that hold the truth. width: their mean width. false_alarms: share
of tests at p < .05 where there is no difference. given: share of replicates that get an interval
at all; without any, nothing is claimed, and coverage is 1 and width all that is possible.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.statistics.bounded import gain_test, score_bounds
from aurelia_plugin.statistics.clusters import Design
from aurelia_plugin.statistics.effective import FEWEST_CLUSTERS
from aurelia_plugin.statistics.pairs import pair_bounds, pair_p
from aurelia_plugin.statistics.proportions import Bounds, proportion_bounds

ALPHA = 0.05
DESIGNS = 10  # different draws of the videos' sizes, over which the replicates are spread
CELLS = 2_000_000  # numbers drawn at once
LARGEST_TABLE = 40  # questions of a video whose outcomes are listed one by one
MEASURED = ("coverage", "width", "false_alarms", "given")
SIZES = ("equal", "varied", "skewed", "half")

Array = NDArray[np.float64]


class Shares(NamedTuple):
    """True shares of pairs that the arm wins and loses."""

    wins: float
    losses: float


class Tally(NamedTuple):
    """What some replicates showed, weighted by their probability."""

    covered: float
    width: float
    alarms: float


def sizes(random: np.random.Generator, items: int, mean: float, form: str) -> list[int]:
    """Return the sizes of videos with `items` questions together."""
    if form == "half":
        rest = sizes(random, items - items // 2, mean, "varied")
        return [items // 2, *rest]
    found: list[int] = []
    left = items
    while left > 0:
        drawn = float(mean)
        if form == "varied":
            drawn = float(random.integers(1, max(2, round(2 * mean))))
        elif form == "skewed":
            drawn = float(random.lognormal(np.log(mean) - 0.6, 1.1))
        found.append(min(left, max(1, round(drawn))))
        left -= found[-1]
    return found


def draw_design(random: np.random.Generator, options: argparse.Namespace) -> Design:
    """Draw videos inside columns of equal length (to one question)."""
    clusters: list[int] = []
    strata: list[int] = []
    for column, items in enumerate(np.array_split(np.arange(options.n), options.columns)):
        own = sizes(random, len(items), min(options.clusters, len(items)), options.sizes)
        for size in own:
            clusters += [clusters[-1] + 1 if clusters else 0] * size
        strata += [column] * len(items)
    return Design.of(clusters, strata)


def draw(
    random: np.random.Generator, design: Design, shares: Shares, rows: int, how: tuple[str, float]
) -> tuple[Array, Array]:
    """Draw how many pairs of each video are won and lost: [rows, cells] each.

    Args:
        how: the model of dependence and the correlation inside a video.
    """
    model, correlation = how
    if model == "copula":
        return _copula(random, design, shares, rows, correlation)
    wins, losses = (np.zeros((rows, len(design.cells))) for _ in range(2))
    for size in np.unique(design.cell_sizes.astype(int)):
        places = np.flatnonzero(design.cell_sizes == size)
        if size > LARGEST_TABLE:
            wins[:, places], losses[:, places] = _direct(
                random, int(size), (rows, len(places)), shares, correlation
            )
            continue
        won, lost, chance = _outcomes_of_a_video(int(size), shares, correlation)
        drawn = np.searchsorted(np.cumsum(chance), random.random((rows, len(places))))
        drawn = np.minimum(drawn, len(chance) - 1)
        wins[:, places], losses[:, places] = won[drawn], lost[drawn]
    return wins, losses


def _outcomes_of_a_video(
    size: int, shares: Shares, correlation: float
) -> tuple[Array, Array, Array]:
    """Return pairs won and lost of a video, with probabilities (Dirichlet-multinomial)."""
    grid = [(won, lost) for won in range(size + 1) for lost in range(size + 1 - won)]
    won, lost = np.array(grid, dtype=float).T
    counts = np.stack([won, lost, size - won - lost])
    parts = np.array([*shares, max(0.0, 1 - sum(shares))])
    if correlation >= 1:
        chance = (counts == size).T @ parts
    elif correlation <= 0:
        chance = stats.multinomial.pmf(counts.T, size, parts / parts.sum())
    else:
        weights = np.maximum(parts, 1e-12)[:, None] * (1 / correlation - 1)
        total = weights.sum()
        log = special.gammaln(size + 1) + special.gammaln(total) - special.gammaln(size + total)
        log = log + (
            special.gammaln(counts + weights)
            - special.gammaln(counts + 1)
            - special.gammaln(weights)
        ).sum(axis=0)
        chance = np.exp(log)
    order = np.argsort(-chance)  # likely ones first
    return won[order], lost[order], chance[order]


def _direct(
    random: np.random.Generator,
    size: int,
    shape: tuple[int, int],
    shares: Shares,
    correlation: float,
) -> tuple[Array, Array]:
    """Draw videos that are too large for a table of every outcome."""
    parts = [*shares, max(0.0, 1 - sum(shares))]
    if correlation >= 1:
        fate = random.random(shape)
        won = (fate < shares.wins).astype(float)
        return size * won, size * (fate > 1 - shares.losses).astype(float)
    drawn = [np.full(shape, share) for share in parts]
    if correlation > 0:
        weight = 1 / correlation - 1
        drawn = [random.standard_gamma(max(1e-12, share * weight), shape) for share in parts]
    total = np.maximum(sum(drawn), 1e-300)
    won = random.binomial(size, np.minimum(1, drawn[0] / total))
    chance = np.clip(drawn[1] / np.maximum(1e-300, total - drawn[0]), 0, 1)
    return won.astype(float), random.binomial(size - won, chance).astype(float)


def _copula(
    random: np.random.Generator, design: Design, shares: Shares, rows: int, correlation: float
) -> tuple[Array, Array]:
    place = np.repeat(np.arange(len(design.cells)), design.cell_sizes.astype(int))
    shared = random.standard_normal((rows, len(design.cells)))[:, place] * np.sqrt(correlation)
    latent = shared + random.standard_normal((rows, len(place))) * np.sqrt(1 - correlation)
    wins = (latent < special.ndtri(shares.wins)).astype(float)
    losses = (latent > -special.ndtri(shares.losses)).astype(float)
    return (
        np.asarray(np.add.reduceat(wins, design.cells, axis=-1)),
        np.asarray(np.add.reduceat(losses, design.cells, axis=-1)),
    )


def simulate(options: argparse.Namespace) -> dict[str, float]:
    """Return coverage, width, false alarms and the share of replicates that get an interval."""
    random = np.random.default_rng(options.seed)
    truth = true_shares(options)
    how = (options.dependence, options.correlation)
    totals, given, rows = np.zeros(4), 0, 0
    for _ in range(DESIGNS):
        design = draw_design(random, options)
        left = -(-options.replicates // DESIGNS)
        rows += left
        if design.clusters < FEWEST_CLUSTERS:
            continue
        given += left
        breadth = options.n if options.dependence == "copula" else len(design.cells)
        while left > 0:
            some = min(left, max(1, CELLS // breadth))
            left -= some
            totals += some * np.array(_replicates(random, design, truth, options, some, how))
    if not given:
        return {"coverage": 1.0, "width": span(options.kind), "false_alarms": 0.0, "given": 0.0}
    score, gain, width, alarms = (float(value) / given for value in totals)
    coverage = {"score": score, "gain": gain, "mean": min(score, gain)}[options.kind]
    return {
        "coverage": coverage, "width": width, "false_alarms": alarms, "given": given / rows
    }  # fmt: skip


def _replicates(
    random: np.random.Generator,
    design: Design,
    truth: Shares,
    options: argparse.Namespace,
    rows: int,
    how: tuple[str, float],
) -> tuple[float, float, float, float]:
    score_held, gain_held, width = 1.0, 1.0, 0.0
    if options.kind != "gain":
        right, _ = draw(random, design, Shares(options.p, 0.0), rows, how)
        bounds = score_bounds(design, right)
        score_held, width = _held(bounds, options.p), _width(bounds)
    if options.kind != "score":
        bounds = gain_test(design, *draw(random, design, truth, rows, how)).bounds
        gain_held, width = _held(bounds, truth.wins - truth.losses), _width(bounds)
    alarms = gain_test(design, *draw(random, design, null_of(truth), rows, how)).p < ALPHA
    return score_held, gain_held, width, float(alarms.mean())


def _held(bounds: Bounds, truth: float) -> float:
    near = 1e-12
    return float(((bounds.low <= truth + near) & (truth - near <= bounds.high)).mean())


def _width(bounds: Bounds) -> float:
    return float((bounds.high - bounds.low).mean())


def enumerated(options: argparse.Namespace) -> dict[str, float]:
    """Return the same over every possible outcome; every question has a video of its own."""
    n, truth = options.n, true_shares(options)
    if n < FEWEST_CLUSTERS:
        return {"coverage": 1.0, "width": span(options.kind), "false_alarms": 0.0, "given": 0.0}
    if options.kind == "score":
        right = np.arange(n + 1)
        chance = stats.binom.pmf(right, n, options.p)
        bounds, aim = proportion_bounds(right / n, n), options.p
    else:
        won, lost, chance = _outcomes(n, truth)
        bounds, aim = pair_bounds(won / n, lost / n, n), truth.wins - truth.losses
    held = (bounds.low <= aim + 1e-12) & (aim - 1e-12 <= bounds.high)
    won, lost, under_null = _outcomes(n, null_of(truth))
    return {
        "coverage": float(chance[held].sum() / chance.sum()),
        "width": float((chance * (bounds.high - bounds.low)).sum() / chance.sum()),
        "false_alarms": float(under_null[pair_p(won / n, lost / n, n) < ALPHA].sum()),
        "given": 1.0,
    }


def _outcomes(n: int, shares: Shares) -> tuple[Array, Array, Array]:
    """Return pairs won and lost, and the probability; what lies ten errors off is left out."""

    def within(share: float) -> NDArray[np.int64]:
        reach = 10 * np.sqrt(n * share * (1 - share)) + 12
        return np.arange(max(0, int(n * share - reach)), min(n, int(n * share + reach)) + 1)

    won, lost = np.meshgrid(within(shares.wins), within(shares.losses), indexing="ij")
    kept = won + lost <= n
    won, lost = won[kept], lost[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = shares.losses / max(1e-300, 1 - shares.wins)
        chance = stats.binom.pmf(won, n, shares.wins) * stats.binom.pmf(lost, n - won, rest)
    likely = chance > 1e-13
    return won[likely].astype(float), lost[likely].astype(float), chance[likely]


def true_shares(options: argparse.Namespace) -> Shares:
    """Return the true shares of pairs won and lost."""
    if options.kind == "score":  # two arms of this score that know nothing of each other
        share = options.p * (1 - options.p)
        return Shares(share, share)
    wins = min(0.1, 1 - options.p) if options.wins is None else options.wins
    return Shares(min(wins, 1 - options.losses), options.losses)


def null_of(shares: Shares) -> Shares:
    """Return as many discordant pairs, won and lost alike."""
    half = (shares.wins + shares.losses) / 2
    return Shares(half, half)


def span(kind: str) -> float:
    """Return the width of all that is possible."""
    return 1.0 if kind == "score" else 2.0


def measured(options: argparse.Namespace) -> dict[str, object]:
    """Return the result with the options that it is for."""
    found = enumerated(options) if is_exact(options) else simulate(options)
    return {**{key: round(value, 5) for key, value in found.items()}, **asked_of(options)}


def is_exact(options: argparse.Namespace) -> bool:
    """Return whether every possible outcome is summed: each question has a video of its own."""
    return bool(options.clusters <= 1 and options.columns == 1 and options.sizes != "half")


def asked_of(options: argparse.Namespace) -> dict[str, object]:
    """Return the options that a result is for, as its row names them."""
    truth, exact = true_shares(options), is_exact(options)
    asked: dict[str, object] = {"kind": options.kind, "n": options.n, "p": options.p}
    if options.kind != "score":
        asked |= {"wins": round(truth.wins, 6), "losses": truth.losses}
    asked |= {name: getattr(options, name) for name in ("clusters", "correlation", "sizes")}
    asked |= {"columns": options.columns, "dependence": options.dependence}
    if not exact:
        asked |= {"replicates": options.replicates, "seed": options.seed}
    return {**asked, "exact": exact}


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = made.add_argument
    add("--kind", choices=("score", "gain", "mean"), default="score",
        help="score: the mean of right/wrong scores (false alarms: two arms of this score, "
        "compared); gain: paired difference of two arms; mean: mean over columns, of scores and of "
        "gains (the lower coverage of both, the gain's width)")  # fmt: skip
    add("--n", type=int, default=210, help="questions, of all columns together (210)")
    add("--p", type=float, default=0.9, help="true score; of a gain, the reference's (0.9)")
    add("--losses", type=float, default=0.0, help="share of pairs that the arm loses (0)")
    add("--wins", type=float, help="share of pairs that it wins (1 - p, at most 0.1)")
    add("--clusters", type=float, default=1.0, help="mean number of questions a video (1)")
    add("--correlation", type=float, default=0.3,
        help="of answers about one video (0.3); 1: all of a video share their fate")  # fmt: skip
    add("--columns", type=int, help="columns of equal length (mean: 7, else 1)")
    add("--sizes", choices=SIZES, default="varied",
        help="videos' sizes: all alike, from 1 to twice the mean, log-normal, or one video with "
        "half of all questions")  # fmt: skip
    add("--dependence", choices=("dirichlet", "copula"), default="dirichlet")
    add("--replicates", type=int, default=20_000)
    add("--seed", type=int, default=0)
    add(
        "--table",
        type=Path,
        metavar="FILE",
        help="write every row of the documented table; rows that FILE has are kept",
    )
    return made


def complete(options: argparse.Namespace) -> argparse.Namespace:
    """Fill in what depends on other options; refuse what cannot be."""
    if options.columns is None:
        options.columns = 7 if options.kind == "mean" else 1
    for name in ("p", "losses", "correlation"):
        if not 0 <= getattr(options, name) <= 1:
            raise SystemExit(f"--{name} {getattr(options, name)}: give a share from 0 to 1.")
    if options.n < options.columns or options.columns < 1 or options.clusters < 1:
        raise SystemExit("Give at least one question a column and a video.")
    return options


def main(say: Callable[[str], None] = print) -> None:
    """Print one result, or write the table."""
    options = complete(parser().parse_args())
    if options.table is None:
        say(json.dumps(measured(options)))
        return
    write_table(options)


def write_table(options: argparse.Namespace) -> None:
    """Write the documented table, a row at a time, so that it can be stopped and gone on with."""
    rows = {_asked(row): row for row in _rows_of(options.table)}
    wanted = [_complete_row(row, options) for row in documented()]
    keys = [_asked(asked_of(each)) for each in wanted]
    for key, each in zip(keys, wanted, strict=True):
        if key not in rows:
            rows[key] = measured(each)
            lines = [f"{json.dumps(rows[known])}\n" for known in keys if known in rows]
            write_atomically(options.table, "".join(lines).encode())


def _complete_row(row: Mapping[str, object], options: argparse.Namespace) -> argparse.Namespace:
    given = [f"--{key}={value}" for key, value in row.items()]
    given += [f"--replicates={options.replicates}", f"--seed={options.seed}"]
    return complete(parser().parse_args(given))


def _rows_of(table: Path) -> list[dict[str, object]]:
    """Return the rows that are written already."""
    if not table.exists():
        return []
    return [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]


def _asked(row: Mapping[str, object]) -> str:
    """Return a row without what was measured, as a key."""
    return json.dumps({key: value for key, value in row.items() if key not in MEASURED})


def documented() -> Iterator[dict[str, object]]:
    """Yield the options of every row of the table in docs/explanation/statistics.md."""
    counts = (42, 100, 210, 700, 4500)
    clustered = [(1, 0.0)] + [(size, rho) for size in (3, 20) for rho in (0.0, 0.3, 1.0)]
    for n in counts:
        for size, rho in clustered:
            about = {"n": n, "clusters": size, "correlation": rho}
            for p in (0.5, 0.8, 0.9, 0.95, 0.97, 0.99):
                yield {"kind": "score", "p": p, **about}
            for losses in (0.0, 0.01, 0.05):
                for wins in (0.01, 0.1):
                    yield {"kind": "gain", "losses": losses, "wins": wins, **about}
    for each in (2, 3, 5, 10, 30):
        for columns in (3, 7):
            for size, rho in ((1, 0.0), (3, 0.3), (3, 1.0)):
                about = {"n": each * columns, "columns": columns, "clusters": size}
                for p in (0.5, 0.95):
                    for losses in (0.0, 0.05):
                        yield {"kind": "mean", "p": p, "losses": losses, "correlation": rho} | about


if __name__ == "__main__":
    main()
