"""Small and degenerate samples: the one place that says how little they show.

A bootstrap repeats what it saw. Where n prompts all gave one value it claims certainty, and where few prompts gave
another it is too sure (docs/statistics.md has the coverage). Every function of uniapl/stats asks here before it
reports an interval or a p-value, and takes the wider interval and the larger p. The unit is the prompt: the seeds of an
arm answer the same prompts, and where they answer alike, K of them say no more of other prompts than one does. So the
effective size is n, which is Kish's K n / (1 + (K - 1) rho) with rho = 1, the value that these data show.

    share of n         Wilson 1927, also of a mean of scores in [0, 1]: their variance is at most m (1 - m)
    n equal values     up to 1 - (alpha / 2)^(1 / n) of all prompts may give another one: Clopper and Pearson 1934 for
                       0 of n, about 3.7 / n (the rule of three, Hanley and Lippman-Hand 1983, at two sides)
    paired difference  p - q of the shares of prompts on which A or B is higher: Clopper-Pearson bounds of both, squared
                       and added with their correlation (MOVER: Newcombe 1998, Zou and Donner 2008); at Laplace's
                       estimates of the shares, as Bonett and Price 2012 have them
    p of pairs         exact sign flips (Fisher 1935); of 0/1 scores this is the exact McNemar test

Newcombe's and Bonett and Price's own intervals exclude 0 at 5 of 5 prompts, where the exact p is 0.0625; Clopper and
Pearson's bounds do not. At equal values both rules give the same: n prompts without a difference, +-(1 - (alpha /
2)^(1 / n)); n prompts that only A passes, [2 (alpha / 2)^(1 / n) - 1, 1].
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from uniapl.stats.arrays import TIE

MOST = 20  # prompts or fewer are few; 2^20 sums of flipped signs are the most that an exact test forms
FEW = 10  # differing prompts below which a bootstrap of them is too sure
LEAST = 1e-9  # p below which none is looked for
WIDER = "{}; few or equal prompts: no narrower than exact bounds"


def wilson(k: float, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (low, high) of k / n; k need be no whole number, but the sum of n scores in [0, 1].

    Raises ValueError unless 0 <= k <= n and n > 0.
    """
    if n < 1:
        raise ValueError("a proportion needs at least one trial, got n = 0")
    if not -TIE <= k <= n + TIE * n:
        raise ValueError(f"a proportion of {n} trials cannot have {k} successes")
    z2 = special.ndtri((1 + level) / 2) ** 2
    share = min(1.0, max(0.0, k / n))
    centre, half = (k + z2 / 2) / (n + z2), np.sqrt(z2 * (n * share * (1 - share) + z2 / 4)) / (n + z2)
    return (0.0 if share == 0 else float(centre - half)), (1.0 if share == 1 else float(centre + half))


