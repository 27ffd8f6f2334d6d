"""Prefix-RFT: which tokens are the demonstration's, which of them are learned, and what it reduces to at both ends."""

import random

import pytest
import torch
from support import miniature, trainers
from support.trainers import parity, trained
from trl import GRPOTrainer

from baselines.luffy_trainer import ExpertInGroup
from baselines.prefix_rft_trainer import PrefixRFTTrainer, kept_tokens
from baselines.trapo_trainer import TRAPOTrainer
from uniapl.method.engine.trainer import FAST, EngineTrainer
from uniapl.method.grpo import GRPO

ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9}
RL = {"loss_type": "dr_grpo", "scale_rewards": "none"}


class OfPrompt(GRPO):
    """Rollouts that depend on the prompt and on how often it came before."""

    def _generate_single_turn(self, prompt_ids, *args, **kwargs):
        seen, responses = {}, []
        for ids in map(tuple, prompt_ids):
            seen[ids] = seen.get(ids, 0) + 1
            drawn = random.Random(str((ids, seen[ids])))
            responses.append([drawn.randrange(5, 300) for _ in range(3 + seen[ids])])
        return responses, None


def with_rollouts_of_prompts(trainer):
    return type(trainer.__name__, (trainer, OfPrompt), {})


def test_the_tokens_with_most_entropy_of_each_prefix_are_kept_and_all_others_of_a_response():
    entropy = torch.tensor([[0.1, 0.9, 0.5, 0.2, 9.0], [0.3, 0.2, 7.0, 8.0, 9.0]])
    prefix = torch.tensor([[True] * 4 + [False], [True] * 2 + [False] * 3])
    assert kept_tokens(entropy, prefix, 0.5).tolist() == [[0, 1, 1, 0, 1], [1, 0, 1, 1, 1]]
    assert kept_tokens(entropy, prefix, 0.0).tolist() == [[0, 0, 0, 0, 1], [0, 0, 1, 1, 1]]
    assert kept_tokens(entropy, prefix, 1.0).all()
    assert kept_tokens(entropy, prefix, 0.2).tolist() == [[0, 1, 0, 0, 1], [1, 0, 1, 1, 1]], "a share is rounded up"


def test_without_prefixes_it_is_stock_grpo_bit_for_bit(tmp_path):
    ours = trained(trainers.prefix_rft(tmp_path, high=0.0, low_end=0.0))
    stock = trained(trainers.grpo(tmp_path, trainer=GRPOTrainer, rewards=(parity,), **RL))
    assert ours[0] == stock[0] and torch.equal(ours[2], stock[2])
    assert all(torch.equal(*pair) for pair in zip(ours[1], stock[1], strict=True))


class UnshapedLUFFY(ExpertInGroup):
    """LUFFY whose ratio on the expert's tokens is that to the policy itself, p / sg(p)."""

    def expert_loss(self, model, batch, advantages, inputs):
        logp = self.demonstrations.logps(model, batch)
        return -(advantages[:, None] * (logp - logp.detach()).exp() * batch.response).sum() / self.longest(inputs)


def test_a_whole_demonstration_is_luffy_without_shaping(tmp_path):
    """Three rollouts and the expert's response."""
    options = {**ONE_STEP, "max_completion_length": 64}
    whole = {"high": 1.0, "low_end": 1.0, "top_entropy": 1.0, "trainer": with_rollouts_of_prompts(PrefixRFTTrainer)}
    ours = trained(trainers.prefix_rft(tmp_path, **whole, per_device_train_batch_size=16, **options))
    options |= {"num_generations": 3, "per_device_train_batch_size": 12}
    theirs = trained(trainers.mixture(tmp_path, with_rollouts_of_prompts(UnshapedLUFFY), options=options))
    rows = 3 / 4  # each divides by its own number of rollouts
    assert theirs[1][0].norm() > 0
    torch.testing.assert_close(ours[1][0], theirs[1][0] * rows, rtol=1e-3, atol=1e-6)


