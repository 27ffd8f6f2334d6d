"""What a rerun of equal size would give: prediction intervals.

A rerun errs as well, so a 95 % confidence interval holds its estimate in 2 Phi(1.96 / sqrt(2)) - 1 = 83 % of cases.
The rerun has other seeds, each with a base, a discriminator and data draws of its own, and the same test prompts:

    one arm                       x -+ t_{K-1} s sqrt(1 / K + 1 / K')      s: sd of the K seeds' means, K': of the rerun
    two arms on shared seeds      the same of d_k = a_k - b_k: seed k of both arms starts from one base, which cancels
    two arms, seeds apart         d -+ t_df sqrt(v_a (1 + K_a / K'_a) + v_b (1 + K_b / K'_b)), v and df of Welch's test
    other prompts too             t^2 (...) + z^2 V_p (1 + n / n') under the root, V_p as in planning.py, n' = n

Of a normal sample it is exact (Hahn and Meeker 1991). A base that all K seeds of one run share is in no interval that
this run can give: with a base for each seed it is part of s (docs/statistics.md has both). Where seeds do not vary the
bounds are those of n equal prompts: the largest j with P(none of the first n | j of 2 n) >= (1 - level) / 2 (Thatcher
1964) prompts of the rerun may be others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats  # special: the quantiles of stats.t and stats.norm, in a hundredth of the time

from uniapl.stats import bootstrap, intervals, small
from uniapl.stats.arrays import TIE, array, paired, settings


@dataclass(frozen=True)
class Prediction:
    """The interval in which the estimate of a rerun lies with chance `level`."""

    estimate: float
    low: float
    high: float
    level: float
    n_seeds: int  # of the arm with fewer
    n_seeds_rerun: int
    method: str


def predict_values(x: ArrayLike, *, seeds: int | None = None, level: float = 0.95) -> Prediction | None:
    """The mean of `seeds` other values (by default K), from x (K,), one value per seed. None: one, or all equal."""
    x = array(x, "x", 1)
    settings(level, 1)
    again = _seeds_again(seeds, len(x))
    if len(x) < 2 or np.ptp(x) <= TIE * np.abs(x).max():
        return None
    half = stats.t.ppf((1 + level) / 2, len(x) - 1) * x.std(ddof=1) * np.sqrt(1 / len(x) + 1 / again)
    mean = float(x.mean())
    return Prediction(mean, float(mean - half), float(mean + half), level, len(x), again, "t prediction over seeds")


def predict_mean(
    num: ArrayLike,
    den: ArrayLike | None = None,
    *,
    seeds: int | None = None,
    other_prompts: bool = False,
    level: float = 0.95,
) -> Prediction | None:
    """One arm's mean score, or ratio, in a rerun with `seeds` other seeds (by default K). None: one seed.

    `num`, `den` as in `stats.interval`, (K, n). Bounds within the range of scores. Raises ValueError for NaN, a wrong
    shape, level or seeds.
    """
    num, den = intervals.ratio(num, den)
    settings(level, 1)
    scores, span = intervals.linear_part(num, den), small.range_of(num / den)
    seeds_and_rest = len(scores), scores.shape[1], _seeds_again(seeds, len(scores))
    if len(scores) < 2:
        return None
    means, noise = scores.mean(axis=0), bootstrap.residual(scores) / scores.size
    v, df = bootstrap.seed_variance(scores), len(scores) - 1
    half = _half_width(
        v * (1 + len(scores) / seeds_and_rest[2]),
        df,
        _variance_of_prompts(means, noise) if other_prompts else 0.0,
        level,
    )
    return _prediction(means, half, span, seeds_and_rest, level, other_prompts)


def predict_difference(
    a: ArrayLike,
    b: ArrayLike,
    *,
    shared_seeds: bool = False,
    seeds: int | None = None,
    other_prompts: bool = False,
    level: float = 0.95,
) -> Prediction | None:
    """mean(A) - mean(B) in a rerun with `seeds` other seeds of each arm (by default as many as it has).

    `a` (K_a, n), `b` (K_b, n), paired by prompt; `shared_seeds`: row k of both is one seed, with one base. None where
    an arm has one seed, whose variance is not known. Raises ValueError like `compare`, and for shared seeds of K_a !=
    K_b.
    """
    a, b = paired(a, b, "a b", 2)
    settings(level, 1)
    if shared_seeds and len(a) != len(b):
        raise ValueError(f"shared seeds are paired, but the arms have {len(a)} and {len(b)}")
    fewest = min(len(a), len(b))
    if fewest < 2:
        return None
    d, n = a.mean(axis=0) - b.mean(axis=0), a.shape[1]
    if shared_seeds:
        v, df = bootstrap.seed_variance(a - b) * (1 + fewest / _seeds_again(seeds, fewest)), fewest - 1
        noise = bootstrap.residual(a - b) / a.size
    else:
        grown = [bootstrap.seed_variance(x) * (1 + len(x) / _seeds_again(seeds, len(x))) for x in (a, b)]
        v, df = bootstrap.welch(*grown, len(a), len(b))
        noise = bootstrap.residual(a) / a.size + bootstrap.residual(b) / b.size
    half = _half_width(v, df, _variance_of_prompts(d, noise) if other_prompts else 0.0, level)
    low, high = small.range_of(a, b)
    return _prediction(
        d, half, (low - high, high - low), (fewest, n, _seeds_again(seeds, fewest)), level, other_prompts
    )


def open_prompts(n: int, *, level: float = 0.95) -> int:
    """How many of n prompts of a rerun may differ from n that were all alike: 5 at 95 % and many, n for n <= 3."""
    for j in range(n, -1, -1):
        if stats.hypergeom.pmf(0, 2 * n, j, n) >= (1 - level) / 2:
            return j
    return 0


def _seeds_again(seeds: int | None, measured_seeds: int) -> int:
    if seeds is not None and seeds < 1:
        raise ValueError(f"a rerun needs seeds, got {seeds}")
    return measured_seeds if seeds is None else seeds


def _variance_of_prompts(means: np.ndarray, noise: float) -> float:
    """Variance of the mean over prompts beyond noise, of this run and of the rerun."""
    return 2 * float(bootstrap.prompt_variance(means, np.asarray(noise))[0])


def _half_width(v: float, df: float, of_prompts: float, level: float) -> float:
    q = (1 + level) / 2
    return float(np.sqrt(special.stdtrit(df, q) ** 2 * v + special.ndtri(q) ** 2 * of_prompts))


def _prediction(
    means: np.ndarray, half: float, span: tuple, sizes: tuple, level: float, other_prompts: bool
) -> Prediction:
    """Of prompts' means (n,), their half-width, the range of the estimate and (seeds, prompts, seeds of the rerun)."""
    (least, most), (seeds, n, again), mean = span, sizes, float(means.mean())
    low, high = max(least, mean - half), min(most, mean + half)
    method = "prediction for other seeds" + (" and prompts" if other_prompts else ", same prompts")
    if half <= TIE * (most - least):
        share = open_prompts(n, level=level) / n
        low, high = mean - share * (mean - least), mean + share * (most - mean)
        method = "prediction for other seeds: these do not differ, n equal prompts"
    return Prediction(mean, float(low), float(high), level, seeds, again, method)
