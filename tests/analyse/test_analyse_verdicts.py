"""What is measured of a claim, and the verdict on it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats as scipy_stats
from support.four_prompts import PLAN, STRICT, claim, inputs, row, run, scores

pytestmark = pytest.mark.filterwarnings("error")


def judged(*claims, given=None, seeds=None, against=("grpo",)):
    plan = dataclasses.replace(PLAN, claims=claims, seeds=seeds or {}, against=against)
    return run(given, plan)["claims"].to_dict("records")


def test_claims_about_accuracy_have_the_numbers_of_the_comparisons_from_either_side(tables):
    forth, back = judged(claim("accuracy"), claim("accuracy", "grpo", "uniapl", "below"))
    found = row(tables["comparisons"], arm="uniapl", against="grpo", benchmark="trained")
    assert [forth[n] for n in ("estimate", "low", "high")] == [found.difference, found.low, found.high]
    assert (forth["seed_low"], forth["seed_high"]) == (found.seed_low, found.seed_high)
    assert [back[n] for n in ("estimate", "low", "seed_high")] == [-found.difference, -found.high, -found.seed_low]
    assert forth["detectable"] == back["detectable"] == found.detectable
    assert forth["verdict"] == back["verdict"] and (forth["n_seeds"], forth["n_prompts"]) == (2, 3)


def test_a_pair_that_is_not_compared_is_compared_for_its_claim():
    (found,) = judged(claim("accuracy"), against=())
    assert found["estimate"] == pytest.approx(100 * (5 / 6 - 3 / 6)) and found["low"] < found["estimate"]
    (alone,) = judged(claim("accuracy", against=None, margin=50.0))
    assert alone["estimate"] == pytest.approx(100 * 5 / 6) and alone["seed_low"] < 0


def test_against_a_checkpoint_that_all_seeds_share_the_seeds_of_the_arm_decide():
    (found,) = judged(claim("accuracy", "uniapl", "base"))
    # uniapl follows 3/3 and 2/3, the base nothing: mean 5/6, sd of the mean 1/6, t_{0.975, 1} = 12.7062.
    low = 100 * (5 / 6 - 12.7062 / 6)
    assert found["estimate"] == pytest.approx(100 * 5 / 6) and found["seed_low"] == pytest.approx(low, rel=1e-5)


def test_claims_about_one_value_per_seed_are_paired_by_seed():
    # Lengths 5, 5, 7 and 5, 6, 7 words of uniapl, the expert's 5: 2/3 and 1; grpo 5/3 and 2: -1 twice, which shows no
    # spread, and signs of two seeds have p = 2 / 2^2 at least.
    (found,) = judged(claim("length", direction="below"))
    assert found["estimate"] == pytest.approx(-1) and pd.isna(found["low"]) and found["p"] == 0.5
    assert (found["verdict"], found["n_seeds"], found["n_prompts"]) == ("not decided", 2, 3)
    (found,) = judged(claim("length", direction="below", against="base"))
    # against the base, whose one run all seeds share, the seeds 2/3 and 1 differ
    assert found["low"] < found["estimate"] < found["high"]
    assert found["detectable"] == pytest.approx((12.7062 + 0.8416) / 6, rel=1e-4)  # their sd is 1/3 / sqrt(2), K is 2
    (found,) = judged(claim("entropy", "grpo", None, margin=1.5))
    assert (found["estimate"], found["verdict"], found["p"]) == (2, "not decided", 0.5)
    (found,) = judged(claim("diversity", "grpo", None, margin=40))
    assert found["estimate"] == pytest.approx(100 * (1 / 9 + 1 / 6) / 2) and found["verdict"] == "not decided"


def test_claims_about_training_take_the_last_auc_and_the_mean_distance_of_the_last_fifth():
    rows = [("uniapl", seed, step, 0.9 - step / 200 + seed / 100, step) for seed in (0, 1) for step in range(101)]
    history = pd.DataFrame(rows, columns=["arm", "seed", "step", "probe_auc", "distance"])
    history.loc[history.step % 20 > 0, "probe_auc"] = None
    auc, distance = judged(
        claim("auc", against=None, direction="below", margin=0.6),
        claim("distance", against=None, margin=90.0),
        given=inputs(history=history.sample(frac=1, random_state=0)),
    )
    assert auc["estimate"] == pytest.approx(0.4 + 0.005) and auc["n_seeds"] == 2
    assert distance["estimate"] == pytest.approx(np.mean(range(81, 101)))
    assert pd.isna(auc["n_prompts"])


def test_a_claim_on_fewer_seeds_than_planned_is_not_decided_and_says_how_many():
    seeds = dict(grpo=(0, 1), uniapl=(0, 1, 2))
    (found,) = judged(claim("length", direction="below"), seeds=seeds)
    assert (found["verdict"], found["reason"]) == (
        "not decided",
        "2 of 3 seeds of uniapl have length; the missing runs first",
    )
    (found,) = judged(claim("distance"), seeds=seeds)
    assert found["reason"].startswith("0 of 3 seeds of uniapl have distance, 0 of 2 seeds of grpo have distance;")
    assert pd.isna(found["estimate"]) and found["n_seeds"] == 0
    without = {run: digits for run, digits in STRICT.items() if run[0] != "grpo"}
    (found,) = judged(claim("accuracy"), given=inputs(scores=scores(without)), seeds=seeds)
    assert "0 of 2 seeds of grpo have accuracy on trained" in found["reason"] and pd.isna(found["estimate"])
    (found,) = judged(claim("accuracy", benchmark="new_tops"))
    assert "accuracy on new_tops" in found["reason"]


def test_claims_move_no_other_number(tables):
    again = run(plan=dataclasses.replace(PLAN, claims=(claim("accuracy"), claim("length"))))
    for name in tables.keys() - {"claims"}:
        told = [] if name != "summary" else ["verdict", "unadjusted"]
        assert_frame_equal(tables[name].drop(columns=told), again[name].drop(columns=told), check_exact=True)


def test_as_good_as_has_the_larger_p_of_two_one_sided_tests():
    # Lengths: uniapl minus grpo is -1 in both seeds. Two equal values are no interval: within 2 at p = 1 / 2^2 at best.
    near, far = judged(*(claim("length", direction="within", margin=m) for m in (2.0, 0.5)))
    assert (near["verdict"], near["p"]) == ("not decided", 0.25) and (far["verdict"], far["p"]) == ("not decided", 0.5)
    assert near["reason"].startswith("no interval over seeds: one seed, or no difference between seeds")
    # Accuracy: 33.3 points apart. Welch over seeds: p of "90 or more" is one-sided, at 90, the nearer edge; the
    # bootstrap adds what prompts vary. Within 30 it is not.
    wide, narrow = judged(*(claim("accuracy", direction="within", margin=m) for m in (90.0, 30.0)))
    a, b = np.array([1, 2 / 3]), np.array([1 / 3, 2 / 3])
    t = (a.mean() - b.mean() - 0.9) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    assert scipy_stats.t.cdf(t, 2) - 1e-9 <= wide["p"] < 0.2 and narrow["p"] > 0.5
