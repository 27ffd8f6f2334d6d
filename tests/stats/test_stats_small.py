"""Small and degenerate samples: bounds by hand, coverage by enumeration, agreement with scipy."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from uniapl import stats
from uniapl.stats import small

RATES = (0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)
SIZES = (1, 2, 3, 5, 6, 10, 20)


def generator(seed=0):
    return np.random.default_rng(seed)


def differences(above, below, n):
    return np.repeat([1.0, -1.0, 0.0], [above, below, n - above - below])


def outcomes(n):
    """(above, below) of n prompts."""
    return [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]


def probability(above, below, n, p, q):
    return scipy_stats.multinomial.pmf([above, below, n - above - below], n, [p, q, max(0.0, 1 - p - q)])


# bounds by hand


def test_n_equal_prompts_leave_a_share_of_others_open():
    # 0 of n at two sides of 2.5 %: (1 - share)^n = 0.025; 3.69 / n for large n, the rule of three at two sides.
    assert small.unseen(1) == pytest.approx(0.975)
    assert small.unseen(10_000) == pytest.approx(-math.log(0.025) / 10_000, rel=1e-3)
    rare = 1 - 0.025 ** (1 / 88)
    assert small.paired_bounds(np.zeros(88), 1.0) == pytest.approx((-rare, rare))
    assert small.paired_bounds(np.ones(88), 1.0) == pytest.approx((2 * 0.025 ** (1 / 88) - 1, 1))
    assert small.paired_bounds(-np.ones(88), 1.0) == pytest.approx((-1, 1 - 2 * 0.025 ** (1 / 88)))
    # all prompts at 1/2: a share of others may be at -1 or at 1
    assert small.constant_bounds(0.5, 88, -1, 1) == pytest.approx((0.5 - 1.5 * rare, 0.5 + 0.5 * rare))


def test_five_prompts_that_agree_do_not_exclude_zero_and_six_do():
    assert small.paired_bounds(np.ones(5), 1.0)[0] == pytest.approx(2 * 0.025**0.2 - 1) and 0.025**0.2 < 0.5
    assert 0 < small.paired_bounds(np.ones(6), 1.0)[0] == pytest.approx(2 * 0.025 ** (1 / 6) - 1)


def test_signs_flipped_by_hand():
    # 0.5, 0.5, -1: the sums of all eight signs are 0 (twice), +-1 (twice each), +-2: |0| and more has p = 1.
    assert small.sign_flip([0.5, 0.5, -1]) == 1
    # 1, 2, 3: only +6 and -6 of eight are as far from 0 as 6.
    assert small.sign_flip([1, 2, 3]) == 2 / 8
    assert (small.sign_flip([]), small.sign_flip([0, 0]), small.sign_flip([0, 3])) == (1, 1, 1)
    assert small.sign_flip(np.ones(21)) is None


@pytest.mark.parametrize("n", range(1, 13))
def test_no_p_is_below_what_n_signs_can_give(n):
    c = stats.compare(np.ones((1, n)), np.zeros((1, n)), rng=generator())
    assert c.p == pytest.approx(max(2.0 ** (1 - n), 2 / 10_000))
    assert (c.low <= 0) == (c.p > 0.05) and c.high == 1
    several = stats.compare(np.ones((5, n)), np.zeros((5, n)), rng=generator())  # seeds that agree are no more prompts
    assert (several.low, several.high, several.p) == pytest.approx((c.low, c.high, c.p))


def test_one_hundred_prompts_of_which_few_differ():
    for m, decided in ((1, False), (5, False), (6, True), (9, True)):
        a = np.ones((1, 100))
        c = stats.compare(a, a - (np.arange(100) < m), rng=generator())
        assert c.p >= 2.0 ** (1 - m) * (1 - 1e-9) and (c.p < 0.05) == decided == (c.low > 0)


def test_a_margin_that_no_prompt_crosses_has_the_p_of_the_rule_of_three():
    # No difference on 88 prompts: 5 points are excluded at the level at which (1 - 0.05)^88 = p / 2.
    same = np.ones((1, 88))
    assert stats.compare(same, same, rng=generator(), margin=0.05).p == pytest.approx(2 * 0.95**88, rel=1e-6)
    assert stats.compare(same, same, rng=generator(), margin=0.01).p == pytest.approx(2 * 0.99**88)


def test_many_prompts_that_vary_are_the_bootstrap_alone():
    rng = generator()
    a, b = (rng.random((2, 3, 60)) < 0.5).astype(float)
    c = stats.compare(a, b, rng=generator())
    assert "few" not in c.method and c.p_seeds is not None
    one = stats.compare(a[:1], b[:1], rng=generator())
    assert "few" not in one.method


# no interval is a point


@pytest.mark.parametrize(("n", "seeds"), itertools.product(SIZES, (1, 3)))
def test_no_interval_of_equal_scores_is_a_point(n, seeds):
    for value in (0.0, 0.5, 1.0):
        scores = np.full((seeds, n), value)
        alone = stats.interval(scores, rng=generator(), resamples=99)
        assert alone.low < alone.high and alone.low <= value <= alone.high
        for other in (0.0, 0.5, 1.0):
            c = stats.compare(scores, np.full((seeds, n), other), rng=generator(), resamples=99)
            assert c.low < c.high and c.low <= value - other <= c.high and abs(c.low) <= 1 and abs(c.high) <= 1
    counted = stats.interval(np.full((seeds, n), 2.0), np.full(n, 4), rng=generator(), resamples=99)
    assert (counted.low, counted.high) == pytest.approx(small.wilson(n / 2, n))


def test_scores_beyond_shares_have_the_range_that_was_seen():
    found = stats.interval([[7.0]], rng=generator(), resamples=99)
    assert (found.low, found.high) == pytest.approx((7 * small.wilson(1, 1)[0], 7))
    c = stats.compare([[7.0]], [[3.0]], rng=generator(), resamples=99)
    assert (c.low, c.high, c.p) == pytest.approx((4 - 0.975 * 11, 4 + 0.975 * 3, 1))  # within -7 and 7


def test_scores_of_few_prompts_have_bounds_no_narrower_than_wilsons():
    found = stats.interval([[1, 1, 1, 1, 0]], rng=generator())
    low, high = small.wilson(4, 5)
    assert found.low <= low and found.high >= high and "few prompts" in found.method


# coverage and errors, by enumeration


def paired_rates(n):
    pairs = itertools.product(RATES, RATES)
    return [(p, q) for p, q in pairs if p + q <= 1]


@pytest.mark.parametrize("n", SIZES)
def test_bounds_of_pairs_hold_95_percent_everywhere(n):
    bounds = {of: small.paired_bounds(differences(*of, n), 1.0) for of in outcomes(n)}
    for p, q in paired_rates(n):
        held = sum(
            probability(*of, n, p, q) for of, (low, high) in bounds.items() if low - 1e-9 <= p - q <= high + 1e-9
        )
        assert held >= 0.95, (p, q)


@pytest.mark.parametrize("n", SIZES)
def test_the_bounds_exclude_zero_where_the_exact_test_does(n):
    for above, below in outcomes(n):
        d = differences(above, below, n)
        exact = scipy_stats.binomtest(above, above + below).pvalue if above + below else 1.0
        assert small.sign_flip(d) == pytest.approx(exact)
        low, high = small.paired_bounds(d, 1.0)
        assert exact > 0.05 or low > 0 or high < 0
        if n < 20:  # at 20 two of 231 outcomes differ: `compare` then holds 0 by the test
            assert exact <= 0.05 or low <= 0 <= high


@pytest.mark.parametrize("n", SIZES)
def test_the_type_one_error_of_compare_is_at_most_five_percent(n):
    p_of = {
        of: stats.compare(differences(*of, n)[None], np.zeros((1, n)), rng=generator(), resamples=199).p
        for of in outcomes(n)
        if of[0] >= of[1]
    }
    for rate in (0.005, 0.0099, 0.1, 0.25, 0.5):
        wrong = [probability(*of, n, rate, rate) for of in outcomes(n) if p_of[max(of), min(of)] <= 0.05]
        assert sum(wrong) <= 0.05


# the same by scipy; test_stats_peers.py has other packages


@pytest.mark.parametrize("n", [1, 2, 5, 20, 88])
def test_wilson_and_clopper_pearson_are_scipys(n):
    for k in range(n + 1):
        for ours, method in ((small.wilson, "wilson"), (small.clopper_pearson, "exact")):
            for level in (0.9, 0.95):
                theirs = scipy_stats.binomtest(k, n).proportion_ci(confidence_level=level, method=method)
                assert ours(k, n, level=level) == pytest.approx(tuple(theirs), abs=1e-10)


def test_signs_flipped_are_scipys_permutations():
    d = generator().normal(0.4, 1, 11)
    theirs = scipy_stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert small.sign_flip(d) == pytest.approx(theirs.pvalue)


def test_the_rank_interval_of_one_value_each_is_wilsons():
    assert small.rank_bounds(1.0, 1, 1) == pytest.approx(small.wilson(1, 1), abs=1e-6)
    assert small.rank_bounds(0.5, 5, 5) == pytest.approx([1 - x for x in small.rank_bounds(0.5, 5, 5)[::-1]])
