"""How often intervals and p-values of few or equal prompts are right, before and after; reruns; families.

`python -m benchmarks.calibration_small [--worlds 2000]` prints the tables of few prompts of docs/statistics.md, and
more. Of one run per arm nothing is simulated: every outcome of n prompts is enumerated with its probability. "Before"
is the bootstrap alone, as everything was up to 1faa6dd. Of several seeds: A and B pass a prompt with their rates, and
a seed answers as its arm's first with chance AGREEMENT, otherwise anew. Reruns: scores of calibration.World with a
base effect.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache

import numpy as np
from scipy import stats as distributions

from benchmarks.calibration import QUANTILES, World, table
from uniapl import stats
from uniapl.analyse import claims
from uniapl.config import Claim
from uniapl.stats import bootstrap, rerun, small
from uniapl.stats.comparison import difference_draws

SIZES = tuple(range(1, 21))
SHOWN = (1, 2, 3, 5, 10, 20)
LARGER = (30, 50, 100)
SHARES = sorted({k / 40 for k in range(41)} | {0.001, 0.005, 0.01, 0.02, 0.98, 0.99, 0.995, 0.999})
RATES = (0.0, 0.01, 0.5, 0.99, 1.0)
PAIRS = (
    (0, 0),
    (0.01, 0),
    (0.01, 0.01),
    (0.5, 0.5),
    (0.99, 0.01),
    (0.99, 0.5),
    (0.99, 0.99),
    (1, 0),
    (1, 0.99),
    (1, 1),
)
AGREEMENT = 0.8
RESAMPLES = 999
FAMILIES = (1, 4, 10)


def bootstrap_alone(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """(low, high, p) of (K, n) scores as before: quantiles and smaller tail of the draws, at 0."""
    d = difference_draws(a[None], b[None], RESAMPLES, np.random.default_rng(0))[:, 0]
    tail = min((d <= 1e-12).sum(), (d >= -1e-12).sum())
    return *np.quantile(d, QUANTILES), min(1.0, 2 * (1 + tail) / (RESAMPLES + 1))


@cache
def comparison_of(above: int, below: int, n: int) -> tuple[tuple[float, float, float], ...]:
    """(low, high, p) before and after, of n prompts of which A alone passes `above` and B alone `below`."""
    if above < below:
        return tuple((-high, -low, p) for low, high, p in comparison_of(below, above, n))
    a = np.repeat([1.0, 0.0, 0.0], [above, below, n - above - below])[None]
    b = np.repeat([0.0, 1.0, 0.0], [above, below, n - above - below])[None]
    c = stats.compare(a, b, rng=np.random.default_rng(0), resamples=RESAMPLES)
    return bootstrap_alone(a, b), (c.low, c.high, c.p)


def of_pairs(n: int, rate_a: float, rate_b: float) -> Iterator[tuple[float, float]]:
    """Before and after: the chance, in %, that the interval holds the difference, and that p <= 0.05."""
    p, q = rate_a * (1 - rate_b), rate_b * (1 - rate_a)
    outcomes = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    chances = distributions.multinomial.pmf([(i, j, n - i - j) for i, j in outcomes], n, [p, q, max(0.0, 1 - p - q)])
    for way in (0, 1):
        intervals = [
            (chance, comparison_of(*outcome, n)[way])
            for outcome, chance in zip(outcomes, chances, strict=True)
            if chance > 1e-12
        ]
        coverage = sum(chance for chance, (low, high, _) in intervals if low - 1e-9 <= p - q <= high + 1e-9)
        yield 100 * coverage, 100 * sum(chance for chance, (*_, p_value) in intervals if p_value <= 0.05 + 1e-9)


def of_bounds(n: int) -> float:
    """The chance, in %, that `paired_bounds` of n prompts hold p - q, at the worst SHARES p >= q that differ."""
    outcomes = np.array([(i, j, n - i - j) for i in range(n + 1) for j in range(n + 1 - i)])
    low, high = np.transpose([small.paired_bounds(np.repeat([1.0, -1.0, 0.0], x), 1.0) for x in outcomes])
    worst = 1.0
    for p, q in ((p, q) for p in SHARES for q in SHARES if q <= p and p + q <= 1 + 1e-9):
        held = (low - 1e-9 <= p - q) & (p - q <= high + 1e-9)
        chances = distributions.multinomial.pmf(outcomes[held], n, [p, q, max(0.0, 1 - p - q)])
        worst = min(worst, float(chances.sum()))
    return 100 * worst


@cache
def alone(k: int, n: int) -> tuple[tuple[float, float], ...]:
    """Bounds of one arm's k of n, before and after."""
    scores = (np.arange(n) < k).astype(float)[None]
    sums = bootstrap.resampled_sums(scores, RESAMPLES, np.random.default_rng(0)) / n
    before = stats.wilson(k, n) if k in (0, n) else tuple(np.quantile(sums, QUANTILES))
    after = stats.interval(scores, rng=np.random.default_rng(0), resamples=RESAMPLES)
    return before, (after.low, after.high)


