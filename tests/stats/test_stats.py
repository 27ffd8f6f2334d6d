"""Statistics: closed forms, cases computed by hand, exact symmetries, silent edge cases, error rates."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from support.scores import generator, runs

from uniapl import stats
from uniapl.stats.comparison import difference_draws

pytestmark = pytest.mark.filterwarnings("error")


# compare


def test_compare_of_two_prompts_has_the_distribution_computed_by_hand():
    # One seed each, d = (1, 0). A resample draws prompt 1 twice, once or never: d* = 1, 1/2, 0 with chance
    # 1/4, 1/2, 1/4. One prompt that differs: p = 1, and the bounds are those of test_stats_small.py.
    drawn = difference_draws(np.array([[[1.0, 1]]]), np.array([[[0.0, 1]]]), 9999, generator())[:, 0]
    assert [np.mean(drawn == x) for x in (0, 0.5, 1)] == pytest.approx([1 / 4, 1 / 2, 1 / 4], abs=0.02)
    c = stats.compare([[1, 1]], [[0, 1]], rng=generator())
    assert (c.estimate, c.high, c.p) == (0.5, 1, 1) and c.low < 0
    # var(d) / 60 where 30 of 60 prompts differ: 1/4 (60 / 59) / 60.
    half = np.arange(60) % 2
    many = stats.compare(np.ones((1, 60)), half[None], rng=generator())
    assert many.detectable == pytest.approx((1.959964 + 0.841621) * math.sqrt(1 / 4 / 59))
    # h = 2 asin sqrt(1) - 2 asin sqrt(1/2) = pi - pi/2
    assert c.effect == pytest.approx(math.pi / 2)
    assert (c.seed_low, c.seed_high, c.p_seeds) == (None, None, None)


def test_compare_draws_seeds_and_not_only_prompts():
    # Prompts are all alike, so only seeds vary. A: 1 and 0, v = (1/2) / 2; B has no variance. df = 1: t = 12.7062.
    c = stats.compare([[1] * 24, [0] * 24], [[0] * 24, [0] * 24], rng=generator())
    assert (c.estimate, c.seed_high) == (0.5, pytest.approx(0.5 + 12.7062 / 2))
    assert (c.low, c.high) == (pytest.approx(c.seed_low, rel=0.15), pytest.approx(c.seed_high, rel=0.15))
    assert c.detectable == pytest.approx((12.7062 + 0.841621) / 2)


def test_compare_draws_the_same_prompts_for_both_arms():
    # Prompts differ wildly, but A is better by exactly 0.1 on each: with shared draws d* is always 0.1.
    difficulty = 0.9 * generator().random(50)
    drawn = difference_draws(difficulty[None, None] + 0.1, difficulty[None, None], 99, generator())
    assert drawn == pytest.approx(np.full((99, 1), 0.1))
    c = stats.compare([difficulty + 0.1], [difficulty], rng=generator())
    # 1 - 0.025^(1/50) = 7.1 % of all prompts may be others, at -1 or at 1; squared and added likewise, in tenths
    rare = 1 - 0.025 ** (1 / 50)
    assert (c.low, c.high) == pytest.approx((0.1 - 1.1 * rare, 0.1 + 0.9 * rare))
    assert c.p == pytest.approx(2 * (10 / 11) ** 50)  # 0.1 - 1.1 rare is 0 where rare = 1/11 = 1 - (p / 2)^(1/50)
    assert c.effect is None  # no variance to divide by


def test_seeds_of_the_arms_are_drawn_independently():
    # Seed k of A and of B have the same mean. Paired seeds would give d* = 0; independent ones: t = 4.3027, v = 1/2.
    scores = [[0] * 4, [1] * 4]
    assert stats.compare(scores, scores, rng=generator()).high == pytest.approx(4.3027 * math.sqrt(1 / 2), rel=0.1)


def test_noise_of_a_seed_on_a_prompt_is_counted_once():
    # A's per-prompt means 1/2 and 0 differ by no more than one response's noise: the residual mean square is 1/4, the
    # variance of the mean over prompts (1/8) / 2 = 1/16 = (1/4) / 4. All of it is in the seeds' t, df = 1, v = 1/16.
    a, b = [[1, 0], [0, 0]], [[0, 0], [0, 0]]
    c = stats.compare(a, b, rng=generator())
    assert (c.low, c.high) == (pytest.approx(c.seed_low, rel=0.15), pytest.approx(c.seed_high, rel=0.15))
    assert c.seed_high == pytest.approx(0.25 + 12.7062 / 4)
    assert stats.components(a, b) == stats.Components(0, 0, 0, 0.25, 0)
    turned = stats.compare(np.ones((2, 2)), a, rng=generator(), level=0.5)  # t_{1} = 1
    assert turned.high == pytest.approx(0.75 + 1 / 4, abs=0.01)


def test_prompts_and_seeds_add_up():
    # Seeds 0, 0.3, 0.9 on prompts that A alone finds easy or hard: no noise, so both parts are whole.
    s, q = np.array([0.0, 0.3, 0.9]), generator().random(40)
    c = stats.compare(s[:, None] + q, np.zeros((2, 40)), rng=generator())
    of_seeds, of_prompts = s.var(ddof=1) / 3, q.var(ddof=1) / 40
    h = math.sqrt(4.302653**2 * of_seeds + 1.959964**2 * of_prompts)
    assert c.detectable == pytest.approx(h + 0.841621 * math.sqrt(of_seeds + of_prompts))
    assert (c.high - c.low) / 2 == pytest.approx(h, rel=0.08)
    alone = stats.compare(s[:, None] + q, np.zeros((2, 40)) + q, rng=generator())  # easy for both: pairing cancels q
    assert alone.detectable == pytest.approx((4.302653 + 0.841621) * math.sqrt(of_seeds))


def test_same_generator_gives_the_same_interval_and_another_does_not():
    a, b = runs([0.6, 0.7, 0.65]), runs([0.5, 0.55, 0.6], seed=2)
    assert stats.compare(a, b, rng=generator(3)) == stats.compare(a, b, rng=generator(3))
    assert stats.compare(a, b, rng=generator(3)).low != stats.compare(a, b, rng=generator(4)).low


@pytest.mark.parametrize("margin", [0.0, 0.04])
def test_swapping_the_arms_flips_every_sign_exactly(margin):
    a, b = runs([0.6, 0.7, 0.65]), runs([0.5, 0.55], seed=2)
    ab = stats.compare(a, b, rng=generator(), margin=margin)
    ba = stats.compare(b, a, rng=generator(), margin=-margin)
    assert ab.estimate > 0
    assert (ba.estimate, ba.low, ba.high) == (-ab.estimate, -ab.high, -ab.low)
    assert (ba.seed_low, ba.seed_high, ba.effect) == (-ab.seed_high, -ab.seed_low, -ab.effect)
    assert (ba.p, ba.p_seeds, ba.detectable) == (ab.p, ab.p_seeds, ab.detectable)
    assert (ba.n_seeds_a, ba.n_seeds_b, ba.margin) == (2, 3, -margin)


def test_identical_arms_differ_by_zero_with_p_one():
    a = runs([0.5, 0.6, 0.7])
    c = stats.compare(a, a, rng=generator())
    assert (c.estimate, c.effect) == (0, 0) and c.low < 0 < c.high
    assert c.p > 0.95 and c.p_seeds == 1
    constant = stats.compare(np.ones((2, 5)), np.ones((2, 5)), rng=generator())
    rare = 1 - 0.025 ** (1 / 5)
    assert (constant.estimate, constant.low, constant.high, constant.p) == pytest.approx((0, -rare, rare, 1))
    assert constant.detectable > rare and constant.p_seeds is None


def test_one_seed_falls_back_to_prompts_and_says_so():
    a, b = runs([0.6]), runs([0.5, 0.6, 0.4], seed=2)
    alone = stats.compare(a, b[:1], rng=generator())
    assert alone.method.startswith("bootstrap over prompts (one seed")
    assert alone.p_seeds is None
    # With one seed per arm only the standard error of the paired mean is left, sd(d) / sqrt(n).
    d = a[0] - b[0]
    se = d.std(ddof=1) / math.sqrt(len(d))
    assert alone.detectable == pytest.approx(2.801585 * se)
    assert (alone.high - alone.low) / 2 == pytest.approx(1.959964 * se, rel=0.1)
    assert "one arm has one seed" in stats.compare(a, b, rng=generator()).method
    assert "one seed" not in stats.compare(b, b, rng=generator()).method


def test_ragged_seeds_weigh_every_seed_of_an_arm_equally():
    # A: means 1, 0, 1, 0 -> 1/2. B: means 1, 0, 0 -> 1/3. Difference 1/6.
    a, b = np.ones((4, 6)) * [[1], [0], [1], [0]], np.ones((3, 6)) * [[1], [0], [0]]
    c = stats.compare(a, b, rng=generator())
    assert c.estimate == pytest.approx(1 / 6) and (c.n_seeds_a, c.n_seeds_b, c.n_prompts) == (4, 3, 6)


def test_seed_interval_is_welchs_and_respects_the_margin():
    a, b = runs([0.6, 0.7, 0.65]), runs([0.5, 0.55], seed=2)
    welch = scipy_stats.ttest_ind(a.mean(axis=1), b.mean(axis=1), equal_var=False)
    c = stats.compare(a, b, rng=generator(), level=0.9)
    assert c.p_seeds == pytest.approx(welch.pvalue)
    assert (c.seed_low, c.seed_high) == pytest.approx(tuple(welch.confidence_interval(0.9)))
    shifted = scipy_stats.ttest_ind(a.mean(axis=1) - 0.05, b.mean(axis=1), equal_var=False)
    assert stats.compare(a, b, rng=generator(), margin=0.05).p_seeds == pytest.approx(shifted.pvalue)


def test_p_below_five_percent_means_that_the_interval_excludes_the_margin():
    a, b = runs([0.75, 0.7, 0.8], n=200), runs([0.5, 0.55, 0.5], n=200, seed=2)
    for margin in np.linspace(-0.1, 0.5, 25):
        c = stats.compare(a, b, rng=generator(), margin=margin)
        if abs(c.p - 0.05) > 0.01:  # the +1 correction moves the boundary by less than this
            assert (c.p < 0.05) == (not c.low <= margin <= c.high)


def test_effect_of_real_scores_is_the_standardised_paired_difference():
    # d = (1, 2, 3) - 0: mean 2, sd (n - 1) = 1, so 2.
    assert stats.compare([[1, 2, 3]], [[0, 0, 0]], rng=generator()).effect == pytest.approx(2)


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ([[1, math.nan]], [[1, 0]], "NaN"),
        ([[1, math.inf]], [[1, 0]], "NaN or infinite"),
        ([[1, 0, 1]], [[1, 0]], "3 and 2 prompts"),
        ([1, 0], [[1, 0]], "shape"),
        (np.empty((0, 2)), [[1, 0]], "at least one value"),
    ],
)
def test_compare_refuses_what_it_cannot_pair(a, b, reason):
    with pytest.raises(ValueError, match=reason):
        stats.compare(a, b, rng=generator())


def test_level_and_resamples_out_of_range_are_refused():
    with pytest.raises(ValueError, match="level"):
        stats.compare([[1, 0]], [[1, 0]], rng=generator(), level=95)
    with pytest.raises(ValueError, match="resamples"):
        stats.interval([[1, 0]], rng=generator(), resamples=0)


# interval


def test_interval_of_two_prompts_by_hand():
    # The mean of two draws from (1, 0) is 0, 1/2, 1 with probability 1/4, 1/2, 1/4: 60 % interval 0 to 1.
    i = stats.interval([[1, 0]], rng=generator(), level=0.6)
    assert (i.estimate, i.low, i.high, i.n_seeds, i.n_prompts) == (0.5, 0, 1, 1, 2)
    assert "one seed" in i.method


def test_ratio_weighs_instructions_and_clusters_by_prompt():
    # 3 of 3 and 0 of 1 instructions: 3/4, not the mean of the rates 1/2. Two draws give 3/3, 3/4 or 0/1.
    i = stats.interval([[3, 0]], [3, 1], rng=generator())
    assert (i.estimate, i.low, i.high) == (0.75, 0, 1)
    two_seeds = stats.interval([[3, 0], [3, 0]], [[3, 1], [3, 1]], rng=generator())
    assert two_seeds.estimate == 0.75


def test_interval_of_perfect_scores_is_wilsons_and_not_a_point():
    # Wilson for k = n = 10: low = 1 / (1 + z^2 / 10) with z = 1.959964, that is 0.7225.
    i = stats.interval(np.ones((3, 10)), rng=generator())
    assert (i.estimate, i.high) == (1, 1) and i.low == pytest.approx(1 / (1 + 1.959964**2 / 10))
    assert "Wilson" in i.method
    nothing = stats.interval(np.zeros((2, 10)), np.full(10, 3), rng=generator())
    assert (nothing.estimate, nothing.low) == (0, 0) and nothing.high == pytest.approx(1 - i.low)


def test_interval_of_shares_stays_within_zero_and_one():
    # Two seeds, 0.9 and 0.7, t_{1} = 12.7: far beyond 1. Scores that are no shares have no such bounds.
    scores = np.ones((2, 10))
    scores[0, 0] = scores[1, :3] = 0
    shares = stats.interval(scores, rng=generator())
    assert (shares.low, shares.high) == (0, 1)
    assert stats.interval(10 * scores, rng=generator()).high > 10


def test_interval_of_a_ratio_takes_the_seeds_variance_of_the_ratio():
    # Ratios 3/4 and 1/4 of two seeds on prompts that are alike: v = (1/8) / 2, t_{1} at 80 % = 1.376382.
    i = stats.interval([[3, 3], [1, 1]], [4, 4], rng=generator(), level=0.6)
    assert (i.low, i.high) == pytest.approx((0.5 - 1.376382 / 4, 0.5 + 1.376382 / 4), abs=0.015)


def test_interval_refuses_a_bad_denominator():
    for den in ([1, 0], [1, 1, 1], [math.nan, 1]):
        with pytest.raises(ValueError, match="den"):
            stats.interval([[1, 0]], den, rng=generator())


def test_wilson_by_hand():
    # k = 5, n = 10: centre (0.5 + z^2/20) / (1 + z^2/10) = 0.5, half width as below.
    z = 1.959964
    half = z * math.sqrt(0.25 / 10 + z**2 / 400) / (1 + z**2 / 10)
    assert stats.wilson(5, 10) == pytest.approx((0.5 - half, 0.5 + half), rel=1e-6)
    with pytest.raises(ValueError, match="n = 0"):
        stats.wilson(0, 0)


def test_t_interval_by_hand():
    # x = (1, 2, 3): mean 2, s = 1, t_{0.975, 2} = 4.302653, half width 4.302653 / sqrt(3) = 2.484138.
    assert stats.t_interval([1, 2, 3]) == pytest.approx((2 - 2.484138, 2 + 2.484138), rel=1e-6)
    assert stats.t_interval([1.0]) is None


# planning


def test_power_by_hand():
    # V_p = 0.04 / 100, V_s = 2 (0.0002 + 0.03 / 100) / 5 = 0.0002, df = 8: t = 2.306004.
    c = stats.Components(interaction=0.04, seed_a=0.0002, seed_b=0.0002, residual_a=0.03, residual_b=0.03)
    h = math.sqrt(1.959964**2 * 0.0004 + 2.306004**2 * 0.0002)
    assert stats.power(c, h, 100, 5, 5) == pytest.approx(0.5)
    assert stats.power(c, -h - math.sqrt(0.0006), 100, 5, 5) == pytest.approx(0.8413447)
    assert stats.detectable(c, 100, 5, 5) == pytest.approx(h + 0.8416212 * math.sqrt(0.0006))
    assert stats.power(c, stats.detectable(c, 541, 3, 5, power=0.9), 541, 3, 5) == pytest.approx(0.9)
    assert stats.detectable(c, 10**6, 3, 3) > stats.detectable(c, 10**6, 5, 5) > 2 * math.sqrt(0.0004 / 5)


def test_a_plan_against_one_checkpoint_has_the_other_arms_seeds():
    # V_s = 0.0004 / 4, df = 3: t = 3.182446.
    c = stats.Components(interaction=0, seed_a=0.0004, seed_b=0, residual_a=0, residual_b=0)
    assert stats.detectable(c, 50, 4, 1) == pytest.approx((3.182446 + 0.841621) * 0.01)
    with pytest.raises(ValueError, match="one seed"):
        stats.detectable(c, 50, 1, 4)
    with pytest.raises(ValueError, match="0 prompts"):
        stats.power(c, 0.1, 0, 4, 1)


def test_components_are_unbiased():
    # x_kj = seed_k + own_j + noise_kj, variances 0.04, 0.09 and 0.25; the common part of prompts is nobody's.
    rng, found = generator(), []
    for _ in range(300):
        prompt, own = rng.normal(0, 1, 60), rng.normal(0, 0.3, 60)
        a = prompt + own + rng.normal(0, 0.2, (4, 1)) + rng.normal(0, 0.5, (4, 60))
        c = stats.components(a, np.tile(prompt, (2, 1)))
        found.append((c.interaction, c.seed_a, c.residual_a))
    assert np.mean(found, axis=0) == pytest.approx((0.09, 0.04, 0.25), rel=0.1)


# tests and families


def test_mcnemar_counts_discordant_prompts():
    # Only A: 5, only B: 1. p = 2 (C(6,0) + C(6,1)) / 2^6 = 14/64.
    a, b = [1] * 5 + [0] + [1, 0], [0] * 5 + [1] + [1, 0]
    assert stats.mcnemar(a, b) == stats.McNemar(5, 1, pytest.approx(14 / 64))
    assert stats.mcnemar(b, a) == stats.McNemar(1, 5, pytest.approx(14 / 64))
    assert stats.mcnemar([0, 0, 0], [1, 1, 1]).p == pytest.approx(2 / 8)
    assert stats.mcnemar([1, 0], [1, 0]).p == 1
    with pytest.raises(ValueError, match="0 or 1"):
        stats.mcnemar([0.5, 1], [0, 1])


def test_holm_and_benjamini_hochberg_known_answers():
    p = [0.03, 0.01, 0.04, 0.02]
    assert stats.holm(p) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert stats.benjamini_hochberg(p) == pytest.approx([0.04] * 4)
    assert stats.holm([0.6, 0.9]) == pytest.approx([1, 1])
    assert len(stats.holm([])) == len(stats.benjamini_hochberg([])) == 0


def test_a_missing_test_does_not_shrink_the_family():
    # Four planned, two found: 4 x 0.01 and 3 x 0.02.
    assert stats.holm([0.01, 0.02], family=4) == pytest.approx([0.04, 0.06])
    with pytest.raises(ValueError, match="family of 1"):
        stats.holm([0.01, 0.02], family=1)


@pytest.mark.parametrize("adjust", [stats.holm, stats.benjamini_hochberg])
def test_p_values_outside_zero_to_one_are_refused(adjust):
    for p in ([math.nan, 0.1], [-0.1], [1.1]):
        with pytest.raises(ValueError, match="p-values"):
            adjust(p)


def test_tost_agrees_with_the_ninety_percent_interval():
    d = generator().normal(0.01, 0.2, 400)
    sides = [scipy_stats.ttest_1samp(d, s * 0.03, alternative=x).pvalue for s, x in ((-1, "greater"), (1, "less"))]
    assert stats.tost(d, 0.03) == pytest.approx(max(sides))
    low, high = scipy_stats.ttest_1samp(d, 0).confidence_interval(0.9)
    edge = max(-low, high)
    assert stats.tost(d, edge * 1.001) < 0.05 < stats.tost(d, edge * 0.999)
    assert stats.tost(-d, 0.03) == pytest.approx(stats.tost(d, 0.03))


def test_tost_without_variance_has_the_p_of_equal_signs():
    assert stats.tost([0.0, 0.0], 0.1) == 1 / 4 and stats.tost([0.2, 0.2], 0.1) == 1
    assert stats.tost([0.0] * 6, 0.1) == 1 / 64
    for d, margin in (([0.1], 0.1), ([0.1, 0.2], 0), ([math.nan, 0], 0.1)):
        with pytest.raises(ValueError):
            stats.tost(d, margin)


# error rates


def world(rng, seeds, n, seed_sd, difference=0.0):
    """Two arms on prompts of very different ease, with a seed effect, that differ by about `difference`."""
    ease = rng.beta(0.6, 0.6, n)
    skills = [rng.normal(shift, seed_sd, (seeds, 1)) for shift in (difference, 0.0)]
    return [(rng.random((seeds, n)) < np.clip(ease + s, 0, 1)).astype(float) for s in skills]


def rejections(worlds, seeds, n, seed_sd, difference=0.0):
    """Share of worlds with p < 0.05, and with an interval that excludes 0."""
    rng, found = generator(), []
    for _ in range(worlds):
        a, b = world(rng, seeds, n, seed_sd, difference)
        c = stats.compare(a, b, rng=rng, resamples=299)
        found.append((c.p < 0.05, not c.low <= 0 <= c.high))
    return np.mean(found, axis=0)


def test_type_one_error_stays_below_five_percent_and_power_is_there():
    assert (rejections(200, 3, 100, 0.02) <= 0.05).all()
    assert (rejections(60, 3, 100, 0.02, difference=0.25) >= 0.8).all()


def test_interval_of_one_arm_covers_its_true_mean():
    # Ease is uniform, so the true mean is 1/2; nominal 95 %, 200 worlds: sd 1.5 %.
    rng, covered = generator(), []
    for _ in range(200):
        scores = rng.random((3, 80)) < rng.random(80)
        i = stats.interval(scores, rng=rng, resamples=299)
        covered.append(i.low <= 0.5 <= i.high)
    assert np.mean(covered) >= 0.93


# one value per seed, and how many seeds


def test_the_t_test_agrees_with_its_interval_and_with_scipy():
    x = [1.0, 2.0, 4.0]
    low, high = stats.t_interval(x)
    assert stats.t_test(x, low) == pytest.approx(0.05) == stats.t_test(x, high)
    assert stats.t_test(x, 0.5) == pytest.approx(scipy_stats.ttest_1samp(x, 0.5).pvalue)
    assert stats.t_test([1.0], 0.0) is None
    assert (stats.t_test([2.0, 2.0], 2.0), stats.t_test([2.0, 2.0], 0.0)) == (1.0, 0.5)
    assert stats.t_test([2.0] * 5, 0.0) == 2 / 2**5 and stats.t_interval([2.0, 2.0]) is None


def test_the_seeds_needed_are_the_fewest_that_detect_the_difference():
    # sd 1, difference 1: (t_{0.975, K-1} + 0.8416) / sqrt(K) is (2.306 + 0.842) / 3 = 1.05 at K = 9 and
    # (2.262 + 0.842) / 3.162 = 0.98 at K = 10.
    assert stats.seeds_of_values(1.0, -1.0) == 10
    assert stats.seeds_of_values(1.0, 0.1) == float("inf") and stats.seeds_of_values(0.0, 0.1) == 2
    # (t_0.975 with 4 degrees of freedom 2.7764 + z_0.8 0.8416) / sqrt(5)
    assert stats.detectable_of_values(1.0, 5) == pytest.approx(3.6180 / 5**0.5, abs=1e-4)
    c = stats.Components(0.0, 0.02**2, 0.02**2, 0.2, 0.2)
    fewest = stats.seeds_needed(c, 0.05, 541)
    found = [stats.detectable(c, 541, k, k) for k in (int(fewest) - 1, int(fewest))]
    assert found[0] > 0.05 >= found[1]
    shared = stats.seeds_needed(stats.Components(0.0, 0.02**2, 0.0, 0.2, 0.0), 0.05, 541, shared=True)
    assert shared <= fewest
    assert stats.seeds_needed(stats.Components(1.0, 0, 0, 0, 0), 0.05, 541) == float("inf")  # needs more prompts
