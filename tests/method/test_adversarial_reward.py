"""The reward of a discriminator that learns, beside the verifier's: its three limits, and what is refused."""

import pytest
import torch
from support import miniature
from support.trainers import Learning, trained

from baselines import adversarial_reward, grpo, uniapl
from experiments.arms import ONLY_ROLLOUTS
from uniapl.errors import UserError

SETTINGS = dict(steps=3, prompts_per_step=6, group=4, max_new_tokens=12, warmup=0)


@pytest.fixture
def build(six_prompts, monkeypatch):
    """A function that builds a method's trainer of 6 prompts, with the discriminator that it is given."""

    def make(method, discriminator=None, **changes):
        monkeypatch.setattr("uniapl.discriminators.load_discriminator", lambda job, kind: discriminator)
        return six_prompts(method, {**SETTINGS, **changes})

    return make


def frozen() -> miniature.Scorer:
    return miniature.Scorer(miniature.nearness)


def equal(one, other) -> bool:
    """Whether two trainings have the same gradients and weights, bit for bit."""
    return all(torch.equal(a, b) for a, b in zip(one[1], other[1], strict=True)) and torch.equal(one[2], other[2])


def test_with_lambda_zero_it_is_grpo_bit_for_bit(build):
    assert equal(trained(build(adversarial_reward, lam=0.0)), trained(build(grpo)))


def test_with_a_frozen_discriminator_it_is_a_grpo_bit_for_bit(build):
    a_grpo = trained(build(uniapl, frozen(), **ONLY_ROLLOUTS, lam=0.3))
    assert equal(trained(build(adversarial_reward, frozen(), lam=0.3)), a_grpo)
    assert not equal(trained(build(adversarial_reward, Learning(), lam=0.3)), trained(build(grpo)))


def test_without_the_verifier_it_is_gad_grpo_on_the_discriminators_reward(build):
    gad = build(adversarial_reward, Learning(), w_verifier=0.0, lam=1.0, steps=1)
    rows, ours = {r["prompt"][0]["content"]: r["demonstration"] for r in gad.train_dataset}, trained(gad)[1][0]

    def reward(prompts, completions, **_):
        pairs = zip(prompts, completions, strict=True)
        return [miniature.nearness(rows[p[0]["content"]], c[0]["content"]) for p, c in pairs]

    plain = build(grpo, steps=1)
    plain.reward_funcs = [reward]
    theirs = trained(plain)[1][0]
    assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-5 and theirs.norm() > 0


def test_the_discriminator_learns_once_per_step_from_its_rollouts(build):
    discriminator = Learning()
    trainer = build(adversarial_reward, discriminator)
    trainer.train()
    assert discriminator.lessons == [24, 24, 24]
    logged = set(trainer.state.log_history[0])
    assert set(adversarial_reward.METRICS) - {"discriminator_accuracy"} <= logged


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"w_verifier": 0.0, "lam": 0.0}, "nothing is learned"),
        ({"w_verifier": -1.0}, "w_pref in"),
        ({"group": 1}, "at least 2 generations"),
    ],
)
def test_two_weights_of_zero_a_negative_one_and_a_group_of_one_are_refused(build, changes, message):
    with pytest.raises((UserError, ValueError), match=message):
        build(adversarial_reward, frozen(), **changes)
