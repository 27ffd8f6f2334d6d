"""Distances between the values of an arm's responses and the expert's, paired by prompt: lengths, log-probabilities.

With F and G the two distribution functions over n prompts, and x the values in the quantity's own unit:

    ks           max |F - G|                         0 to 1
    wasserstein  integral of |F - G| dx              the mean shift that turns one into the other, in the unit of x
    energy       sqrt(2 integral of (F - G)^2 dx)    = sqrt(2 E|X-Y| - E|X-X'| - E|Y-Y'|), as SciPy has it

A sample's distance is too large by about what chance alone gives, and a resample's by that much again: the quantiles of
the resamples d* never reach 0, and those of the basic bootstrap 2 d - d* fall short above. An interval spans both.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from uniapl.stats import bootstrap, small
from uniapl.stats.arrays import TIE, array, paired, settings
from uniapl.stats.intervals import Interval

KINDS = ("ks", "wasserstein", "energy")
LARGEST = {"ks": 1.0, "wasserstein": np.inf, "energy": np.inf}


@dataclass(frozen=True)
class Distance:
    """How far one arm's values lie from the expert's, over n responses paired by prompt."""

    ks: float
    ks_p: float
    wasserstein: float  # in the unit of the values
    energy: float
    wilcoxon_p: float
    median_difference: float  # own - expert, in the unit of the values
    n: int


@dataclass(frozen=True)
class DistanceDifference:
    """Distance of arm A to the expert minus that of arm B; below 0, A is nearer."""

    estimate: float
    low: float
    high: float
    p: float  # two-sided, null hypothesis: equal distances
    level: float
    n_seeds_a: int
    n_seeds_b: int
    n_prompts: int
    method: str
    resamples: int


def distance(own: ArrayLike, expert: ArrayLike) -> Distance:
    """Distance between two sets of values (n,), such as response lengths, paired by prompt.

    `ks` with its p; `wasserstein`; `energy`; `wilcoxon_p`: signed-rank test of the paired differences own - expert
    (p = 1 when all are 0), which sees shifts that the unpaired tests miss, beside their median; its p is no less than
    2^(1 - m) for m differences that are not 0, where SciPy approximates it. Raises ValueError for NaN or unequal
    lengths.
    """
    own, expert = paired(own, expert, "own expert", 1)
    d = own - expert
    untied = len(np.unique(np.abs(d[d != 0]))) == len(d)
    method = "exact" if untied and len(d) <= 50 else "asymptotic"  # SciPy permutes small ties, for seconds
    with warnings.catch_warnings():  # the exact p can fail on tied values: SciPy then warns and approximates
        warnings.simplefilter("ignore", RuntimeWarning)
        ks = stats.ks_2samp(own, expert)
    return Distance(
        ks=float(ks.statistic),
        ks_p=float(ks.pvalue),
        wasserstein=float(stats.wasserstein_distance(own, expert)),
        energy=float(stats.energy_distance(own, expert)),
        wilcoxon_p=max(float(stats.wilcoxon(d, method=method).pvalue), 2.0 ** (1 - (d != 0).sum())) if d.any() else 1.0,
        median_difference=float(np.median(d)),
        n=len(d),
    )


def distance_intervals(
    own: ArrayLike, expert: ArrayLike, *, rng: np.random.Generator, level: float = 0.95, resamples: int = 1999
) -> dict[str, Interval]:
    """By KINDS: the mean over seeds of the distance of own (K, n) to expert (n,) or (K, n), with its interval.

    d* draws prompts with both of their texts, alike for all seeds; with 2 or more seeds t_{K-1} s / sqrt(K) is added,
    s being the sd of the seeds' distances. The bounds are the lesser and the greater of the quantiles of d* and of
    2 d - d*. `low` is 0 where d is no larger than the (1 + level)/2 quantile of what is left when each prompt's two
    texts change places with chance 1/2, the paired test of equal distributions. With 20 prompts or fewer, and where no
    draw differs, the bounds are no narrower than what a share of unseen prompts (small.unseen) changes at most, the
    range of a seed's values away. Raises ValueError for NaN, wrong shapes, level or resamples.
    """
    own, expert = _against(own, expert)
    settings(level, resamples)
    counts = bootstrap.counts(own.shape[1], resamples, rng)
    distances_of_seeds, resampled = _mean_distances(own, expert, counts)
    _, swapped = _mean_distances(own, expert, rng.choice((-1.0, 1.0), counts.shape))
    seeds, intervals = len(own), {}
    t, method = rng.standard_t(max(1, seeds - 1), resamples), bootstrap.method(seeds, seeds)
    for kind, of_seeds, of_draws, by_chance in zip(KINDS, distances_of_seeds.T, resampled.T, swapped.T, strict=True):
        d, seed_error = of_seeds.mean(), t * _standard_error(of_seeds)
        candidates = [of_draws + seed_error, 2 * d - of_draws + seed_error]
        bounds = np.quantile(candidates, [(1 - level) / 2, (1 + level) / 2], axis=1).clip(0, LARGEST[kind])
        low = 0.0 if d <= np.quantile(by_chance, (1 + level) / 2) else bounds[0].min()
        high = bounds[1].max()
        if own.shape[1] <= small.MOST or np.ptp(candidates) <= TIE * d:
            room = _room(kind, own, expert, level)
            low, high = min(low, max(0.0, d - room)), max(high, min(LARGEST[kind], d + room))
        values = float(d), float(low), float(high)
        intervals[kind] = Interval(*values, level, seeds, own.shape[1], method, resamples)
    return intervals


def distance_difference(
    own_a: ArrayLike,
    own_b: ArrayLike,
    expert_a: ArrayLike,
    expert_b: ArrayLike,
    *,
    rng: np.random.Generator,
    kind: str = "wasserstein",
    level: float = 0.95,
    resamples: int = 1999,
) -> DistanceDifference:
    """Is arm A nearer to the expert than arm B? Mean distance over seeds of own_a (K_a, n) minus that of own_b.

    The expert's values are (n,), equal for both, or those that each arm gives to the expert's texts, (K, n).
    2 d - d* as in `distance_intervals`, with the same prompts drawn for both arms and Welch's df over the seeds.
    p as in `compare`, and no less than the 2^(1 - m) that flipped signs of m prompts can give on which the arms differ;
    where that is above 1 - level, the interval holds 0. Few or equal prompts: as in `distance_intervals`. Raises
    ValueError for NaN, wrong shapes, level, resamples or kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    own_a, expert_a = _against(own_a, expert_a)
    own_b, expert_b = _against(own_b, expert_b)
    paired(own_a, own_b, "a b", 2)
    settings(level, resamples)
    counts, column = bootstrap.counts(own_a.shape[1], resamples, rng), KINDS.index(kind)
    (a, drawn_a), (b, drawn_b) = (_mean_distances(*sides, counts) for sides in ((own_a, expert_a), (own_b, expert_b)))
    a, b, seeds = a[:, column], b[:, column], (len(own_a), len(own_b))
    estimate = float(a.mean() - b.mean())
    v, df = bootstrap.welch(*(np.asarray(_standard_error(x) ** 2) for x in (a, b)), *seeds)
    x = 2 * estimate - (drawn_a - drawn_b)[:, column] + np.sqrt(v) * rng.standard_t(df, resamples)
    low, high = np.quantile(x, [(1 - level) / 2, (1 + level) / 2])
    smaller_tail = min((x <= 0).sum(), (x >= 0).sum())
    least = _least_p(own_a, own_b, expert_a, expert_b) if v <= 0 or own_a.shape[1] <= small.MOST else 0.0
    if own_a.shape[1] <= small.MOST or np.ptp(x) <= TIE * max(a.max(), b.max()):
        room = sum(_room(kind, *sides, level) for sides in ((own_a, expert_a), (own_b, expert_b)))
        low, high = min(low, estimate - room), max(high, estimate + room)
    if least > 1 - level:
        low, high = min(low, 0.0), max(high, 0.0)
    return DistanceDifference(
        estimate=estimate,
        low=float(low),
        high=float(high),
        p=max(least, min(1.0, 2 * (1 + float(smaller_tail)) / (resamples + 1))),
        level=level,
        n_seeds_a=seeds[0],
        n_seeds_b=seeds[1],
        n_prompts=own_a.shape[1],
        method=bootstrap.method(min(seeds), max(seeds)) + ", paired by prompt",
        resamples=resamples,
    )


