"""How often the intervals and the verdicts of uniapl/stats are right, in simulated worlds where the truth is known.

`python -m benchmarks.calibration [--worlds 4000]` prints the tables of docs/statistics.md, on two processes. A world:

    score_kj = 1 if  arm + prompt_j + own_j + seed_k + noise_kj > 0        noise: standard normal

`prompt` is common to both arms, `own` an arm's interaction with the prompt, and `noise` the seed x prompt interaction,
of which one response per seed and prompt shows no more. All are normal, so the accuracy is known: Phi(arm / total sd).
Prompts and interaction together have the variance SPREAD, at which two seeds of an arm disagree on 21 % of prompts; at
the tiny scale they disagree on 12 to 25 %. Resampling and intervals are the project's own functions, on many worlds at
once; the test compares them with `compare`, `interval` and `judge` world by world.
"""

import argparse
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from multiprocessing import Pool

import numpy as np
from scipy import stats as distributions

from uniapl import stats
from uniapl.stats import bootstrap
from uniapl.stats.comparison import difference_draws

SPREAD = 3.35
BATCH = 100  # worlds that share their draws of prompts
NAMES = {0.0: "no interaction", 0.4: "interaction"}
SEEDS, PROMPTS, SEED_SD, INTERACTION = (3, 5), (128, 256, 541), (0, 1, 2, 4, 8), tuple(NAMES)
SHIFTS, AGGREGATED = (0.0, 0.1, 0.5), (3, 5, 10)
QUANTILES = (0.025, 0.975)
INTERVALS = ("compare", "one arm", "t over seeds", "seeds redrawn")
HARD = {  # accuracy, seed sd in points, B without seeds
    "accuracy 5 %, seed sd 1": (0.05, 1, False),
    "accuracy 95 %, seed sd 2": (0.95, 2, False),
    "against one checkpoint, seed sd 2": (0.6, 2, True),
}


