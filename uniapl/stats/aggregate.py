"""Several benchmarks at once, after Agarwal et al. 2021 (arXiv 2108.13264): IQM and probability of improvement.

Scores are (K, T): one number per seed and benchmark. The bootstrap is stratified: K seeds are drawn with replacement
within every benchmark, apart from the others. Which benchmarks were chosen is not in the interval, and few seeds make
it too narrow (docs/statistics.md): a summary beside the comparisons, not a test. Where no draw differs from another
it would claim certainty: there the chance of improvement has the mean of its benchmarks' bounds by small.py, as if all
benchmarks erred together, which the seeds that answer all of them may; and an interquartile mean has no interval.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from uniapl.stats import bootstrap, small
from uniapl.stats.arrays import TIE, array, paired, settings

TRIM = 0.25  # of each end
SEPARATED = "score interval over seeds within benchmarks (no draw of seeds differs)"


@dataclass(frozen=True)
class Aggregate:
    """One number over all seeds and benchmarks of an arm (of two arms) with its interval; None: it has none."""

    estimate: float
    low: float | None
    high: float | None
    level: float
    n_seeds: int  # of the arm with fewer
    n_benchmarks: int
    method: str
    resamples: int


def iqm(scores: ArrayLike, *, rng: np.random.Generator, level: float = 0.95, resamples: int = 9999) -> Aggregate:
    """Interquartile mean of (K, T): the mean of the middle half of all K T scores.

    int(K T / 4) scores are cut at each end (scipy.stats.trim_mean). Raises ValueError for NaN or a wrong shape.
    """
    scores = array(scores, "scores", 2)
    settings(level, resamples)
    resampled = np.take_along_axis(scores[None], rng.integers(0, len(scores), (resamples, *scores.shape)), axis=1)
    means = stats.trim_mean(resampled.reshape(resamples, -1), TRIM, axis=1)
    return _aggregate(stats.trim_mean(scores, TRIM, axis=None), means, level, scores.shape)


def probability_of_improvement(
    a: ArrayLike, b: ArrayLike, *, rng: np.random.Generator, level: float = 0.95, resamples: int = 9999
) -> Aggregate:
    """The chance that a seed of A scores above a seed of B, mean over benchmarks; a tie counts one half.

    `a` (K_a, T), `b` (K_b, T); per benchmark the Mann-Whitney U of A over K_a K_b. 0.5 where the arms are alike.
    Raises ValueError for NaN, a wrong shape or unequal numbers of benchmarks.
    """
    a, b = paired(a, b, "a b", 2)
    settings(level, resamples)
    wins = 0.5 * ((a[:, None] > b) + 1.0 - (a[:, None] < b))  # (K_a, K_b, T)
    u, v = (_seed_counts(x.shape, resamples, rng) for x in (a, b))
    means = np.einsum("rkt,klt,rlt->r", u, wins, v, optimize=True) / wins.size
    aggregate = _aggregate(wins.mean(), means, level, (min(len(a), len(b)), a.shape[1]))
    if aggregate.low is not None:
        return aggregate
    bounds = [small.rank_bounds(share, len(a), len(b), level=level) for share in wins.mean(axis=(0, 1))]
    low, high = np.mean(bounds, axis=0)
    return dataclasses.replace(aggregate, low=float(low), high=float(high), method=SEPARATED)


def _seed_counts(shape: tuple[int, int], resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(R, K, T): how often each seed occurs in K draws with replacement, made for every benchmark apart."""
    seeds, benchmarks = shape
    counts = bootstrap.counts(seeds, resamples * benchmarks, rng)
    return counts.reshape(resamples, benchmarks, seeds).transpose(0, 2, 1)


def _aggregate(estimate: float, means: np.ndarray, level: float, shape: tuple[int, int]) -> Aggregate:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    note = " (one seed: its variance is not included)" if shape[0] == 1 else ""
    method = f"bootstrap over seeds within benchmarks{note}"
    if high - low <= TIE * max(1.0, abs(estimate)):
        method = f"none (no draw of seeds differs){note}"
        return Aggregate(float(estimate), None, None, level, *shape, method, len(means))
    return Aggregate(float(estimate), float(low), float(high), level, *shape, method, len(means))
