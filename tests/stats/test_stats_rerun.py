"""Prediction intervals of a rerun: by hand, exact limits, and coverage in simulated runs."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from benchmarks import calibration_small
from uniapl import stats
from uniapl.stats import rerun


def generator(seed=0):
    return np.random.default_rng(seed)


def test_prediction_of_values_by_hand():
    # x = 1, 2, 3: s = 1, t_{0.975, 2} = 4.302653, half-width 4.302653 sqrt(1/3 + 1/3); of one more value sqrt(1/3 + 1).
    found = rerun.predict_values([1, 2, 3])
    assert (found.low, found.high) == pytest.approx((2 - 3.513101, 2 + 3.513101), rel=1e-6)
    one = rerun.predict_values([1, 2, 3], seeds=1)
    assert one.high == pytest.approx(2 + 4.302653 * math.sqrt(4 / 3)) and one.n_seeds_rerun == 1
    endless = rerun.predict_values([1, 2, 3], seeds=10**9)  # a rerun without error: the confidence interval
    assert (endless.low, endless.high) == pytest.approx(stats.t_interval([1, 2, 3]), rel=1e-6)
    assert rerun.predict_values([1.0]) is None and rerun.predict_values([2.0, 2.0]) is None


def test_prediction_of_a_mean_is_that_of_its_seeds_on_the_same_prompts():
    scores = (generator().random((4, 50)) < np.linspace(0.3, 0.7, 4)[:, None]).astype(float)
    found, of_values = rerun.predict_mean(scores), rerun.predict_values(scores.mean(axis=1))
    assert (found.low, found.high) == pytest.approx((of_values.low, of_values.high))
    wider = rerun.predict_mean(scores + generator().random(50), other_prompts=True)
    assert wider.high - wider.low > found.high - found.low and "and prompts" in wider.method
    assert rerun.predict_mean(scores[:1]) is None


def test_prediction_of_a_ratio_is_that_of_its_seeds():
    # Seed 0 follows 3 of 6 instructions, seed 1 all 6: 1/2 and 1.
    found = rerun.predict_mean([[1, 0, 2], [2, 1, 3]], [2, 1, 3])
    assert found.estimate == pytest.approx(0.75) and (found.low, found.high) == (0, 1)  # t_1 = 12.7: cut at 0 and 1
    narrow = rerun.predict_mean([[1, 0, 2], [2, 1, 3]], [2, 1, 3], level=0.2)
    of_values = rerun.predict_values([0.5, 1], level=0.2)
    assert (narrow.low, narrow.high) == pytest.approx((of_values.low, of_values.high))


def test_a_base_that_both_arms_share_cancels_where_seeds_are_paired():
    base = np.array([0.0, 0.2, 0.4])[:, None]
    a, b = 0.5 + base + np.zeros((3, 30)), 0.4 + base + np.array([[0.0], [0.01], [0.0]]) + np.zeros((3, 30))
    shared, apart = (rerun.predict_difference(a, b, shared_seeds=x) for x in (True, False))
    of_values = rerun.predict_values([0.1, 0.09, 0.1])
    assert (shared.low, shared.high) == pytest.approx((of_values.low, of_values.high))
    # seeds apart: v = 2 (0.04 / 3 + ...) twice as large for the rerun; df near 4
    v = [x.mean(axis=1).var(ddof=1) / 3 for x in (a, b)]
    df = sum(v) ** 2 / sum(x**2 / 2 for x in v)
    half = scipy_stats.t.ppf(0.975, df) * math.sqrt(2 * sum(v))
    assert (apart.low, apart.high) == pytest.approx((apart.estimate - half, apart.estimate + half))
    turned = rerun.predict_difference(b, a, shared_seeds=True)
    assert (turned.low, turned.high) == pytest.approx((-shared.high, -shared.low))


def test_seeds_that_do_not_differ_predict_no_certainty():
    # Of 2 n prompts with j others, the first n are all alike with chance C(2n - j, n) / C(2n, n); n = 5: 1, 1/2, 2/9,
    # 1/12 and 1/42 for j = 0 to 4, so that three of five may be others at 5 % on two sides.
    assert [rerun.open_prompts(n) for n in (1, 5, 384)] == [1, 3, 5]
    found = rerun.predict_mean(np.ones((3, 384)))
    assert (found.low, found.high) == (1 - 5 / 384, 1) and "do not differ" in found.method
    same = rerun.predict_difference(np.ones((3, 384)), np.ones((3, 384)))
    assert (same.low, same.high) == pytest.approx((-5 / 384, 5 / 384))


def test_predictions_refuse_what_they_cannot_pair():
    with pytest.raises(ValueError, match="shared seeds are paired"):
        rerun.predict_difference(np.zeros((2, 3)), np.zeros((3, 3)), shared_seeds=True)
    with pytest.raises(ValueError, match="3 and 4 prompts"):
        rerun.predict_difference(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="needs seeds"):
        rerun.predict_values([1.0, 2.0], seeds=0)


def test_predictions_hold_95_percent_of_normal_reruns_and_confidence_intervals_do_not():
    rng, held = generator(), []
    for _ in range(4000):
        x, again = rng.normal(0, 1, (2, 5))
        sure, predicted = stats.t_interval(x), rerun.predict_values(x)
        held.append([sure[0] <= again.mean() <= sure[1], predicted.low <= again.mean() <= predicted.high])
    confidence, prediction = np.mean(held, axis=0)
    assert prediction == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 4000))
    assert 0.83 < confidence < 0.90  # 83 % with many seeds, 2 T_4(t / sqrt 2) - 1 = 88 % with five


@pytest.mark.slow
def test_reruns_with_a_base_for_each_seed_are_held_and_those_of_one_base_are_not():
    of_seed, of_run = (calibration_small.of_reruns(5, 4.0, shared, 300) for shared in (False, True))
    least = 100 * scipy_stats.binom.ppf(0.001, 300, 0.95) / 300
    assert min(of_seed[1], of_seed[3], of_seed[4]) >= least > max(of_run[1], of_run[3])