@dataclass(frozen=True)
class World:
    """`seed_sd` in points; `interaction`: the arms' own share of SPREAD; `base`: B is one checkpoint without seeds."""

    seeds: int
    prompts: int
    seed_sd: float
    interaction: float
    accuracy: float = 0.6
    difference: float = 0.0
    base: bool = False

    def scores(self, worlds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(worlds, K, n) of A, whose accuracy is `accuracy` + half the difference, and of B with minus half."""
        scale = np.sqrt(SPREAD + 1)
        seed_sd = self.seed_sd / 100 * scale / distributions.norm.pdf(distributions.norm.ppf(self.accuracy))
        prompt = rng.normal(0, np.sqrt((1 - self.interaction) * SPREAD), (worlds, 1, self.prompts))

        def arm(accuracy: float, seeds: int, seed_sd: float) -> np.ndarray:
            centre = distributions.norm.ppf(accuracy) * np.hypot(scale, seed_sd)
            interaction = rng.normal(0, np.sqrt(self.interaction * SPREAD), prompt.shape)
            seed = rng.normal(0, seed_sd, (worlds, seeds, 1))
            noise = rng.standard_normal((worlds, seeds, self.prompts))
            return (centre + prompt + interaction + seed + noise > 0).astype(float)

        half = self.difference / 2
        b = (1, 0.0) if self.base else (self.seeds, seed_sd)
        return arm(self.accuracy + half, self.seeds, seed_sd), arm(self.accuracy - half, *b)


def welch_bounds(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(W,) bounds of the t interval over seeds; both are the estimate where no seed differs."""
    v, df = bootstrap.welch(bootstrap.seed_variance(a), bootstrap.seed_variance(b), a.shape[1], b.shape[1])
    estimate = a.mean(axis=(1, 2)) - b.mean(axis=(1, 2))
    half = distributions.t.ppf(QUANTILES[1], df) * np.sqrt(v)
    return estimate - half, estimate + half


def redrawn_bounds(a: np.ndarray, b: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(2, W) quantiles where seeds too are drawn with replacement, for comparison."""
    sums = bootstrap.resampled_sums(np.concatenate([a, b], axis=1).reshape(-1, a.shape[2]), resamples, rng)
    sums = sums.reshape(resamples, len(a), -1) / a.shape[2]

    def over_seeds(of_arm: np.ndarray) -> np.ndarray:
        seeds = of_arm.shape[2]
        seed_counts = bootstrap.counts(seeds, resamples * len(a), rng).reshape(of_arm.shape)
        return (of_arm * seed_counts).sum(axis=2) / seeds

    return np.quantile(over_seeds(sums[..., : a.shape[1]]) - over_seeds(sums[..., a.shape[1] :]), QUANTILES, axis=0)


def arm_draws(a: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(R, W) resamples of the mean of one arm (W, K, n), as in `stats.interval`."""
    seeds, n = a.shape[1:]
    means = a.mean(axis=1)
    _, share = bootstrap.prompt_variance(means, bootstrap.residual(a) / (seeds * n))
    v, df = bootstrap.seed_variance(a), np.full(len(a), max(1, seeds - 1))
    return bootstrap.draws(means, share, v, df, resamples, rng).clip(0, 1)


def measure(world: World, worlds: int, resamples: int, seed: int) -> dict[str, float]:
    """Shares of the worlds, in %: an interval holds the truth, a verdict falls either way; and the formula's power."""
    rng, rows, parts = np.random.default_rng(seed), [], []
    for _ in range(worlds // BATCH):
        a, b = world.scores(BATCH, rng)
        seeds, alone = (a.shape[1], b.shape[1]), world.accuracy + world.difference / 2
        low, high = np.quantile(difference_draws(a, b, resamples, rng), QUANTILES, axis=0)
        seed_low, seed_high = welch_bounds(a, b)
        bounds = {
            "compare": (low, high, world.difference),
            "t over seeds": (seed_low, seed_high, world.difference),
            "seeds redrawn": (*redrawn_bounds(a, b, resamples, rng), world.difference),
            "one arm": (*np.quantile(arm_draws(a, resamples, rng), QUANTILES, axis=0), alone),
        }
        covered = {name: (x <= truth) & (truth <= y) for name, (x, y, truth) in bounds.items()}
        least, most = np.minimum(low, seed_low), np.maximum(high, seed_high)
        rows.append(covered | {"above": least > 0, "below": most < 0})
        parts += [astuple(stats.components(x, y)) for x, y in zip(a[:5], b[:5], strict=True)]
    shares = {name: 100 * float(np.mean([row[name] for row in rows])) for name in rows[0]}
    plan = stats.power(stats.Components(*np.mean(parts, axis=0)), world.difference, world.prompts, *seeds)
    return shares | {"verdict": shares["above"] + shares["below"], "formula": 100 * plan}


def true_distances(shift: float, seed_sd: float) -> tuple[float, ...]:
    """KS, Wasserstein and energy of two normals of sd 1 whose means differ by N(shift, seed_sd): means over seeds."""
    s = shift + seed_sd * distributions.norm.ppf((np.arange(2000) + 0.5) / 2000)

    def absolute(mean: np.ndarray) -> np.ndarray:  # E|N(mean, 2)|
        flat = distributions.norm.pdf(mean, scale=np.sqrt(2)) * 4
        return flat + mean * (2 * distributions.norm.cdf(mean / np.sqrt(2)) - 1)

    energy = np.sqrt(np.maximum(0, 2 * (absolute(s) - absolute(np.zeros(1)))))
    return tuple(float(x.mean()) for x in (2 * distributions.norm.cdf(np.abs(s) / 2) - 1, np.abs(s), energy))


def measure_distances(
    shift: float, seed_sd: float, seeds: int, prompts: int, worlds: int, resamples: int, seed: int
) -> dict[str, float]:
    """Coverage in %: of the distances of an arm whose values share 0.8 of their variance with the expert's, and of no
    difference between two such arms."""
    rng, truth, rows = np.random.default_rng(seed), true_distances(shift, seed_sd), []
    for _ in range(worlds):
        topic, expert, *arms = np.sqrt(0.2) * rng.standard_normal((2 * seeds + 2, prompts))
        arms = np.reshape(arms, (2, seeds, prompts)) + rng.normal(shift, seed_sd, (2, seeds, 1)) + 2 * topic
        intervals = stats.distance_intervals(arms[0], expert + 2 * topic, rng=rng, resamples=resamples)
        covered = [i.low <= x <= i.high for i, x in zip(intervals.values(), truth, strict=True)]
        c = stats.distance_difference(*arms, *2 * [expert + 2 * topic], rng=rng, resamples=resamples)
        rows.append([*covered, c.low <= 0 <= c.high])
    return dict(zip((*intervals, "two arms"), 100 * np.mean(rows, axis=0), strict=True))


def measure_aggregates(seeds: int, worlds: int, resamples: int, seed: int) -> dict[str, float]:
    """Coverage in % of IQM and probability of improvement: four benchmarks, normal scores, A better by half an sd."""
    rng, centre, rows = np.random.default_rng(seed), np.arange(4.0), []
    truth = distributions.norm.cdf(0.5 / np.sqrt(2))
    for _ in range(worlds):
        a, b = centre + rng.normal(size=(2, seeds, 4))
        i = stats.iqm(a, rng=rng, resamples=resamples)
        p = stats.probability_of_improvement(a + 0.5, b, rng=rng, resamples=resamples)
        rows.append((i.low <= 1.5 <= i.high, p.low <= truth <= p.high))
    return dict(zip(("iqm", "probability of improvement"), 100 * np.mean(rows, axis=0), strict=True))


def cells() -> list[World]:
    """No difference; 5 points at the most prompts; and worlds that are hard for any interval."""
    null = [World(*x) for x in itertools.product(SEEDS, PROMPTS, SEED_SD, INTERACTION)]
    powered = [World(k, max(PROMPTS), sd, x, difference=0.05) for k in SEEDS for sd in SEED_SD for x in INTERACTION]
    hard = [
        World(k, n, sd, x, accuracy, base=base)
        for (accuracy, sd, base), k, n, x in itertools.product(HARD.values(), SEEDS, (128, 541), INTERACTION)
    ]
    return null + powered + hard


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, [":--"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def report(rates: Mapping[World, Mapping[str, float]]) -> str:
    """The tables as Markdown."""

    def of(difference: float = 0.0, accuracy: float = 0.6, base: bool = False, **fields) -> list[Mapping[str, float]]:
        fields |= dict(difference=difference, accuracy=accuracy, base=base)
        return [x for w, x in rates.items() if all(getattr(w, name) == value for name, value in fields.items())]

    def least(rows: Sequence[Mapping[str, float]], name: str) -> str:
        return f"{min(row[name] for row in rows):.1f}"

    wrong, coverage, power = [], [], []
    for k, n, x in itertools.product(SEEDS, PROMPTS, INTERACTION):
        rows = [of(seeds=k, prompts=n, interaction=x, seed_sd=sd)[0] for sd in SEED_SD]
        wrong.append(
            [f"{k} seeds, {n} prompts, {NAMES[x]}", *(f"{y['verdict']:.1f} / {y['compare']:.1f}" for y in rows)]
        )
    for name, k in itertools.product(INTERVALS, SEEDS):
        coverage.append([f"{name}, {k} seeds", *(least(of(seeds=k, seed_sd=sd), name) for sd in SEED_SD)])
    for k, x in itertools.product(SEEDS, INTERACTION):
        rows = [of(0.05, seeds=k, interaction=x, seed_sd=sd)[0] for sd in SEED_SD]
        power.append([f"{k} seeds, {NAMES[x]}", *(f"{y['above']:.0f} ({y['formula']:.0f})" for y in rows)])
    hard = []
    for name, (accuracy, sd, base) in HARD.items():
        rows = of(accuracy=accuracy, base=base, seed_sd=sd)
        hard.append([name, *(least(rows, interval) for interval in INTERVALS)])
    head = ["", *(f"seed sd {sd}" for sd in SEED_SD)]
    parts = {
        "No true difference: worlds with a verdict on either side / worlds where `compare` covers 0, in %.": (
            head,
            wrong,
        ),
        "Least coverage of each interval over these prompts and interactions, in %.": (head, coverage),
        f"True difference 5 points, {max(PROMPTS)} prompts: claims supported (predicted by `power`), in %.": (
            head,
            power,
        ),
        "Least coverage elsewhere, over 3 and 5 seeds, 128 and 541 prompts, either interaction, in %.": (
            ["", *INTERVALS],
            hard,
        ),
    }
    return "\n\n".join(f"{caption}\n\n{table(*rows)}" for caption, rows in parts.items())


def report_others(of_distances: Mapping[tuple, Mapping], of_aggregates: Mapping[int, Mapping]) -> str:
    """The tables of distances and aggregates as Markdown."""
    distances = []
    for shift in SHIFTS:
        rows = [x for cell, x in of_distances.items() if cell[0] == shift]
        distances.append([f"{shift:g} sd", *(f"{min(row[name] for row in rows):.1f}" for name in rows[0])])
    aggregates = [[f"{k} seeds", *(f"{x:.1f}" for x in row.values())] for k, row in of_aggregates.items()]
    names = [next(iter(x.values())) for x in (of_distances, of_aggregates)]
    parts = {
        "Least coverage by the arm's shift, over seed sd 0 and 0.08, 3 seeds x 128 and 5 x 541 prompts, in %.": (
            ["shift", *names[0]],
            distances,
        ),
        "Coverage over four benchmarks, in %.": (["", *names[1]], aggregates),
    }
    return "\n\n".join(f"{caption}\n\n{table(*rows)}" for caption, rows in parts.items())


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=4000, help="per cell, a multiple of 100; a tenth for distances")
    parser.add_argument("--resamples", type=int, default=999)
    args = parser.parse_args(argv)
    if args.worlds < BATCH or args.worlds % BATCH:
        parser.error(f"--worlds must be a positive multiple of {BATCH}")
    worlds, few = cells(), (args.worlds // 10, args.resamples // 2)
    shifted = [(*x, *size) for *x, size in itertools.product(SHIFTS, (0.0, 0.08), ((3, 128), (5, 541)))]
    with Pool(2) as pool:
        tasks = [(world, args.worlds, args.resamples, seed) for seed, world in enumerate(worlds)]
        rates = pool.starmap(measure, tasks, chunksize=1)
        tasks = [(*cell, *few, seed) for seed, cell in enumerate(shifted)]
        of_distances = pool.starmap(measure_distances, tasks, chunksize=1)
        of_aggregates = pool.starmap(measure_aggregates, [(k, args.worlds, few[1], k) for k in AGGREGATED])
    print(f"{date.today()}, {args.worlds:,} worlds per cell, {args.resamples:,} resamples\n")
    print(report(dict(zip(worlds, rates, strict=True))))
    print(f"\nDistances: {few[0]:,} worlds per cell, {few[1]:,} resamples; aggregates: {args.worlds:,} worlds.\n")
    others = dict(zip(shifted, of_distances, strict=True)), dict(zip(AGGREGATED, of_aggregates, strict=True))
    print(report_others(*others))


if __name__ == "__main__":
    main()
