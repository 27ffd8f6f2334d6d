"""What a scale must state, and that the arms of a claim differ in nothing that the claim does not declare."""

import dataclasses
from dataclasses import replace

import pytest
from support.settings import EVALUATION, per_scale

from baselines import grpo, luffy, sft, uniapl
from experiments.arms import A_GRPO, GRPO, SFT, SFT_THEN_A_GRPO, SFT_THEN_GRPO, UNIAPL
from experiments.claims import follows_more
from experiments.scales import PAPER, PAPER_4B, SCALES, SMOKE, TINY
from uniapl.config import Arm, Experiment, Scale, arm_of, asked_at, check_scale, experiments_of, resolve, settings_of
from uniapl.config.fair import check_claims
from uniapl.config.method import needs_checkpoint, scored_by
from uniapl.data.miniature.world import World
from uniapl.errors import UserError

BASE = Arm("base", sft, start="scratch", once=True)
LISTED = {method: per_scale(method) for method in (sft, grpo, uniapl)}


def scale(**changes) -> Scale:
    """A scale of a miniature world that has SFT, GRPO and UniAPL, and no discriminator."""
    plain = dict(name="own", hardware="", minutes="", seeds=(0, 1), world=World(), shared=(BASE,), settings=LISTED)
    return Scale(**{**plain, "evaluation": EVALUATION, "rates": {"rollouts": 1e-3, "after_sft": 1e-3}, **changes})


def check(claim, *arms: Arm, at: Scale) -> None:
    """Hold the claim's arms against each other."""
    known = {arm.name: arm for arm in (*at.shared, *arms)}
    runs = {arm.name: resolve(at, known, arm.name, 0) for arm in arms}
    check_claims(at, Experiment("asked", "", "", arms, (), claims=(claim,)), runs)


# What is stated --------------------------------------------------------------------------------------


def test_a_method_that_the_scale_does_not_list_is_refused():
    message = r"scale 'own' lists no settings of baselines.luffy \(it has baselines.sft, baselines.grpo"
    with pytest.raises(UserError, match=message):
        settings_of(scale(), Arm("luffy", luffy))


@pytest.mark.parametrize("name", sorted({name for method in LISTED for name in per_scale(method)}))
def test_a_rate_step_count_batch_or_length_without_a_value_at_the_scale_is_refused(name):
    method = next(method for method in LISTED if name in per_scale(method))
    lacking = {key: value for key, value in per_scale(method).items() if key != name}
    with pytest.raises(UserError, match=f"arm 'x' has no {name} at scale 'own': state it in .*experiments/scales.py"):
        settings_of(scale(settings={method: lacking}), Arm("x", method))
    stated = settings_of(scale(settings={method: lacking}), Arm("x", method, changes={name: per_scale(method)[name]}))
    assert getattr(stated, name) == per_scale(method)[name]


def test_a_method_has_no_default_that_is_a_rate_a_step_count_a_batch_or_a_length_of_the_miniature():
    for method in {method for at in SCALES for method in at.settings if method.build}:
        fields = {field.name: field.default for field in dataclasses.fields(method.Settings)}
        for name in ("steps", "learning_rate", "warmup", *(set(fields) & {"max_new_tokens", "mu_decay"})):
            assert fields[name] is dataclasses.MISSING, (method.__name__, name)
        assert not [name for name in fields if name.endswith("_per_step") and fields[name] is not dataclasses.MISSING]


def test_an_arm_has_the_rate_that_it_names_at_every_scale():
    at = scale(rates={"rollouts": 0.5})
    assert settings_of(at, Arm("x", uniapl, rate="rollouts")).learning_rate == 0.5
    with pytest.raises(UserError, match="unknown rate of arm 'x' at scale 'own' .*'rollout'.*mean 'rollouts'"):
        settings_of(at, Arm("x", uniapl, rate="rollout"))
    fixed = scale(rates={"rollouts": 0.5}, fixed_settings=("learning_rate",))
    own = Arm("x", uniapl, rate="rollouts", changes={"learning_rate": 0.7})
    assert (settings_of(at, own).learning_rate, settings_of(fixed, own).learning_rate) == (0.7, 0.5)


# Like with like --------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", SCALES, ids=lambda at: at.name)
def test_every_claim_at_every_scale_compares_arms_that_differ_in_what_it_declares(at):
    check_scale(at)


@pytest.mark.parametrize("at", (TINY, PAPER, PAPER_4B), ids=lambda at: at.name)
def test_stages_on_rollouts_alone_have_one_learning_rate_whichever_method_trains_them(at):
    def rate(name: str) -> float:
        return arm_of(at, name, 0).settings.learning_rate

    assert rate("a_grpo") == rate("grpo") == rate("grpo_reward_shaped")
    after = {rate(name) for name in ("sft_then_a_grpo", "a_sft_then_a_grpo", "sft_control_then_a_grpo")}
    assert after == {rate("sft_then_grpo")}