def clopper_pearson(k: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The exact interval (low, high) of k / n, 0 <= k <= n, n > 0: its coverage is never below `level`."""
    half = (1 - level) / 2
    low = special.betaincinv(k, n - k + 1, half) if k > 0 else 0.0
    return float(low), float(special.betainccinv(k + 1, n - k, half) if k < n else 1.0)


def unseen(n: int, *, level: float = 0.95) -> float:
    """The largest share of other prompts that n prompts of one kind leave open: 1 - ((1 - level) / 2)^(1 / n)."""
    return float(-np.expm1(np.log((1 - level) / 2) / n))


def sign_flip(d: ArrayLike) -> float | None:
    """Exact two-sided p of paired differences d (n,): their sum among those of all flipped signs. None: over MOST.

    With m differences that are not 0 it is at least 2^(1 - m), and 1 for m = 0 or 1.
    """
    d = np.abs(signed := np.asarray(d, dtype=float))
    d = d[d > TIE * d.max(initial=0)]
    if len(d) > MOST:
        return None
    sums = np.zeros(1)
    for x in d:
        sums = np.concatenate([sums + x, sums - x])
    return float(np.mean(np.abs(sums) >= abs(signed.sum()) - 1e-9 * d.sum()))


def range_of(*scores: np.ndarray) -> tuple[float, float]:
    """The range that scores may have: [0, 1], or as far beyond as they were seen."""
    return float(min(0.0, *(x.min() for x in scores))), float(max(1.0, *(x.max() for x in scores)))


def constant_bounds(value: float, n: int, low: float, high: float, *, level: float = 0.95) -> tuple[float, float]:
    """Bounds of the mean over all prompts where n of them all gave `value`, of a quantity within [low, high]."""
    share = unseen(n, level=level)
    return value - share * (value - low), value + share * (high - value)


def paired_bounds(d: np.ndarray, unit: float, *, level: float = 0.95) -> tuple[float, float]:
    """Bounds of the mean of paired differences d (n,), each within +-unit, for few or equal ones.

    The widest of: square-and-add of the shares p, q of d above and below 0 (x = p - p_low, y = q_high - q, r their
    correlation, s the root mean square of the d that are not 0)

        low = mean - s sqrt(x^2 + y^2 - 2 r x y)      r = -sqrt(p' q' / ((1 - p') (1 - q'))), p' = (n p + 1) / (n + 2)

    and the same mirrored; Student's t over prompts; and, for equal values, `constant_bounds`. Within +-unit. Coverage
    of 0/1 scores by enumeration: 95.1 % or more at n = 1 to 20, 30, 50 and 100 (benchmarks/calibration_small.py).
    """
    n, mean, size = len(d), float(d.mean()), np.abs(d)
    differ = size > TIE * unit
    above, below = int((differ & (d > 0)).sum()), int((differ & (d < 0)).sum())
    scale = float(np.sqrt((d[differ] ** 2).mean())) if differ.any() else unit
    (p_low, p_high), (q_low, q_high) = (clopper_pearson(k, n, level=level) for k in (above, below))
    p, q = above / n, below / n
    r = -np.sqrt((above + 1) * (below + 1) / ((n + 1 - above) * (n + 1 - below)))
    bounds = [(mean - scale * _add(p - p_low, q_high - q, r), mean + scale * _add(p_high - p, q - q_low, r))]
    if np.ptp(d) <= TIE * unit:
        bounds.append(constant_bounds(mean, n, -unit, unit, level=level))
    elif n > 1:
        half = special.stdtrit(n - 1, (1 + level) / 2) * d.std(ddof=1) / np.sqrt(n)
        bounds.append((mean - half, mean + half))
    lows, highs = zip(*bounds, strict=True)
    return float(max(-unit, min(lows))), float(min(unit, max(highs)))


def rank_bounds(share: float, n_a: int, n_b: int, *, level: float = 0.95) -> tuple[float, float]:
    """Bounds of P(A > B) + P(A = B) / 2, seen as `share` of the pairs of n_a and n_b values: Newcombe 2006's method 5.

    Those t with |t - share| = z sqrt(V(t)), V by Hanley and McNeil 1982 with (n_a + n_b) / 2 - 1 for both group sizes
    less one: a score interval, which does not shrink to a point where every value of A is above every one of B. Of one
    value each it is Wilson's of one trial.
    """
    z, pairs = special.ndtri((1 + level) / 2), (n_a + n_b) / 2 - 1

    def gap(t: float) -> float:
        spread = t * (1 - t) * (1 + pairs * (1 - t) / (2 - t) + pairs * t / (1 + t)) / (n_a * n_b)
        return abs(t - share) - z * np.sqrt(spread)

    low = optimize.brentq(gap, LEAST, share - LEAST) if share > LEAST else 0.0  # at 0 and 1 the gap is 0 as well
    return float(low), float(optimize.brentq(gap, share + LEAST, 1 - LEAST) if share < 1 - LEAST else 1.0)


def paired_p(d: np.ndarray, margin: float, unit: float) -> float:
    """Two-sided p of "the mean of d is `margin`": 1 - level of the narrowest `paired_bounds` that hold it."""

    def gap(level: float) -> float:
        low, high = paired_bounds(d, unit, level=level)
        return min(margin - low, high - margin)

    if gap(LEAST) >= 0:
        return 1.0
    if gap(1 - LEAST) <= 0:
        return LEAST
    return 1 - float(optimize.brentq(gap, LEAST, 1 - LEAST, xtol=1e-12))


def _add(x: float, y: float, r: float) -> float:
    return float(np.sqrt(max(0.0, x**2 + y**2 - 2 * r * x * y)))