def _against(own: ArrayLike, expert: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """own (K, n) and expert (n,) or (K, n), checked. Raises ValueError."""
    own, expert = array(own, "own", 2), array(expert, "expert", max(1, np.ndim(expert)))
    if expert.shape not in (own.shape, own.shape[1:]):
        raise ValueError(f"own expert are paired by prompt, but have {own.shape[1]} and {expert.shape[-1]} prompts")
    return own, expert


def _room(kind: str, own: np.ndarray, expert: np.ndarray, level: float) -> float:
    """By how much unseen prompts may change a distance: |F - G| by their share, over the range of the values."""
    share = small.unseen(own.shape[1], level=level)
    values = np.concatenate([own, np.broadcast_to(expert, own.shape)], axis=1)
    spread = float(np.ptp(values, axis=1).max()) or 1.0  # one value is no range
    return share * {"ks": 1.0, "wasserstein": spread, "energy": np.sqrt(2 * spread)}[kind]


def _least_p(own_a: np.ndarray, own_b: np.ndarray, expert_a: np.ndarray, expert_b: np.ndarray) -> float:
    """2^(1 - m), m: prompts on which the arms' values, or those that they give to the expert's text, differ."""
    means = [np.atleast_2d(x).mean(axis=0) for x in (own_a, own_b, expert_a, expert_b)]
    m = int(((np.abs(means[0] - means[1]) + np.abs(means[2] - means[3])) > 0).sum())
    return min(1.0, 2.0 ** (1 - m))


def _mean_distances(own: np.ndarray, expert: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K, kinds) of the data and (R, kinds) the mean over seeds of each resample."""
    once, pairs = np.ones((1, own.shape[1])), list(zip(own, np.broadcast_to(expert, own.shape), strict=True))
    of_seeds = np.concatenate([_distances(*pair, once) for pair in pairs])
    return of_seeds, sum(_distances(*pair, counts) for pair in pairs) / len(own)


def _distances(own: np.ndarray, expert: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(R, kinds) of own (n,) and expert (n,); counts (R, n): how often a prompt counts, -1: its texts swapped."""
    n, values = len(own), np.concatenate([own, expert])
    order = np.argsort(values, kind="stable")
    width = np.diff(values[order])
    sides = np.where(order < n, 1.0, -1.0) / n
    table = np.empty((len(counts), len(KINDS)))
    for start in range(0, len(counts), bootstrap.BLOCK):
        rows = slice(start, start + bootstrap.BLOCK)
        gap = np.abs(np.cumsum(counts[rows][:, order % n] * sides, axis=1)[:, :-1])
        table[rows, 0] = (gap * (width > 0)).max(axis=1)  # between equal values F - G is not yet complete
        table[rows, 1] = gap @ width
        table[rows, 2] = np.sqrt(2 * (gap**2 @ width))
    return table


def _standard_error(of_seeds: np.ndarray) -> float:
    return float(of_seeds.std(ddof=1) / np.sqrt(len(of_seeds))) if len(of_seeds) > 1 else 0.0
