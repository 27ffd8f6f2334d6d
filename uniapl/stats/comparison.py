"""The difference of two arms scored on the same prompts."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats  # special: the quantiles and tails of stats.t, in a hundredth of the time

from uniapl.stats import bootstrap, intervals, planning, small
from uniapl.stats.arrays import TIE, paired, settings


@dataclass(frozen=True)
class Comparison:
    """The difference A - B of two arms, with all that its caption needs. None: not defined for these data."""

    estimate: float
    low: float  # of the hierarchical bootstrap: other seeds, other prompts
    high: float
    p: float  # two-sided, same bootstrap, null hypothesis: difference = margin
    seed_low: float | None  # t interval over per-seed means (of differences): "on this set of prompts"
    seed_high: float | None
    p_seeds: float | None
    effect: float | None  # Cohen's h for 0/1 scores, standardised paired difference otherwise
    detectable: float | None  # the difference found with 80 % power, see planning.py
    margin: float
    level: float
    n_seeds_a: int
    n_seeds_b: int
    n_prompts: int
    method: str
    resamples: int

    @property
    def n_seeds(self) -> int:
        """Of the arm with fewer."""
        return min(self.n_seeds_a, self.n_seeds_b)


def compare(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    shared_seeds: bool = False,
    margin: float = 0.0,
    level: float = 0.95,
    resamples: int = 9999,
) -> Comparison:
    """Difference of two arms scored on the same prompts: mean(A) - mean(B).

    `a` (K_a, n) and `b` (K_b, n) are 0/1 or real scores; column j of both is the same prompt. Each of R resamples d*
    draws n prompts with replacement, once for both arms, and the arms' means over seeds by Welch's t (bootstrap.py has
    the formula), for K_a that may differ from K_b. `shared_seeds`: row k of both starts from one base and one draw of
    data, whose effect cancels in a_k - b_k; the seeds' part is then Student's t over these K differences. It is right
    where nothing is shared as well, with K - 1 degrees of freedom instead of up to 2 (K - 1).

        low, high = the (1 -+ level)/2 quantiles of d*
        p = min(1, 2 (1 + min(#{d* <= margin}, #{d* >= margin})) / (R + 1))     smallest possible: 2 / (R + 1)

    p tests "difference = margin": 0 asks whether the arms differ, m > 0 whether A is better by more than m,
    m < 0 whether A is not worse by more than -m. The same null holds for `p_seeds`, the t-test over
    per-seed means (Welch's) or differences with its interval; both are None when an arm has one seed or when no seed
    differs from another. `effect`: Cohen's h = 2 asin sqrt(mean A) - 2 asin sqrt(mean B) when all scores are 0/1,
    otherwise mean / sd (n - 1) of the per-prompt differences of seed means; None where that sd is 0.

    Few or equal prompts (small.py) get the wider interval and the larger p of the bootstrap and the exact rules: where
    n <= 20, or the seeds do not vary and fewer than 10 prompts differ, or all by the same. There p is never below
    2^(1 - m) for m differing prompts, and `detectable` is that of the interval's half-width.

    The interval covers at least 94 % in every simulated world of docs/statistics.md, with 3 and with 5 seeds; paired by
    seed 94.6 % or more, mean over the six worlds of each base sd (single ones, of 600 or 1,000 draws: 92.8 or more).
    Swapping the arms (and the sign of the margin) flips every sign exactly, given the same generator state
    and two different means. Raises ValueError for NaN, unequal prompts, wrong rank, level or resamples, and
    for shared seeds of K_a != K_b.
    """
    a, b = paired(a, b, "a b", 2)
    settings(level, resamples)
    if shared_seeds and len(a) != len(b):
        raise ValueError(f"shared seeds are paired, but the arms have {len(a)} and {len(b)}")
    estimate = float(a.mean() - b.mean())
    if estimate < 0:  # one order for both directions, so that the draws, and with them the signs, agree
        turned = dict(shared_seeds=shared_seeds, margin=-margin, level=level, resamples=resamples)
        return _flip(compare(b, a, rng=rng, **turned))

    of_seeds = differences(a, b) if shared_seeds else (a, b)
    d = difference_draws(*(x[None] for x in of_seeds), resamples, rng)[:, 0]
    low, high = np.quantile(d, [(1 - level) / 2, (1 + level) / 2])
    tie = TIE * max(np.abs(a).max(), np.abs(b).max())
    smaller_tail = min((d <= margin + tie).sum(), (d >= margin - tie).sum())
    p = min(1.0, 2 * (1 + float(smaller_tail)) / (resamples + 1))
    over_seeds = _student(a - b, margin, level) if shared_seeds else _welch(a, b, margin, level, tie)
    seed_low, seed_high, p_seeds = over_seeds
    seeds, planned = (len(a), len(b)), [len(x) for x in of_seeds]
    detectable = planning.detectable(planning.components(*of_seeds), a.shape[1], *planned, level=level)
    method = bootstrap.method(min(seeds), max(seeds)) + ", paired by prompt"
    method += " and seed" if shared_seeds and min(seeds) > 1 else ""
    v = float(sum(bootstrap.seed_variance(x) for x in of_seeds))
    low, high, p, detectable, method = _widened(
        a, b, v, margin, level, (float(low), float(high), p, detectable, method)
    )
    return Comparison(
        estimate=estimate,
        low=low,
        high=high,
        p=p,
        seed_low=seed_low,
        seed_high=seed_high,
        p_seeds=p_seeds,
        effect=_effect(a, b),
        detectable=detectable if detectable > tie else None,
        margin=margin,
        level=level,
        n_seeds_a=seeds[0],
        n_seeds_b=seeds[1],
        n_prompts=a.shape[1],
        method=method,
        resamples=resamples,
    )


def differences(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The comparison of shared seeds, (K, n) each, as that of an arm a - b with one checkpoint that scores 0."""
    return a - b, np.zeros((1, a.shape[1]))


def _widened(a: np.ndarray, b: np.ndarray, v: float, margin: float, level: float, comparison: tuple) -> tuple:
    """(low, high, p, detectable, method) as they were found, or as small.py widens them for few or equal prompts.

    `v`: variance of the difference that other seeds bring.
    """
    low, high, p, detectable, method = comparison
    d, (least, most) = a.mean(axis=0) - b.mean(axis=0), small.range_of(a, b)
    n, unit = len(d), most - least
    still = v <= (TIE * unit) ** 2
    differing = int((np.abs(d) > TIE * unit).sum())
    exact = small.sign_flip(d) or 0.0 if still or n <= small.MOST else 0.0
    if exact > 1 - level:
        low, high = min(low, 0.0), max(high, 0.0)
    if margin == 0:
        p = max(p, exact)
    if n <= small.MOST or (still and (differing < small.FEW or np.ptp(d) <= TIE * unit)):
        bounds = small.paired_bounds(d, unit, level=level)
        low, high, p = min(low, bounds[0]), max(high, bounds[1]), max(p, small.paired_p(d, margin, unit))
        z = stats.norm.ppf([(1 + level) / 2, planning.POWER])
        detectable = max(detectable, float(z.sum() / z[0] * max(high - d.mean(), d.mean() - low)))
        method = small.WIDER.format(method)
    return low, high, p, detectable, method


def difference_draws(a: np.ndarray, b: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(R, W) resamples d* of W pairs of arms, (W, K_a, n) and (W, K_b, n)."""
    (seeds_a, n), seeds_b = a.shape[1:], b.shape[1]
    d = a.mean(axis=1) - b.mean(axis=1)
    noise = bootstrap.residual(a) / (seeds_a * n) + bootstrap.residual(b) / (seeds_b * n)
    _, share = bootstrap.prompt_variance(d, noise)
    v, df = bootstrap.welch(bootstrap.seed_variance(a), bootstrap.seed_variance(b), seeds_a, seeds_b)
    return bootstrap.draws(d, share, v, df, resamples, rng)


def _flip(c: Comparison) -> Comparison:
    """The same comparison seen from B: signs flipped, bounds and seed counts exchanged."""
    return dataclasses.replace(
        c,
        estimate=-c.estimate,
        low=-c.high,
        high=-c.low,
        seed_low=None if c.seed_high is None else -c.seed_high,
        seed_high=None if c.seed_low is None else -c.seed_low,
        effect=None if c.effect is None else -c.effect,
        margin=-c.margin,
        n_seeds_a=c.n_seeds_b,
        n_seeds_b=c.n_seeds_a,
    )


def _welch(a: np.ndarray, b: np.ndarray, margin: float, level: float, tie: float) -> tuple[float | None, ...]:
    """(low, high, p) of Welch's t over per-seed means, or three None: one seed, or no variance between seeds.

    By hand: SciPy's warns when one arm is constant.
    """
    if min(len(a), len(b)) < 2:
        return None, None, None
    v, df = bootstrap.welch(bootstrap.seed_variance(a), bootstrap.seed_variance(b), len(a), len(b))
    if np.sqrt(v) <= tie:
        return None, None, None
    difference, se = a.mean() - b.mean(), np.sqrt(v)
    half = special.stdtrit(df, (1 + level) / 2) * se
    p = 2 * special.stdtr(df, -abs(difference - margin) / se)
    return float(difference - half), float(difference + half), float(p)


def _student(d: np.ndarray, margin: float, level: float) -> tuple[float | None, ...]:
    """(low, high, p) of Student's t over per-seed means of d (K, n), or three None, as above."""
    bounds = intervals.t_interval(d.mean(axis=1), level=level)
    return (*bounds, intervals.t_test(d.mean(axis=1), margin)) if bounds else (None, None, None)


def _effect(a: np.ndarray, b: np.ndarray) -> float | None:
    if all(np.isin(x, (0, 1)).all() for x in (a, b)):
        return float(2 * np.arcsin(np.sqrt(a.mean())) - 2 * np.arcsin(np.sqrt(b.mean())))
    d = a.mean(axis=0) - b.mean(axis=0)
    sd = d.std(ddof=1) if len(d) > 1 else 0.0
    return float(d.mean() / sd) if sd > TIE * np.abs(d).max() else None
