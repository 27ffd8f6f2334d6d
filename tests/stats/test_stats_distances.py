"""Distances, diversity, aggregates: closed forms, cases computed by hand, coverage in small simulations."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from uniapl import stats

pytestmark = pytest.mark.filterwarnings("error")


def generator(seed=0):
    return np.random.default_rng(seed)


# distance


def test_wasserstein_of_a_shift_is_the_shift():
    x = generator().normal(60, 8, 300)
    d = stats.distance(x + 4.5, x)
    assert d.wasserstein == pytest.approx(4.5) and d.median_difference == pytest.approx(4.5)
    assert d.wilcoxon_p < 1e-6 and d.ks_p < 1e-3
    assert stats.distance(x - 4.5, x).median_difference == pytest.approx(-4.5)


def test_distance_by_hand():
    # Own 1, 2, 3 against expert 2, 3, 7: sorted, they differ by 1, 1, 4, mean 2. KS: 1/3 apart.
    d = stats.distance([3, 1, 2], [7, 2, 3])
    assert (d.wasserstein, d.ks) == (pytest.approx(2), pytest.approx(1 / 3))
    assert (d.median_difference, d.n) == (-1, 3)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 13, 14, 60, 541])
def test_distance_of_equal_or_tied_values_warns_nothing(n):
    x = generator().integers(0, 5, n)
    equal = stats.distance(x, x)
    assert (equal.ks, equal.wasserstein, equal.wilcoxon_p, equal.median_difference) == (0, 0, 1, 0)
    tied = stats.distance(x, generator(1).integers(0, 5, n))
    assert 0 <= tied.ks_p <= 1 and 0 <= tied.wilcoxon_p <= 1


def test_distance_refuses_unpaired_values():
    with pytest.raises(ValueError, match="2 and 1 prompts"):
        stats.distance([1, 2], [1])


def test_energy_distance_by_hand():
    # F - G is 1 on [0, 1): sqrt(2 x 1^2 x 1).
    assert stats.distance([0, 0], [1, 1]).energy == pytest.approx(np.sqrt(2))


# intervals of distances


def test_a_resample_of_all_prompts_once_is_scipys_distance():
    own, expert = generator().integers(0, 9, (2, 40)), generator(1).integers(0, 9, 40)
    found = stats.distance_intervals(own, expert, rng=generator(), resamples=9)
    for kind, of_kind in found.items():
        by_seed = [getattr(stats.distance(run, expert), kind) for run in own]
        assert of_kind.estimate == pytest.approx(np.mean(by_seed))


def test_distances_of_two_prompts_have_the_distribution_computed_by_hand():
    # Shifts by 1 and 3: the Wasserstein distance of two drawn prompts is 1, 2 or 3. The texts' places do not matter for
    # so few: it is 2 by chance too, and the lower bound is 0. Two prompts leave a share of 1 - 0.2^(1/2) = 0.553 of all
    # prompts open at 60 %, and the values span 103: 2 + 0.553 * 103.
    found = stats.distance_intervals([[1, 103]], [0, 100], rng=generator(), level=0.6)["wasserstein"]
    assert (found.estimate, found.low, found.high) == (2, 0, pytest.approx(2 + 103 * (1 - math.sqrt(0.2))))
    many = stats.distance_intervals([[1] * 40 + [3] * 40], [0] * 80, rng=generator())["wasserstein"]
    assert many.low == pytest.approx(2 - 1.96 * np.sqrt(1 / 80), abs=0.03)
    assert "one seed" in found.method


def test_an_interval_spans_the_quantiles_and_their_mirror_image():
    # One prompt of 24 is 24 away: d = 1, d* = 0, 1, 2 or more with chance 0.36, 0.38, 0.26. At 40 %: d* in 0 to 1.
    expert = np.arange(0.0, 2400, 100)
    own = expert[None] + 24.0 * (np.arange(24) == 23)
    found = stats.distance_intervals(own, expert, rng=generator(), level=0.4)["wasserstein"]
    assert (found.estimate, found.low, found.high) == (1, 0, 2)
    c = stats.distance_difference(own, expert[None], expert, expert, rng=generator(), level=0.4)
    assert (c.estimate, c.low, c.high, c.p) == (1, 0, 2, 1)  # one prompt differs: no test could say that the arms do


def test_a_shift_of_all_prompts_is_known_up_to_prompts_that_were_not_seen():
    # No draw of 100 differs; 1 - 0.025^(1/100) = 3.6 % of all prompts may, by the range of the values.
    x = generator().normal(60, 8, 100)
    found = stats.distance_intervals([x + 4.5], x, rng=generator())["wasserstein"]
    room = (1 - 0.025**0.01) * (np.ptp(x) + 4.5)
    assert (found.low, found.high) == pytest.approx((4.5 - room, 4.5 + room))
    same = stats.distance_intervals([[7.0] * 30], [7.0] * 30, rng=generator())
    assert (same["ks"].low, same["ks"].high) == (0, pytest.approx(1 - 0.025 ** (1 / 30)))


def test_few_prompts_decide_no_distance():
    # Five prompts, each 9 words off in arm A and right in B: 2^5 swaps, so that p cannot fall below 2 / 32.
    expert = np.arange(5.0) * 100
    c = stats.distance_difference([expert + 9], [expert], expert, expert, rng=generator())
    assert c.p == 2 / 32 and c.low <= 0 < c.high
    assert stats.distance(expert + 9, expert).wilcoxon_p == 2 / 32  # all ties: SciPy approximates 0.025
    assert stats.distance_difference([[1.0]], [[5.0]], [0.0], [0.0], rng=generator()).p == 1


def test_seeds_widen_the_interval_of_a_distance():
    # Seeds 1 and 3 away, no other variance: 2 -+ t_{1, 0.8} = 1.376382 times sqrt(2 / 2).
    x = generator().normal(60, 8, 50)
    found = stats.distance_intervals([x + 1, x + 3], x, rng=generator(), level=0.6, resamples=9999)["wasserstein"]
    assert (found.low, found.high) == pytest.approx((2 - 1.376382, 2 + 1.376382), rel=0.1)


def test_equal_distributions_have_a_distance_of_zero():
    found = stats.distance_intervals([[1, 2, 2]], [2, 1, 2], rng=generator())
    assert all((i.estimate, i.low) == (0, 0) for i in found.values())
    assert found["ks"].high <= 1


def test_the_nearer_arm_is_found():
    x = generator().normal(60, 8, 100)
    near, far = [x + 1, x + 1.2, x + 0.9], [x + 3, x + 3.3]
    c = stats.distance_difference(near, far, x, x, rng=generator())
    assert c.estimate == pytest.approx(3.1 / 3 - 3.15) and c.high < 0 and c.p < 0.05
    assert (c.n_seeds_a, c.n_seeds_b, c.n_prompts) == (3, 2, 100)
    same = stats.distance_difference(near, near, x, x, rng=generator())
    assert same.estimate == 0 and same.low < 0 < same.high and same.p > 0.5
    assert stats.distance_difference(far, far, x, x, rng=generator(), kind="ks").estimate == 0
    with pytest.raises(ValueError, match="kind"):
        stats.distance_difference(near, far, x, x, rng=generator(), kind="length")


def test_each_seed_may_be_held_against_its_own_values_of_the_expert():
    rng = np.random.default_rng(3)
    own, expert, shift = rng.normal(size=(3, 20)), rng.normal(size=20), np.array([[0.0], [5.0], [-2.0]])
    one = stats.distance_intervals(own, expert, rng=np.random.default_rng(0), resamples=99)
    each = stats.distance_intervals(own + shift, expert + shift, rng=np.random.default_rng(0), resamples=99)
    for kind, found in one.items():
        assert (each[kind].low, each[kind].high) == pytest.approx((found.low, found.high))


def test_intervals_of_distances_refuse_unpaired_values():
    with pytest.raises(ValueError, match="3 and 2 prompts"):
        stats.distance_intervals([[1, 2, 3]], [1, 2], rng=generator())
    with pytest.raises(ValueError, match="level"):
        stats.distance_intervals([[1, 2]], [1, 2], rng=generator(), level=95)


# aggregates


def test_iqm_is_the_mean_of_the_middle_half():
    # 0 1 | 2 3 4 5 | 6 100: mean 3.5; a mean would be 15.1.
    found = stats.iqm([[0, 1, 2, 3], [4, 5, 6, 100]], rng=generator())
    assert found.estimate == 3.5 and (found.n_seeds, found.n_benchmarks) == (2, 4)


def test_iqm_draws_seeds_within_benchmarks():
    # Two seeds that agree on each benchmark: nothing to vary, though the benchmarks differ.
    fixed = stats.iqm([[1, 5], [1, 5]], rng=generator())
    assert (fixed.estimate, fixed.low, fixed.high, fixed.method) == (3, None, None, "none (no draw of seeds differs)")
    # One benchmark, seeds 0 and 1: the mean of two draws is 0, 1/2, 1 with chance 1/4, 1/2, 1/4.
    varied = stats.iqm([[0], [1]], rng=generator(), level=0.6)
    assert (varied.estimate, varied.low, varied.high) == (0.5, 0, 1)
    # Two benchmarks drawn apart: one 1 or none in four draws, and so a middle half of 0, with chance 5/16 = 0.31.
    # Drawn together it would be 1/4, and the 27 % quantile 1/2.
    assert stats.iqm([[0, 0], [1, 1]], rng=generator(), level=0.46).low == 0


def test_probability_of_improvement_counts_pairs_and_half_of_the_ties():
    # Benchmark 1: 2 against 1 and 2: 1 + 1/2; 0 against them: 0 -> 1.5 / 4. Benchmark 2: all 4 won. Mean 11/16.
    a, b = np.array([[2, 9], [0, 8]]), np.array([[1, 3], [2, 4]])
    found = stats.probability_of_improvement(a, b, rng=generator())
    assert found.estimate == pytest.approx(11 / 16)
    by_scipy = [scipy_stats.mannwhitneyu(a[:, t], b[:, t]).statistic / 4 for t in range(2)]
    assert found.estimate == pytest.approx(np.mean(by_scipy))
    turned = stats.probability_of_improvement(b, a, rng=generator())
    assert turned.estimate == pytest.approx(5 / 16)
    sure = stats.probability_of_improvement(a + 10, b, rng=generator())
    # Every seed of A is above every one of B, two of each: Newcombe's score bound, t with (1 - t)^2 = z^2 V(t).
    assert (sure.estimate, sure.high) == (1, 1) and 0 < sure.low < 1
    t = sure.low
    v = t * (1 - t) * (1 + (1 - t) / (2 - t) + t / (1 + t)) / 4
    assert (1 - t) ** 2 == pytest.approx(1.959964**2 * v, rel=1e-5)
    assert "score interval" in sure.method


def test_probability_of_improvement_has_the_distribution_computed_by_hand():
    # A: 0 or 2, B: 1 twice. Of two draws of A none, one or both win, chance 1/4, 1/2, 1/4.
    found = stats.probability_of_improvement([[0], [2]], [[1], [1]], rng=generator(), level=0.6)
    assert (found.estimate, found.low, found.high) == (0.5, 0, 1)


def test_aggregates_refuse_what_they_cannot_pair_and_say_where_one_seed_is_all():
    with pytest.raises(ValueError):
        stats.iqm([[np.nan]], rng=generator())
    with pytest.raises(ValueError):
        stats.probability_of_improvement([[1, 2]], [[1]], rng=generator())
    assert "one seed" in stats.iqm([[1, 2]], rng=generator()).method


# distinct bigrams


def test_distinct_bigrams_counted_by_hand():
    # a b, b a, a b | b a: four bigrams, two distinct; none spans two texts.
    assert stats.distinct_bigrams(["a b a b", "b a"]) == pytest.approx(2 / 4)
    assert stats.distinct_bigrams(["a b", "c d"]) == 1
    assert stats.distinct_bigrams(["one", "", "two\n"]) is None
