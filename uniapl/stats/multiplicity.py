"""Many p-values: Holm for headline families, Benjamini-Hochberg for tables."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


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
