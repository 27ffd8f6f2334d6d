"""Arms whose seeds share a base: compared seed by seed, by Student's t over the differences of each seed."""

import numpy as np
import pytest
from scipy import stats as scipy_stats
from support.scores import generator, runs

from uniapl import stats


def test_shared_seeds_are_compared_by_their_differences():
    a, b = runs([0.6, 0.9, 0.3, 0.5]), runs([0.5, 0.7, 0.25, 0.35], seed=2)
    c = stats.compare(a, b, rng=generator(), shared_seeds=True, margin=0.02, level=0.9)
    d = scipy_stats.ttest_rel(a.mean(axis=1), b.mean(axis=1) + 0.02)
    assert c.p_seeds == pytest.approx(d.pvalue)
    assert (c.seed_low, c.seed_high) == pytest.approx(
        tuple(x + 0.02 for x in d.confidence_interval(0.9)),
    )
    assert c.method.endswith("paired by prompt and seed") and (c.n_seeds_a, c.n_seeds_b) == (4, 4)
    apart = stats.compare(a, b, rng=generator(), margin=0.02, level=0.9)
    assert c.high - c.low < apart.high - apart.low and c.detectable < apart.detectable
    assert (c.estimate, c.effect) == (apart.estimate, apart.effect)
    turned = stats.compare(b, a, rng=generator(), shared_seeds=True, margin=-0.02, level=0.9)
    assert (turned.low, turned.high, turned.p) == (-c.high, -c.low, c.p)


def test_what_all_seeds_share_is_student_of_their_differences():
    # Prompts answer alike: only seeds vary. d = 0, 1, 0, 1 of 4 seeds: mean 1/2, s^2 = 1/3, t_{0.975, 3} = 3.182446.
    a, b = np.array([[0.0], [1], [1], [1]]) + np.zeros(60), np.array([[0.0], [0], [1], [0]]) + np.zeros(60)
    c = stats.compare(a, b, rng=generator(), shared_seeds=True)
    assert (c.seed_low, c.seed_high) == pytest.approx((0.5 - 0.918693, 0.5 + 0.918693), rel=1e-6)
    assert (c.low, c.high) == pytest.approx((c.seed_low, c.seed_high), abs=0.06)  # 9,999 draws of t_3
    same = stats.compare(a, a, rng=generator(), shared_seeds=True)
    assert (same.low, same.high) == pytest.approx((0.025 ** (1 / 60) - 1, 1 - 0.025 ** (1 / 60)))  # small.py's
    assert same.p_seeds is None and same.seed_low is None and same.detectable > 0
    with pytest.raises(ValueError, match="shared seeds are paired, but the arms have 4 and 3"):
        stats.compare(a, b[:3], rng=generator(), shared_seeds=True)