def of_one_arm(n: int, rate: float) -> list[float]:
    """Before and after: the chance, in %, that the interval holds the rate."""
    chances = distributions.binom.pmf(range(n + 1), n, rate)
    covered = [[low <= rate <= high for low, high in alone(k, n)] for k in range(n + 1)]
    return (100 * chances @ np.array(covered, dtype=float)).tolist()


def seeds_that_agree(rate: float, seeds: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """(K, n): each prompt is passed with chance `rate`, and alike by most seeds."""
    first, anew = rng.random((1, n)) < rate, rng.random((seeds, n)) < rate
    return np.where(rng.random((seeds, n)) < AGREEMENT, first, anew).astype(float)


def of_seeds(n: int, rates: tuple[float, float], worlds: int) -> list[float]:
    """In %, 3 seeds per arm: the interval holds the difference before, after; p <= 0.05 before, after."""
    rng, rows = np.random.default_rng(n), []
    for _ in range(worlds):
        a, b = (seeds_that_agree(rate, 3, n, rng) for rate in rates)
        c, truth = stats.compare(a, b, rng=rng, resamples=RESAMPLES), rates[0] - rates[1]
        results = bootstrap_alone(a, b), (c.low, c.high, c.p)
        rows.append([low - 1e-9 <= truth <= high + 1e-9 for low, high, _ in results] + [p <= 0.05 for *_, p in results])
    return (100 * np.mean(rows, axis=0)).tolist()


def of_separated(seeds: int, gap: float, shared: float, worlds: int) -> float:
    """Coverage in % of the probability of improvement over three benchmarks in worlds where no draw of seeds differs.

    Normal seeds, A above by `gap` sd on two benchmarks and below on one; `shared` of their variance is one effect of
    the seed on all three.
    """
    rng, covered = np.random.default_rng(seeds), []
    signs = np.array([1, 1, -1])
    truth = distributions.norm.cdf(signs * gap / np.sqrt(2)).mean()
    for _ in range(worlds):
        a, b = (
            np.sqrt(shared) * rng.normal(size=(seeds, 1)) + np.sqrt(1 - shared) * rng.normal(size=(seeds, 3))
            for _ in range(2)
        )
        improvement = stats.probability_of_improvement(a + gap * signs, b, rng=rng, resamples=99)
        if "score interval" in improvement.method:
            covered.append(improvement.low <= truth <= improvement.high)
    return 100 * float(np.mean(covered)) if covered else float("nan")


def runs(world: World, base_sd: float, shared: bool, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """A run and its rerun, (K, n) of A and B each, on the same prompts. A base moves the pass rate of both arms of its
    seed by N(0, base_sd) points, and each arm by half as much again of its own; `shared`: one base per run."""
    prompt = rng.normal(0, np.sqrt(3.35), (1, world.prompts))
    scale = np.sqrt(4.35) / distributions.norm.pdf(distributions.norm.ppf(world.accuracy)) / 100
    centre, pairs = distributions.norm.ppf(world.accuracy) * np.sqrt(4.35), []
    for _ in range(2):
        base = rng.normal(0, base_sd * scale, (3, 1 if shared else world.seeds, 1))
        arms = []
        for of_arm in base[1:]:
            seed = rng.normal(0, world.seed_sd * scale, (world.seeds, 1))
            noise = rng.standard_normal((world.seeds, world.prompts))
            arms.append((centre + prompt + base[0] + of_arm / 2 + seed + noise > 0).astype(float))
        pairs.append(tuple(arms))
    return pairs


def of_reruns(seeds: int, base_sd: float, shared: bool, worlds: int) -> list[float]:
    """In %, how many reruns lie in: the confidence and the prediction interval of one arm; of the difference the
    confidence interval, the prediction with shared seeds, and with seeds apart; and first runs with a verdict."""
    world, rng, rows = World(seeds, 384, 2.0, 0.0), np.random.default_rng(seeds), []
    for _ in range(worlds):
        (a, b), (a2, b2) = runs(world, base_sd, shared, rng)
        sure = stats.interval(a, rng=rng, resamples=299)
        c = stats.compare(a, b, rng=rng, resamples=299)
        arm = rerun.predict_mean(a)
        pairs = [rerun.predict_difference(a, b, shared_seeds=x) for x in (True, False)]
        mean, difference = a2.mean(), a2.mean() - b2.mean()
        covered = [x.low <= mean <= x.high for x in (sure, arm)] + [x.low <= difference <= x.high for x in (c, *pairs)]
        rows.append([*covered, min(c.low, c.seed_low) > 0 or max(c.high, c.seed_high) < 0])
    return (100 * np.mean(rows, axis=0)).tolist()


def of_families(size: int, base_sd: float, shared: bool, worlds: int) -> list[float]:
    """In %: families without a true difference that have a verdict, before Holm's adjustment and after it. 5 seeds,
    every claim of two arms of its own."""
    rng, rows, world = np.random.default_rng(size), [], World(5, 384, 2.0, 0.0)
    for _ in range(worlds):
        rows_of_family = []
        for number in range(size):
            a, b = runs(world, base_sd, shared, rng)[0]
            c = stats.compare(a, b, rng=rng, resamples=999)
            claim = Claim(f"c{number}", "", "ours", "accuracy", "a", "b", "above")
            bounds = dict(low=c.low, high=c.high, seed_low=c.seed_low, seed_high=c.seed_high)
            finding = claims.Finding(c.estimate, **bounds, n_seeds=5, n_prompts=384, p=c.p, p_seeds=c.p_seeds)
            rows_of_family.append(claims.judge(claim, finding))
        verdicts = [(row["unadjusted"], row["verdict"]) for row in claims.adjusted(rows_of_family)]
        rows.append([any(way != claims.UNDECIDED for way in ways) for ways in zip(*verdicts, strict=True)])
    return (100 * np.mean(rows, axis=0)).tolist()


def both(before: float, after: float) -> str:
    return f"{before:.1f} / {after:.1f}"


def report(worlds: int) -> str:
    """The tables as Markdown."""
    coverage, errors, one_arm = [], [], []
    for rates in PAIRS:
        by_size = {n: list(of_pairs(n, *rates)) for n in SIZES}
        ways = [[x[way][0] for x in by_size.values()] for way in (0, 1)]
        cells = [both(by_size[n][0][0], by_size[n][1][0]) for n in SHOWN]
        coverage.append([f"{rates[0]:g}, {rates[1]:g}", *cells, both(min(ways[0]), min(ways[1]))])
        if rates[0] == rates[1]:
            ways = [[x[way][1] for x in by_size.values()] for way in (0, 1)]
            cells = [both(by_size[n][0][1], by_size[n][1][1]) for n in SHOWN]
            errors.append([f"{rates[0]:g}", *cells, both(max(ways[0]), max(ways[1]))])
    for rate in RATES:
        by_size = {n: of_one_arm(n, rate) for n in SIZES}
        worst = both(*(min(x[way] for x in by_size.values()) for way in (0, 1)))
        one_arm.append([f"{rate:g}", *(both(*by_size[n]) for n in SHOWN), worst])
    lowest = {n: both(*np.min([of_one_arm(n, rate) for rate in SHARES], axis=0)) for n in SIZES}
    worst = both(*np.min([of_one_arm(n, rate) for n in SIZES for rate in SHARES], axis=0))
    one_arm.append(["worst of all rates", *(lowest[n] for n in SHOWN), worst])
    seeds = []
    for rates, n in itertools.product(((0.01, 0.01), (0.5, 0.5), (0.99, 0.99), (0.99, 0.01)), (1, 5, 20)):
        x = of_seeds(n, rates, worlds // 4)
        null = [both(*x[2:])] if rates[0] == rates[1] else [""]
        seeds.append([f"{rates[0]:g}, {rates[1]:g}; {n} prompts", both(*x[:2]), *null])
    separated = [
        [f"{k} seeds, shared {share:g}", *(f"{of_separated(k, gap, share, 4 * worlds):.1f}" for gap in (1.0, 2.0, 4.0))]
        for k, share in itertools.product((3, 5), (0.0, 0.8))
    ]
    again, families = [], []
    for (sd, shared), k in itertools.product(((0.0, False), (4.0, False), (4.0, True)), (3, 5)):
        again.append([_base(sd, shared) + f", {k} seeds", *(f"{x:.1f}" for x in of_reruns(k, sd, shared, worlds))])
    for (sd, shared), size in itertools.product(((0.0, False), (4.0, False), (4.0, True)), FAMILIES):
        rates = of_families(size, sd, shared, max(100, worlds // size // 2))
        families.append([f"{_base(sd, shared)}, {size} claims", *(f"{x:.1f}" for x in rates)])
    bounds = {n: of_bounds(n) for n in (*SIZES, *LARGER)}
    least = min(bounds[n] for n in SIZES)
    head = ["", *(f"n = {n}" for n in SHOWN), "worst of 1 to 20"]
    parts = {
        "Bounds of pairs: coverage at the worst shares of prompts that only A or B passes, in %, exact.": (
            [*head[1:], *(f"n = {n}" for n in LARGER)],
            [[f"{x:.1f}" for x in (*(bounds[n] for n in SHOWN), least, *(bounds[n] for n in LARGER))]],
        ),
        "One run each, rates of A and B: coverage of the difference before / after, in %, exact.": (head, coverage),
        "Equal rates of A and B: p <= 0.05 before / after, in %, exact.": (head, errors),
        "One arm, its rate: coverage before / after, in %, exact.": (head, one_arm),
        "Three seeds per arm that agree on 80 % of prompts: before / after, in %.": (
            ["rates", "coverage", "p <= 0.05"],
            seeds,
        ),
        "Probability of improvement where no draw of seeds differs: coverage in %, three benchmarks.": (
            ["", "1 sd apart", "2 sd", "4 sd"],
            separated,
        ),
        "Reruns that lie in an interval of the first run, in %; and first runs with a verdict by both intervals.": (
            ["base", "arm: 95 % CI", "arm: prediction", "difference: 95 % CI", "shared seeds", "apart", "verdict"],
            again,
        ),
        "Families without a true difference that have a verdict, in %.": (
            ["", "each by its intervals", "after Holm"],
            families,
        ),
    }
    return "\n\n".join(f"{caption}\n\n{table(*rows)}" for caption, rows in parts.items())


def _base(sd: float, shared: bool) -> str:
    return "no base effect" if sd == 0 else f"{sd:g} points, one base per {'run' if shared else 'seed'}"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=2000, help="of a simulated cell; 8 or more")
    args = parser.parse_args(argv)
    if args.worlds < 8:
        parser.error("--worlds must be 8 or more")
    print(f"{date.today()}, {args.worlds:,} worlds, {RESAMPLES} resamples\n\n{report(args.worlds)}")


if __name__ == "__main__":
    main()
