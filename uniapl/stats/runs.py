"""Two single runs on the same prompts: McNemar's test and equivalence. Seeds are not in these p-values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from uniapl.stats.arrays import TIE, array, paired


@dataclass(frozen=True)
class McNemar:
    """Discordant prompts of two runs and the exact two-sided p-value of their balance."""

    only_a: int
    only_b: int
    p: float


def mcnemar(a: ArrayLike, b: ArrayLike) -> McNemar:
    """Exact McNemar test of two runs' 0/1 scores (n,) on the same prompts.

    Of the discordant prompts, those that only A passes are Binomial(discordant, 1/2) if the runs are equally
    good. No discordant prompt: p = 1. Raises ValueError for NaN, unequal lengths or other scores than 0, 1.
    """
    a, b = paired(a, b, "a b", 1)
    if not np.isin([a, b], (0, 1)).all():
        raise ValueError("McNemar's test needs scores of 0 or 1")
    only_a, only_b = int((a > b).sum()), int((a < b).sum())
    p = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return McNemar(only_a, only_b, float(p))


def tost(d: ArrayLike, margin: float) -> float:
    """Equivalence of two runs: p is small when the mean of the paired d (n,) lies inside +-margin.

    p = max(p of "mean > -margin", p of "mean < margin"), one-sided t-tests (Schuirmann 1987); p < 0.05
    exactly when the 90 % t interval lies inside +-margin. Without variance there is no t: K equal values inside the
    margin have the exact sign-flip p of one side, 2^-K, and 1 outside. This
    covers prompts only: for arms with several seeds ask whether the interval of `compare(level=0.9)` lies
    inside +-margin. Raises ValueError for NaN, n < 2 or margin <= 0.
    """
    d = array(d, "d", 1)
    if len(d) < 2 or not margin > 0:
        raise ValueError(f"tost needs 2 or more differences and a margin above 0, got {len(d)} and {margin}")
    # The side of the margin that is nearer to the mean has the larger p.
    gap, se = margin - abs(d.mean()), d.std(ddof=1) / np.sqrt(len(d))
    if se <= TIE * np.abs(d).max():
        return 0.5 ** len(d) if gap > 0 else 1.0
    return float(stats.t.sf(gap / se, len(d) - 1))
