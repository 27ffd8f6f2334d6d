"""Claims: the verdict by the stated rule, nothing decided on fewer seeds than planned, and mistakes named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines import grpo, uniapl
from uniapl.analyse.claims import (
    COLUMNS,
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    UNITS,
    Finding,
    adjusted,
    check,
    fingerprint,
    judge,
)
from uniapl.config import Arm, Claim, Experiment
from uniapl.errors import UserError

BETTER = Claim("C1", "UniAPL beats GRPO.", "ours", "accuracy", "uniapl", "grpo", "above")
NEAR = Claim("C2", "The discriminator is fooled.", "Sec. 3", "auc", "uniapl", None, "below", margin=0.6)
ARMS = (Arm("grpo", grpo), Arm("uniapl", uniapl))


def verdict(claim, *bounds, **rest):
    names = ("low", "high", "seed_low", "seed_high")
    return judge(claim, Finding(estimate=0.0, n_seeds=5, **dict(zip(names, bounds, strict=False)), **rest))["verdict"]


def test_accuracy_needs_both_intervals_on_the_claimed_side():
    assert verdict(BETTER, 1, 5, 0.5, 6) == SUPPORTED
    assert verdict(BETTER, 1, 5, -0.5, 6) == verdict(BETTER, -1, 5, 0.5, 6) == UNDECIDED
    assert verdict(BETTER, -5, -1, -6, -0.5) == CONTRADICTED
    assert verdict(BETTER, -5, -1, -6, 0.5) == verdict(BETTER, -5, -1, 1, 5) == UNDECIDED
    assert verdict(BETTER, 0, 5, 1, 5) == UNDECIDED  # touching the margin is not beyond it


def test_the_other_quantities_need_the_interval_over_seeds_alone():
    assert verdict(NEAR, 0.5, 0.59) == SUPPORTED
    assert verdict(NEAR, 0.61, 0.9) == CONTRADICTED
    assert verdict(NEAR, 0.5, 0.7) == UNDECIDED


def test_the_margin_and_the_direction_are_the_claims():
    assert verdict(replace(BETTER, margin=2.0), 1, 5, 1, 5) == UNDECIDED
    assert verdict(replace(BETTER, margin=-2.0), -1, 5, -1, 5) == SUPPORTED  # not worse by 2 points
    assert verdict(replace(BETTER, direction="below"), 1, 5, 1, 5) == CONTRADICTED


def test_as_good_as_needs_every_interval_within_the_margin():
    near = replace(BETTER, direction="within", margin=3.0)
    assert verdict(near, -2, 2.5, -2.9, 2) == SUPPORTED
    assert verdict(near, -2, 3.5, -2, 2) == verdict(near, -2, 2, -3, 2) == UNDECIDED
    assert verdict(near, 3.5, 6, 4, 5) == verdict(near, -6, -3.5, -5, -4) == CONTRADICTED
    lower = judge(near, Finding(-4.5, -6, -3.5, -5, -4, n_seeds=5))["reason"]
    assert lower == "both intervals below -3"
    with pytest.raises(UserError, match="claim 'C1' is within 0; give it a margin"):
        check(experiment(replace(near, margin=0.0)))


@given(st.tuples(*4 * [st.floats(-50, 50)]), st.floats(-20, 20))
def test_the_opposite_claim_has_the_opposite_verdict(ends, margin):
    bounds = (*sorted(ends[:2]), *sorted(ends[2:]))
    other = {SUPPORTED: CONTRADICTED, CONTRADICTED: SUPPORTED, UNDECIDED: UNDECIDED}
    above, below = (replace(BETTER, direction=d, margin=margin) for d in ("above", "below"))
    assert verdict(below, *bounds) == other[verdict(above, *bounds)]


def test_an_undecided_claim_says_what_these_data_would_detect():
    row = judge(BETTER, Finding(1.0, -1.0, 3.0, -4.0, 6.0, n_seeds=5, n_prompts=384, detectable=7.147))
    assert row["detectable"] == 7.147
    assert row["reason"] == "detectable: 7.15 points" and list(row) == list(COLUMNS)
    assert judge(NEAR, Finding(0.6, 0.5, 0.7, n_seeds=5, detectable=0.143))["reason"] == "detectable: 0.143"
    assert judge(NEAR, Finding(0.6, 0.5, 0.7, n_seeds=5))["reason"] == "detectable: not known"


def test_an_undecided_claim_says_how_many_seeds_would_find_what_was_measured():
    found = Finding(1.0, -1.0, 3.0, -4.0, 6.0, n_seeds=5, detectable=7.15, seeds_needed=31)
    assert judge(BETTER, found)["reason"] == "detectable: 7.15 points; to find 1: 31 seeds"
    reason = judge(replace(BETTER, margin=0.8), replace(found, seeds_needed=float("inf")))["reason"]
    assert reason.endswith("; to find 0.2: over 100 seeds")


def test_p_is_the_larger_one_of_the_tests_and_adjusted_for_the_whole_family():
    decided = Finding(3.0, 1.0, 5.0, 0.5, 6.0, p=0.004, p_seeds=0.01)
    rows = adjusted(
        [
            judge(BETTER, decided),
            judge(NEAR, Finding(0.5, 0.4, 0.59, p=0.03)),
            judge(BETTER, Finding(missing="0 of 3 seeds of uniapl have accuracy")),
            judge(replace(BETTER, family="alone"), decided),
        ]
    )
    assert [row["p"] for row in rows] == [0.01, 0.03, None, 0.01]
    # Three claims of the experiment, of which one was not run: 3 x 0.01, 2 x 0.03; the other family has one.
    assert [row["p_holm"] for row in rows] == [pytest.approx(0.03), pytest.approx(0.06), None, 0.01]
    assert [row["family"] for row in rows] == 3 * ["of the experiment: 3 claims"] + ["alone: 1 claims"]


def test_a_verdict_survives_the_adjustment_for_its_family_or_is_none():
    decided, near = (
        Finding(3.0, 1.0, 5.0, 0.5, 6.0, p=0.004, p_seeds=0.01),
        Finding(0.5, 0.4, 0.59, p=0.03, detectable=0.136),
    )
    # Of two claims: 2 x 0.01, and the larger of 0.02 and 0.03. Of three: 3 x 0.01, 2 x 0.03.
    two = adjusted([judge(BETTER, decided), judge(NEAR, near)])
    assert [row["verdict"] for row in two] == [SUPPORTED, SUPPORTED]
    three = adjusted([judge(BETTER, decided), judge(NEAR, near), judge(BETTER, Finding(missing="no seed"))])
    assert [row["verdict"] for row in three] == [SUPPORTED, UNDECIDED, UNDECIDED]
    assert [row["unadjusted"] for row in three] == [SUPPORTED, SUPPORTED, UNDECIDED]
    assert three[1]["reason"] == "supported before adjustment; p 0.06 after Holm's adjustment; detectable: 0.136"
    assert adjusted([judge(BETTER, replace(decided, p=None))])[0]["verdict"] == UNDECIDED  # no test, no verdict


def test_a_claim_that_names_no_family_has_the_fingerprint_of_before_there_were_families():
    # Of headline-1 as results/published/tiny recorded it.
    first = Claim("headline-1", "UniAPL follows more prompts than GRPO", "[A]", "accuracy", "uniapl", "grpo", "above")
    assert fingerprint(first) == "d9f255a73ba32db6" != fingerprint(replace(first, family="headline"))
    assert fingerprint(replace(first, differs=("lam",))) == fingerprint(first)  # says nothing of the outcome
    said = {name: value for name, value in vars(first).items() if name not in ("family", "differs")}
    assert judge(first, Finding(), said)["changed"] is None
    assert judge(replace(first, family="headline"), Finding(), said)["changed"] == "family was ''"


def test_missing_runs_decide_nothing_and_are_not_zero():
    row = judge(BETTER, Finding(9.0, 5.0, 12.0, 4.0, 13.0, n_seeds=2, missing="2 of 3 seeds of uniapl have accuracy"))
    assert (row["verdict"], row["reason"]) == (
        UNDECIDED,
        "2 of 3 seeds of uniapl have accuracy; the missing runs first",
    )
    absent = judge(NEAR, Finding(missing="0 of 3 seeds of uniapl have auc"))
    assert absent["verdict"] == UNDECIDED and absent["estimate"] is absent["low"] is absent["detectable"] is None


def test_one_seed_has_no_interval_over_seeds_and_decides_nothing():
    for row in (judge(BETTER, Finding(9.0, 5.0, 12.0, n_seeds=1)), judge(NEAR, Finding(0.5, n_seeds=1))):
        assert row["verdict"] == UNDECIDED and "no interval over seeds" in row["reason"]


def test_only_accuracy_has_a_benchmark():
    assert judge(BETTER, Finding(1.0, 0.5, 2.0, 0.5, 2.0))["benchmark"] == "trained"
    assert judge(NEAR, Finding(0.5, 0.4, 0.6))["benchmark"] is None


@pytest.mark.parametrize("quantity", UNITS)
def test_every_quantity_of_a_well_made_claim_is_accepted(quantity):
    for against in (None, "grpo", "base"):
        check(experiment(replace(BETTER, quantity=quantity, against=against)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(quantity="acuracy"), "did you mean 'accuracy'"),
        (dict(direction="over"), "unknown direction of claim 'C1'"),
        (dict(arm="uniapll"), "did you mean 'uniapl'"),
        (dict(against="sft"), "unknown comparator of claim 'C1'"),
        (dict(against="uniapl"), "against itself"),
    ],
)
def test_a_mistake_in_a_claim_names_the_claim_and_its_file(change, says):
    with pytest.raises(UserError) as error:
        check(experiment(replace(BETTER, **change)))
    assert says in str(error.value) and "experiments/x.py" in str(error.value) and "C1" in str(error.value)


def test_two_claims_with_one_id_are_refused():
    with pytest.raises(UserError, match="claim 'C1' is made twice"):
        check(experiment(BETTER, BETTER))


def experiment(*claims):
    return Experiment("x", "?", "", ARMS, (), claims=claims)
