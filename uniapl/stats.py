"""Statistics of paired scores: pure functions on NumPy arrays, every random one with an explicit generator.

Shapes: K seeds (independent trainings of one arm), n prompts (the same for both arms), R bootstrap resamples.
A score matrix is (K, n). Estimates and intervals are in the units of the scores (0/1 scores give
proportions); percent and points belong to the caller.
"""

import dataclasses
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

POWER = 0.8  # of `Comparison.detectable`; the convention of Miller 2024, arXiv 2411.00640
BLOCK = 32  # resamples at once: their counts fit the cache, their product is too small for BLAS threads
TIE = 1e-12  # differences below this share of the scores' size are rounding, not signal


@dataclass(frozen=True)
class Comparison:
    """The difference A - B of two arms, with all that its caption needs. None: not defined for these data."""

    estimate: float
    low: float  # percentile interval of the bootstrap
    high: float
    p: float  # two-sided, same bootstrap, null hypothesis: difference = margin
    seed_low: float | None  # Welch t interval over per-seed means: "on this set of prompts"
    seed_high: float | None
    p_seeds: float | None
    effect: float | None  # Cohen's h for 0/1 scores, standardised paired difference otherwise
    detectable: float | None  # the difference found with 80 % power, from the bootstrap's standard error
    margin: float
    level: float
    n_seeds_a: int
    n_seeds_b: int
    n_prompts: int
    method: str
    resamples: int


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


@dataclass(frozen=True)
class McNemar:
    """Discordant prompts of two runs and the exact two-sided p-value of their balance."""

    only_a: int
    only_b: int
    p: float


@dataclass(frozen=True)
class Distance:
    """How far one arm's values lie from the expert's, over n responses paired by prompt."""

    ks: float
    ks_p: float
    wasserstein: float  # in the unit of the values
    wilcoxon_p: float
    median_difference: float  # own - expert, in the unit of the values
    n: int


def _array(values: ArrayLike, name: str, ndim: int) -> np.ndarray:
    """`values` as finite float64 of the given rank. Raises ValueError: NaN, wrong rank or no value at all."""
    array = np.asarray(values, dtype=float)
    if array.ndim != ndim or array.size == 0:
        axes = "(n_seeds, n_prompts)" if ndim == 2 else "(n,)"
        raise ValueError(f"{name} must have shape {axes} with at least one value, got {array.shape}")
    bad = array.size - np.isfinite(array).sum()
    if bad:
        raise ValueError(f"{name} has {bad} NaN or infinite of {array.size} values: leave missing runs out")
    return array


def _paired(a: ArrayLike, b: ArrayLike, names: str, ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays, checked, with the same number of prompts on their last axis. Raises ValueError."""
    a, b = (_array(values, name, ndim) for values, name in zip((a, b), names.split(), strict=True))
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"{names} are paired by prompt, but have {a.shape[-1]} and {b.shape[-1]} prompts")
    return a, b


def _settings(level: float, resamples: int) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")


def _counts(units: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """(rows, units): how often each unit occurs in a row's draw of `units` units with replacement."""
    drawn = rng.integers(0, units, (rows, units))
    drawn += units * np.arange(rows)[:, None]  # row r counts in its own range of bins
    return np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)