def test_the_last_rollout_of_each_group_begins_with_the_demonstration_and_is_rewarded_whole(tmp_path):
    seen, texts = [], []

    class Watched(PrefixRFTTrainer):
        def _compute_loss(self, model, inputs):
            seen.append(inputs)
            return super()._compute_loss(model, inputs)

    def reward(completions, **_):
        texts.extend(chat[0]["content"] for chat in completions)
        return parity(completions)

    options = {**ONE_STEP, "max_completion_length": 40, "per_device_train_batch_size": 16}
    settings = {"high": 0.6, "low_end": 0.2, "decay": 6, "top_entropy": 0.5}
    trainer = trainers.mixture(tmp_path, Watched, reward=reward, options=options, **settings)
    trainer.train()
    inputs, tokens = seen[0], 0
    assert (inputs["prefix"] > 0).sum() == 4 and inputs["completion_ids"].size(1) <= 40
    for prompt, row, mask, length in zip(
        inputs["prompt_ids"], inputs["completion_ids"], inputs["prompt_mask"], inputs["prefix"].tolist(), strict=True
    ):
        if length:
            asked = prompt[mask.bool()].tolist()
            _, expert = next(pair for pair in trainer.demonstrations.rows if pair[0].tolist() == asked)
            assert row[:length].tolist() == expert[:length].tolist()
            assert length == int(0.6 * len(expert)), "at the first step the lower bound is the upper one"
            text = miniature.tokenizer().decode(expert[:length])
            assert sum(text in whole for whole in texts) == 1
            tokens += length
    log = trainer.state.log_history[0]
    assert log["tokens_generated"] == inputs["completion_mask"].sum() - tokens
    assert log["prefix_tokens"] == tokens and log["demonstration_rows"] == 4 and log["prefix_low"] == 0.6


@pytest.mark.parametrize("build", [trainers.prefix_rft, trainers.trapo], ids=["prefix_rft", "trapo"])
def test_the_sampler_continues_from_just_the_prefix_that_the_trainer_reads(tmp_path, build):
    """The engine compares the sampler's probability of every own token with the trainer's."""

    def engine_trainer(**options):
        method = {trainers.prefix_rft: PrefixRFTTrainer, trainers.trapo: TRAPOTrainer}[build]
        return type("Engine", (method, EngineTrainer), {})(engine=FAST, **options)

    trainer = build(tmp_path, trainer=engine_trainer, max_completion_length=30)
    trainer.train()
    for row in trainer.state.log_history[:3]:
        assert row["prefix_tokens"] > 0 and row["sampling/sampling_logp_difference/max"] < 1e-5


def test_the_lower_bound_falls_and_prefixes_are_drawn_above_it(tmp_path):
    trainer = trainers.prefix_rft(tmp_path, high=0.8, low_end=0.2)
    shares = {}
    for step in (0, 3, 6):
        trainer.state.global_step = step
        lengths = trainer.prefix_lengths(list(range(24)), [3] * 24)
        shares[step] = [n / len(pair[1]) for n, pair in zip(lengths, trainer.demonstrations.rows, strict=True)]
        assert trainer.prefix_lengths([5], [3]) == lengths[5:6] and trainer.prefix_lengths([5], [2]) == [0]
    assert trainer._metrics["train"]["prefix_low"][::3] == pytest.approx([0.8, 0.5, 0.2])
    assert 0.6 < min(shares[0]) and max(shares[6]) <= 0.8 and min(shares[6]) < 0.4 < min(shares[3]) + 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"high": 1.1}, "0 <= low_end <= high <= 1"),
        ({"low_end": 0.95}, "low_end=0.95, high=0.9"),
        ({"top_entropy": 1.5}, "top_entropy from 0 to 1"),
        ({"num_generations": 1}, "at least 2"),
        ({"max_completion_length": 250}, "context leaves"),
    ],
)
def test_what_prefix_rft_cannot_honour_is_refused_before_training(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        trainers.prefix_rft(tmp_path, **settings)


def test_a_prompt_without_a_demonstration_is_named(tmp_path):
    rows = [{**row, "demonstration": None} if i == 3 else row for i, row in enumerate(miniature.chats())]
    with pytest.raises(ValueError, match="train_dataset, row 3: no demonstration"):
        trainers.prefix_rft(tmp_path, rows=rows)
