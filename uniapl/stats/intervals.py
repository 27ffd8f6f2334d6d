"""Intervals of one arm: a mean score or a ratio, a proportion, one value per seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special  # the quantiles and tails of scipy.stats.t, in a hundredth of the time

from uniapl.stats import bootstrap, small
from uniapl.stats.arrays import TIE, array, settings


@dataclass(frozen=True)
class Interval:
    """The mean score of one arm (or a ratio of two sums) with its interval."""

    estimate: float
    low: float
    high: float
    level: float
    n_seeds: int
    n_prompts: int
    method: str
    resamples: int


def interval(
    num: ArrayLike,
    den: ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 9999,
) -> Interval:
    """One arm's mean score, or a ratio of two sums with the prompt as cluster, with a percentile interval.

    `num` (K, n) are scores; the estimate is their mean. With `den` (n,) or (K, n) it is sum(num) / sum(den),
    such as instructions followed over instructions given. The bootstrap is that of `compare`, with Student's t
    over K seeds and the same prompts for both sums; the variances of a ratio r are those of its linear part
    r + (num - r den) / mean(den). Shares (0 <= num <= den) have bounds within 0 and 1. With one seed only prompts
    vary, and `method` says so. Where no draw would vary, a bootstrap would claim certainty: Wilson's interval over n
    prompts stands in. With 20 prompts or fewer it is the wider of both (small.py); of scores that are no shares
    Wilson's is scaled to the range that was seen. Raises ValueError for NaN, wrong shapes, a den below or equal to 0.
    """
    num, den = ratio(num, den)
    settings(level, resamples)
    (seeds, n), estimate = num.shape, float(num.sum() / den.sum())

    least, most = small.range_of(num / den)
    unit = most - least
    bounds = small.wilson(n * (estimate - least) / unit, n, level=level)
    low, high = (float(least + unit * bound) for bound in bounds)
    if np.ptp(num / den) <= TIE * unit:
        return Interval(estimate, low, high, level, seeds, n, "Wilson interval over prompts (all scores equal)", 0)

    linear = linear_part(num, den)
    noise = bootstrap.residual(linear) / (seeds * n)
    _, share = bootstrap.prompt_variance(linear.mean(axis=0), noise)
    over, under = bootstrap.resampled_sums(np.stack([num.sum(axis=0), den.sum(axis=0)]), resamples, rng).T
    resampled = estimate + np.sqrt(share) * (over / under - estimate)
    if seeds > 1:
        resampled += np.sqrt(bootstrap.seed_variance(linear)) * rng.standard_t(seeds - 1, resamples)
    if ((num >= 0) & (num <= den)).all():
        resampled = resampled.clip(0, 1)
    bounds, method = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2]), bootstrap.method(seeds, seeds)
    if n <= small.MOST or bounds[1] - bounds[0] <= TIE * unit:
        bounds, method = (
            (min(low, bounds[0]), max(high, bounds[1])),
            f"{method}; few prompts: no narrower than Wilson's",
        )
    return Interval(estimate, float(bounds[0]), float(bounds[1]), level, seeds, n, method, resamples)


def ratio(num: ArrayLike, den: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """Both as (K, n); ones for no `den`. Raises ValueError like `interval`."""
    num = array(num, "num", 2)
    seeds, n = num.shape
    den = np.ones((1, n)) if den is None else np.atleast_2d(np.asarray(den, dtype=float))
    den = array(den, "den", 2)
    if den.shape not in ((1, n), (seeds, n)) or den.min() <= 0:
        raise ValueError(f"den must be positive, ({n},) or {num.shape}, got {den.shape}, least {den.min()}")
    return num, np.broadcast_to(den, num.shape)


def linear_part(num: np.ndarray, den: np.ndarray) -> np.ndarray:
    """r + (num - r den) / mean(den), (K, n): its mean is r = sum(num) / sum(den), its variances are those of r."""
    estimate = num.sum() / den.sum()
    return estimate + (num - estimate * den) / den.mean()


def t_test(x: ArrayLike, mean: float) -> float | None:
    """Two-sided p of the t-test that x (K,), one value per seed, has this mean; None when K = 1.

    Below 1 - level exactly when `mean` lies outside `t_interval`. Without variance there is no t: 1 at the mean, and
    elsewhere the exact sign-flip p of K equal values, 2^(1 - K).
    """
    x = array(x, "x", 1)
    if len(x) < 2:
        return None
    gap, se = abs(x.mean() - mean), x.std(ddof=1) / np.sqrt(len(x))
    if se <= TIE * np.abs(x).max():
        return 1.0 if gap <= TIE * np.abs(x).max() else 2.0 ** (1 - len(x))
    return float(2 * special.stdtr(len(x) - 1, -gap / se))


def t_interval(x: ArrayLike, *, level: float = 0.95) -> tuple[float, float] | None:
    """mean -+ t_{(1+level)/2, K-1} s / sqrt(K) of x (K,), one value per seed.

    None when K = 1, and where no seed differs from another: equal values show no spread, and are no certainty.
    """
    x = array(x, "x", 1)
    if len(x) < 2:
        return None
    sd = x.std(ddof=1)
    if sd <= TIE * np.abs(x).max():
        return None
    half = special.stdtrit(len(x) - 1, (1 + level) / 2) * sd / np.sqrt(len(x))
    return float(x.mean() - half), float(x.mean() + half)