def _resampled_sums(rows: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """(R, rows): the sum of each row of (rows, n) over prompts drawn with replacement, alike for all rows."""
    sums = np.empty((resamples, len(rows)))
    for start in range(0, resamples, BLOCK):
        block = sums[start : start + BLOCK]
        block[:] = _counts(rows.shape[1], len(block), rng) @ rows.T
    return sums


def _over_seeds(sums: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """(R,): each resample's sum over its own draw of seeds; `seeds` (R, K) holds the counts of that draw."""
    return (sums * seeds).sum(axis=1)


def _method(fewest: int, most: int) -> str:
    both = "hierarchical bootstrap over seeds and prompts"
    if most == 1:
        return "bootstrap over prompts (one seed: its variance is not included)"
    if fewest == 1:
        return f"{both} (one arm has one seed: its variance is not included)"
    return both


def compare(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    margin: float = 0.0,
    level: float = 0.95,
    resamples: int = 9999,
) -> Comparison:
    """Difference of two arms scored on the same prompts: mean(A) - mean(B).

    `a` (K_a, n) and `b` (K_b, n) are 0/1 or real scores; column j of both is the same prompt; seeds are not
    paired and K_a may differ from K_b. Each of R resamples draws K_a seeds of A, K_b seeds of B and, once for
    both arms, n prompts, all with replacement (Owen 2007, the pigeonhole bootstrap):

        d* = sum_kj u_k w_j a_kj / (K_a n) - sum_kj v_k w_j b_kj / (K_b n)      u, v, w: counts of the draws
        low, high = the (1 -+ level)/2 quantiles of d*
        p = min(1, 2 (1 + min(#{d* <= margin}, #{d* >= margin})) / (R + 1))     smallest possible: 2 / (R + 1)
        detectable = (z_{(1+level)/2} + z_{0.8}) sd(d*)

    p tests "difference = margin": 0 asks whether the arms differ, m > 0 whether A is better by more than m,
    m < 0 whether A is not worse by more than -m. The same null holds for `p_seeds`, a Welch t-test over
    per-seed means with its interval; both are None when an arm has one seed or when no seed differs from
    another. `effect`: Cohen's h = 2 asin sqrt(mean A) - 2 asin sqrt(mean B) when all scores are 0/1,
    otherwise mean / sd (n - 1) of the per-prompt differences of seed means; None where that sd is 0.

    Error rates at 5 % with no true difference (simulated, 400 worlds of 256 prompts): below 3 % up to a seed
    sd of 4 points with 5 seeds (2 points with 3), but 7 % at 8 points with 5 seeds and 13 % with 3, where few
    seeds are all that matters. The t interval over seeds keeps its level there: look at both.

    Swapping the arms (and the sign of the margin) flips every sign exactly, given the same generator state
    and two different means. Raises ValueError for NaN, unequal prompts, wrong rank, level or resamples.
    """
    a, b = _paired(a, b, "a b", 2)
    _settings(level, resamples)
    estimate = float(a.mean() - b.mean())
    if estimate < 0:  # one order for both directions, so that the draws, and with them the signs, agree
        return _flip(compare(b, a, rng=rng, margin=-margin, level=level, resamples=resamples))

    (seeds_a, n), seeds_b = a.shape, len(b)
    sums = _resampled_sums(np.concatenate([a, b]), resamples, rng)
    mean_a = _over_seeds(sums[:, :seeds_a], _counts(seeds_a, resamples, rng)) / (seeds_a * n)
    mean_b = _over_seeds(sums[:, seeds_a:], _counts(seeds_b, resamples, rng)) / (seeds_b * n)
    d = mean_a - mean_b

    low, high = np.quantile(d, [(1 - level) / 2, (1 + level) / 2])
    tie = TIE * max(np.abs(a).max(), np.abs(b).max())
    smaller_tail = min((d <= margin + tie).sum(), (d >= margin - tie).sum())
    se = float(d.std(ddof=1)) if resamples > 1 else 0.0
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(POWER)
    seed_low, seed_high, p_seeds = _welch(a.mean(axis=1), b.mean(axis=1), margin, level)
    return Comparison(
        estimate=estimate,
        low=float(low),
        high=float(high),
        p=min(1.0, 2 * (1 + float(smaller_tail)) / (resamples + 1)),
        seed_low=seed_low,
        seed_high=seed_high,
        p_seeds=p_seeds,
        effect=_effect(a, b),
        detectable=float(z * se) if se > tie else None,
        margin=margin,
        level=level,
        n_seeds_a=seeds_a,
        n_seeds_b=seeds_b,
        n_prompts=n,
        method=_method(min(seeds_a, seeds_b), max(seeds_a, seeds_b)) + ", paired by prompt",
        resamples=resamples,
    )


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


def t_interval(x: ArrayLike, *, level: float = 0.95) -> tuple[float, float] | None:
    """mean -+ t_{(1+level)/2, K-1} s / sqrt(K) of x (K,), one value per seed; None when K = 1."""
    x = _array(x, "x", 1)
    if len(x) < 2:
        return None
    half = stats.t.ppf((1 + level) / 2, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    return float(x.mean() - half), float(x.mean() + half)


def _welch(a: np.ndarray, b: np.ndarray, margin: float, level: float) -> tuple[float | None, ...]:
    """(low, high, p) of Welch's t over per-seed means, or three None: one seed, or no variance between seeds.

    t = (mean a - mean b - margin) / se,  se^2 = v_a + v_b,  v = s^2 / K,
    df = se^4 / (v_a^2 / (K_a - 1) + v_b^2 / (K_b - 1)).     By hand: SciPy's warns when one arm is constant.
    """
    if min(len(a), len(b)) < 2:
        return None, None, None
    v_a, v_b = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    se = np.sqrt(v_a + v_b)
    if se <= TIE * max(np.abs(a).max(), np.abs(b).max()):
        return None, None, None
    df = (v_a + v_b) ** 2 / (v_a**2 / (len(a) - 1) + v_b**2 / (len(b) - 1))
    difference = a.mean() - b.mean()
    half = stats.t.ppf((1 + level) / 2, df) * se
    p = 2 * stats.t.sf(abs(difference - margin) / se, df)
    return float(difference - half), float(difference + half), float(p)


def _effect(a: np.ndarray, b: np.ndarray) -> float | None:
    if all(np.isin(x, (0, 1)).all() for x in (a, b)):
        return float(2 * np.arcsin(np.sqrt(a.mean())) - 2 * np.arcsin(np.sqrt(b.mean())))
    d = a.mean(axis=0) - b.mean(axis=0)
    sd = d.std(ddof=1) if len(d) > 1 else 0.0
    return float(d.mean() / sd) if sd > TIE * np.abs(d).max() else None


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
    such as instructions followed over instructions given. The bootstrap is that of `compare`: K seeds and n
    prompts drawn with replacement, the same draw for both sums. With one seed only prompts vary, and `method`
    says so. Where nothing varies because everything or nothing was followed, a bootstrap would claim
    certainty: Wilson's interval over n prompts stands in. Raises ValueError for NaN, wrong shapes, a den
    below or equal to 0.
    """
    num = _array(num, "num", 2)
    _settings(level, resamples)
    seeds, n = num.shape
    den = np.ones((1, n)) if den is None else np.atleast_2d(np.asarray(den, dtype=float))
    den = _array(den, "den", 2)
    if den.shape not in ((1, n), (seeds, n)) or den.min() <= 0:
        raise ValueError(f"den must be positive, ({n},) or {num.shape}, got {den.shape}, least {den.min()}")
    den = np.broadcast_to(den, num.shape)
    estimate = float(num.sum() / den.sum())

    if (num == 0).all() or (num == den).all():
        low, high = wilson(n if num.any() else 0, n, level=level)
        method, resamples = "Wilson interval over prompts (all scores equal)", 0
    else:
        sums = _resampled_sums(np.concatenate([num, den]), resamples, rng)
        drawn = _counts(seeds, resamples, rng)
        ratio = _over_seeds(sums[:, :seeds], drawn) / _over_seeds(sums[:, seeds:], drawn)
        low, high = np.quantile(ratio, [(1 - level) / 2, (1 + level) / 2])
        method = _method(seeds, seeds)
    return Interval(estimate, float(low), float(high), level, seeds, n, method, resamples)


def wilson(k: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (low, high) of k / n. Raises ValueError unless 0 <= k <= n and n > 0."""
    if n < 1:
        raise ValueError("a proportion needs at least one trial, got n = 0")
    bounds = stats.binomtest(int(k), int(n)).proportion_ci(confidence_level=level, method="wilson")
    return float(bounds.low), float(bounds.high)


def mcnemar(a: ArrayLike, b: ArrayLike) -> McNemar:
    """Exact McNemar test of two runs' 0/1 scores (n,) on the same prompts.

    Of the discordant prompts, those that only A passes are Binomial(discordant, 1/2) if the runs are equally
    good. No discordant prompt: p = 1. Raises ValueError for NaN, unequal lengths or other scores than 0, 1.
    """
    a, b = _paired(a, b, "a b", 1)
    if not np.isin([a, b], (0, 1)).all():
        raise ValueError("McNemar's test needs scores of 0 or 1")
    only_a, only_b = int((a > b).sum()), int((a < b).sum())
    p = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return McNemar(only_a, only_b, float(p))


def _p_values(p: ArrayLike) -> np.ndarray:
    p = np.asarray(p, dtype=float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():  # NaN fails both comparisons
        raise ValueError(f"p-values must be a list of numbers from 0 to 1, got {p.tolist()}")
    return p


def holm(p: ArrayLike, *, family: int | None = None) -> np.ndarray:
    """Holm's step-down adjustment (m,) -> (m,): controls the chance of any false finding in the family.

    Sorted, p_(i) becomes max over j <= i of min(1, (M - j + 1) p_(j)). M = `family`, the number of planned
    tests, which a missing run does not shrink; by default the number of p-values. Raises ValueError for NaN
    or M < m.
    """
    p = _p_values(p)
    family = len(p) if family is None else family
    if family < len(p):
        raise ValueError(f"{len(p)} p-values cannot belong to a family of {family} tests")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate((family - np.arange(len(p))) * p[order]))
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> np.ndarray:
    """Benjamini-Hochberg adjustment (m,) -> (m,): controls the share of false findings. ValueError: NaN."""
    p = _p_values(p)
    return stats.false_discovery_control(p, method="bh") if len(p) else p


def tost(d: ArrayLike, margin: float) -> float:
    """Equivalence of two runs: p is small when the mean of the paired d (n,) lies inside +-margin.

    p = max(p of "mean > -margin", p of "mean < margin"), one-sided t-tests (Schuirmann 1987); p < 0.05
    exactly when the 90 % t interval lies inside +-margin. Without variance the mean alone decides. This
    covers prompts only: for arms with several seeds ask whether the interval of `compare(level=0.9)` lies
    inside +-margin. Raises ValueError for NaN, n < 2 or margin <= 0.
    """
    d = _array(d, "d", 1)
    if len(d) < 2 or not margin > 0:
        raise ValueError(f"tost needs 2 or more differences and a margin above 0, got {len(d)} and {margin}")
    # The side of the margin that is nearer to the mean has the larger p.
    gap, se = margin - abs(d.mean()), d.std(ddof=1) / np.sqrt(len(d))
    if se <= TIE * np.abs(d).max():
        return 0.0 if gap > 0 else 1.0
    return float(stats.t.sf(gap / se, len(d) - 1))


def distance(own: ArrayLike, expert: ArrayLike) -> Distance:
    """Distance between two sets of values (n,), such as response lengths, paired by prompt.

    `ks`: largest gap of the two distribution functions, with its p; `wasserstein`: the mean shift that turns
    one distribution into the other, in the values' unit; `wilcoxon_p`: signed-rank test of the paired
    differences own - expert (p = 1 when all are 0), which sees shifts that the unpaired tests miss, beside
    their median. Raises ValueError for NaN or unequal lengths.
    """
    own, expert = _paired(own, expert, "own expert", 1)
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
        wilcoxon_p=float(stats.wilcoxon(d, method=method).pvalue) if d.any() else 1.0,
        median_difference=float(np.median(d)),
        n=len(d),
    )


def distinct_bigrams(texts: Iterable[str]) -> float | None:
    """Distinct word bigrams / bigrams over all texts (distinct-2 of Li et al. 2016, arXiv 1510.03055), 0 to 1.

    Words are split at white space; no bigram spans two texts. None where no text has two words. It falls with the
    number of texts: compare only sets of equal size.
    """
    words = [text.split() for text in texts]
    bigrams = [pair for text in words for pair in zip(text, text[1:], strict=False)]
    return len(set(bigrams)) / len(bigrams) if bigrams else None
