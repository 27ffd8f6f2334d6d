"""What `compare` and the predictions are worth where all arms of a seed start from one base, which differs by seed.

`python -m benchmarks.calibration_base [--worlds 1000] [--prompts 384] [--inherited 1]` prints a table of
docs/statistics.md. The worlds are those of calibration.py with one term more:

    score_kj = 1 if  arm + prompt_j + own_j + c base_k + seed_k + noise_kj > 0        c = 1 for A, `inherited` for B

base_k is one draw for both arms. In a difference it cancels as far as both inherit it. `seeds apart`: Welch's t over
seeds, which counts it twice; `paired`: Student's t over the K differences of one seed (`shared_seeds`). Every cell has
a first run, and a rerun with other bases and seeds on the same prompts.
"""

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy import stats as distributions

from benchmarks.calibration import BATCH, QUANTILES, SPREAD, table
from uniapl.stats import bootstrap
from uniapl.stats.comparison import difference_draws, differences

SEEDS, INTERACTION, SEED_SD, BASE_SD = (3, 5), (0.0, 0.4), (1, 2, 4), (1, 2, 4)
STRICT = (0.005, 0.995)  # of a claim that Holm's adjustment of five leaves at 1 %
ACCURACY, DIFFERENCES = 0.6, (0.0, 0.05, 0.10)
WAYS = ("apart", "paired")


