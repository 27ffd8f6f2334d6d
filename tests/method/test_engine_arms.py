"""The trainer of an arm: TRL's path as it is, or behind the engine where the scale's compute asks for it."""

import pytest
import torch
from support import miniature

from baselines import grpo, luffy, uniapl
from uniapl.config import Compute
from uniapl.method.engine.trainer import FAST, EngineTrainer
from uniapl.method.grpo import GRPO

SETTINGS = {"steps": 1, "prompts_per_step": 2, "max_new_tokens": 8, "learning_rate": 1e-3, "warmup": 0}
LEARNS = {"demonstrations_per_step": 4, "mu_decay": 1, "discriminator": "length", "lam": 0.5}


@pytest.fixture
def build(six_prompts):
    """A function that builds the trainer of a method on six prompts, with this compute."""

    def make(method, compute: Compute):
        values = SETTINGS | {"group": 3 if method is luffy else 4} | (LEARNS if method is uniapl else {})
        return six_prompts(method, values, compute=compute)

    return make


def test_without_the_engine_an_arm_is_what_it_was(build):
    assert type(build(grpo, Compute())) is GRPO


@pytest.mark.parametrize("method", [grpo, luffy, uniapl], ids=lambda method: method.__name__)
def test_with_it_every_super_reaches_the_engine_before_trl_and_a_step_is_trained(method, build):
    trainer = build(method, Compute(engine=True))
    assert isinstance(trainer, EngineTrainer) and trainer.engine == FAST
    assert EngineTrainer in type(trainer).__mro__[: type(trainer).__mro__.index(GRPO) + 3]
    before = miniature.weights(trainer.model).clone()
    trainer.train()
    assert not torch.equal(miniature.weights(trainer.model), before)
    logged = {name for row in trainer.state.log_history for name in row}
    assert "sampling/sampling_logp_difference/max" in logged