@pytest.mark.parametrize("at", (PAPER, PAPER_4B), ids=lambda at: at.name)
def test_every_candidate_of_the_public_tuning_has_the_rate_that_it_is_about(at):
    """An arm's own rate counts at these scales: a scale that fixed it would train each candidate alike."""
    (tuning,) = (asked for asked in experiments_of(at) if asked.split == "validation")
    settings = {arm.name: arm_of(at, arm.name, 100).settings for arm in tuning.arms}
    assert all(settings[arm.name].learning_rate == arm.changes["learning_rate"] for arm in tuning.arms)
    assert len({(arm.method, arm.start, str(settings[arm.name])) for arm in tuning.arms}) == len(tuning.arms)
    stated = {arm_of(at, name, 0).settings.learning_rate for name in ("sft", "grpo", "sft_then_grpo", "uniapl")}
    assert stated <= {one.learning_rate for one in settings.values()}


def test_arms_that_differ_in_a_rate_that_their_claim_does_not_declare_are_refused():
    five = scale(settings={**LISTED, grpo: LISTED[grpo] | {"learning_rate": 5e-3}})
    claim = follows_more("c", A_GRPO, GRPO, "ours")
    with pytest.raises(UserError) as error:
        check(claim, A_GRPO, GRPO, at=five)
    said = str(error.value)
    assert "experiments/asked.py, claim 'c': at scale own a_grpo has learning_rate 0.001 and grpo has 0.005" in said
    assert "differs=('learning_rate',)" in said and "\n" not in said
    check(replace(claim, differs=("learning_rate",)), A_GRPO, GRPO, at=five)
    check(claim, A_GRPO, GRPO, at=scale())
    check(claim, A_GRPO, GRPO, at=replace(five, unequal=("learning_rate",)))


def test_the_arms_that_both_start_from_are_held_against_each_other_too():
    slow = replace(SFT, name="slow", changes={"steps": 7})
    after = replace(SFT_THEN_A_GRPO, name="after", start="slow")
    arms = (SFT, slow, after, SFT_THEN_GRPO)
    claim = follows_more("c", after, SFT_THEN_GRPO, "ours")
    with pytest.raises(UserError, match=r"start.steps 7 and sft_then_grpo has 100"):
        check(claim, *arms, at=scale())
    check(replace(claim, differs=("start.steps",)), *arms, at=scale())


def test_a_setting_that_neither_arm_has_cannot_be_declared():
    with pytest.raises(UserError, match="unknown setting in `differs` of .*'learning_rat'.*mean 'learning_rate'"):
        check(follows_more("c", A_GRPO, GRPO, "ours", differs=("learning_rat",)), A_GRPO, GRPO, at=scale())


def test_only_a_scale_of_one_seed_may_leave_arms_unequal():
    assert SMOKE.unequal and not any(at.unequal for at in SCALES if len(at.seeds) > 1)
    with pytest.raises(UserError, match="scale 'tiny' has 5 seeds, which decide claims: `unequal` must be empty"):
        check_scale(replace(TINY, unequal=("learning_rate",)))


# Without a discriminator -----------------------------------------------------------------------------


def test_a_claim_about_the_discriminator_is_not_asked_where_there_is_none():
    assert TINY.discriminator.name == "discriminator" and scale().discriminator is None
    everywhere = {claim.id for asked in experiments_of(TINY) for claim in asked.claims}
    without = {claim.id for asked in experiments_of(scale()) for claim in asked.claims}
    assert everywhere - without >= {"headline-6", "unified-3", "lambda-2", "constrained-1", "shaping-2"}
    assert "headline-1" in without
    probed, sharded = ({c.id for asked in experiments_of(at) for c in asked.claims} for at in (PAPER, PAPER_4B))
    assert probed - sharded == {"headline-6", "staged-6", "unified-3", "lambda-2", "shaping-2"}  # a sharded one
    headline = next(asked for asked in experiments_of(TINY) if asked.name == "headline")
    assert asked_at(headline, TINY) == headline


@pytest.mark.parametrize(
    "kind, needed", [("miniature", True), ("polar", True), ("cotrained", False), ("length", False)]
)
def test_an_arm_that_reads_a_discriminator_is_refused_where_the_scale_has_none(kind, needed):
    settings = settings_of(scale(), replace(UNIAPL, changes={"discriminator": kind}))
    assert needs_checkpoint(settings) is needed and scored_by(settings) == kind
    assert not needs_checkpoint(replace(settings, lam=0.0)) and scored_by(replace(settings, lam=0.0)) is None
    assert not needs_checkpoint(settings_of(scale(), GRPO))


def test_a_scale_without_a_discriminator_is_refused_where_an_arm_reads_it():
    bare = replace(TINY, shared=tuple(arm for arm in TINY.shared if arm.name != "discriminator"))
    with pytest.raises(UserError, match="reads a discriminator, and scale 'tiny' has none in `shared`"):
        check_scale(bare)