@dataclass(frozen=True)
class SharedWorld:
    """`seed_sd`, `base_sd` in points; `interaction`: the arms' share of SPREAD; `inherited`: B's share of a base."""

    seeds: int
    prompts: int
    seed_sd: float
    base_sd: float
    interaction: float
    inherited: float = 1.0
    difference: float = 0.0

    def runs(self, worlds: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
        """A run and its rerun: (worlds, K, n) of A, with half the difference above ACCURACY, and of B, below."""
        scale = np.sqrt(SPREAD + 1)
        point = scale / distributions.norm.pdf(distributions.norm.ppf(ACCURACY)) / 100
        seed_sd, base_sd = self.seed_sd * point, self.base_sd * point
        prompt = rng.normal(0, np.sqrt((1 - self.interaction) * SPREAD), (worlds, 1, self.prompts))
        own = [rng.normal(0, np.sqrt(self.interaction * SPREAD), prompt.shape) for _ in WAYS]
        bases = [base_sd * rng.normal(0, 1, (worlds, self.seeds, 1)) for _ in range(2)]
        arms = ((ACCURACY + self.difference / 2, own[0], 1.0), (ACCURACY - self.difference / 2, own[1], self.inherited))

        def run(accuracy: float, of_arm: np.ndarray, share: float, base: np.ndarray) -> np.ndarray:
            spread = np.sqrt(scale**2 + seed_sd**2 + (share * base_sd) ** 2)
            seed = rng.normal(0, seed_sd, (worlds, self.seeds, 1))
            noise = rng.standard_normal((worlds, self.seeds, self.prompts))
            reached = distributions.norm.ppf(accuracy) * spread + prompt + share * base + seed + noise + of_arm
            return (reached > 0).astype(float)

        return [tuple(run(*arm, base) for arm in arms) for base in bases]


def measure(world: SharedWorld, worlds: int, resamples: int, seed: int) -> dict[tuple[str, str], float]:
    """(way, what) -> % of the worlds: the interval holds the truth, the prediction the rerun; verdicts at 5 and 1 %.

    ("one arm", "predicts"): the prediction of A alone holds its rerun.
    """
    rng, rows = np.random.default_rng(seed), []
    for _ in range(worlds // BATCH):
        (a, b), (again_a, again_b) = world.runs(BATCH, rng)
        estimate = a.mean(axis=(1, 2)) - b.mean(axis=(1, 2))
        again, row = again_a.mean(axis=(1, 2)) - again_b.mean(axis=(1, 2)), {}
        alone = distributions.t.ppf(QUANTILES[1], a.shape[1] - 1) * np.sqrt(2 * bootstrap.seed_variance(a))
        row["one arm", "predicts"] = np.abs(again_a.mean(axis=(1, 2)) - a.mean(axis=(1, 2))) <= alone
        for way in WAYS:
            x, y = (a, b) if way == "apart" else of_seeds(a, b)
            drawn = difference_draws(x, y, resamples, rng)
            v, df = bootstrap.welch(*map(bootstrap.seed_variance, (x, y)), x.shape[1], y.shape[1])
            for level, quantiles in (("5 %", QUANTILES), ("1 %", STRICT)):
                low, high = np.quantile(drawn, quantiles, axis=0)
                half = distributions.t.ppf(quantiles[1], df) * np.sqrt(v)
                if level == "5 %":
                    row[way, "covers"] = (low <= world.difference) & (world.difference <= high)
                    row[way, "predicts"] = np.abs(again - estimate) <= np.sqrt(2) * half
                row[way, f"above, {level}"] = np.minimum(low, estimate - half) > 0
                row[way, f"below, {level}"] = np.maximum(high, estimate + half) < 0
        rows.append(row)
    return {name: 100 * float(np.mean([row[name] for row in rows])) for name in rows[0]}


def of_seeds(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`differences` of (W, K, n) worlds."""
    pairs = [differences(x, y) for x, y in zip(a, b, strict=True)]
    return tuple(np.stack(side) for side in zip(*pairs, strict=True))


def rows_of(cells: Mapping[SharedWorld, Mapping], bases: Sequence[float]) -> list[list[str]]:
    """One per number of seeds and base sd: means over seed sds and interactions, seeds apart / paired."""
    rows = []
    for k, base_sd in itertools.product(SEEDS, bases):

        def of(d: float, k: int = k, base_sd: float = base_sd) -> list[Mapping]:
            return [x for w, x in cells.items() if (w.seeds, w.base_sd, w.difference) == (k, base_sd, d)]

        def both(d: float, *names: str, of: Callable = of) -> str:
            return " / ".join(f"{np.mean([sum(x[way, n] for n in names) for x in of(d)]):.1f}" for way in WAYS)

        null = [both(0.0, "above, 5 %", "below, 5 %"), both(0.0, "covers"), both(0.0, "predicts")]
        powers = [both(d, f"above, {level}") for level in ("5 %", "1 %") for d in DIFFERENCES[1:]]
        alone = f"{np.mean([x['one arm', 'predicts'] for x in of(0.0)]):.1f}"
        rows.append([f"{k} seeds, base sd {base_sd:g}", *null, *powers, alone])
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=1000, help=f"per cell, a multiple of {BATCH}")
    parser.add_argument("--prompts", type=int, default=384)
    parser.add_argument("--inherited", type=float, default=1.0, help="share of a base's effect that arm B keeps")
    parser.add_argument("--bases", type=float, nargs="+", default=BASE_SD, help="their sd, in points")
    parser.add_argument("--resamples", type=int, default=999)
    args = parser.parse_args(argv)
    if args.worlds < BATCH or args.worlds % BATCH:
        parser.error(f"--worlds must be a positive multiple of {BATCH}")
    cells = {}
    grid = itertools.product(SEEDS, INTERACTION, SEED_SD, args.bases)
    for number, (k, interaction, seed_sd, base_sd) in enumerate(grid, start=1):
        for tried, difference in enumerate(DIFFERENCES):
            world = SharedWorld(k, args.prompts, seed_sd, base_sd, interaction, args.inherited, difference)
            cells[world] = measure(world, args.worlds, args.resamples, number + 1000 * tried)
    head = ["", "verdict without difference", "interval covers", "prediction holds the rerun"]
    head += [f"{100 * d:g} points found at {level}" for level in ("5 %", "1 %") for d in DIFFERENCES[1:]]
    head += ["prediction of one arm holds it"]
    what = f"{args.worlds:,} worlds per cell, {args.resamples:,} resamples, {args.prompts} prompts"
    print(f"{date.today()}, {what}, B inherits {args.inherited:g} of a base; seeds apart / paired, in %\n")
    print(table(head, rows_of(cells, args.bases)))


if __name__ == "__main__":
    main()
