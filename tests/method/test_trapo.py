"""TRAPO: its parts, its trust region, and what both reduce to."""

import pytest
import torch
from support import miniature, trainers
from support.trainers import parity, trained
from support.two_processes import InParts
from trl import GRPOTrainer

from baselines.trapo_trainer import TRAPOTrainer
from baselines.trsft_trainer import trust

ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9}
RL = {"loss_type": "dr_grpo", "scale_rewards": "none"}


def test_a_token_is_trusted_by_its_probability_up_to_alpha_and_fully_above():
    p = torch.tensor([0.01, 0.05, 0.1, 0.5, 1.0])
    torch.testing.assert_close(trust(p.log(), 0.1), torch.tensor([0.1, 0.5, 1.0, 1.0, 1.0]))
    torch.testing.assert_close(trust(p.log(), 1.0), p)
    assert (trust(p.log(), 1e-9) == 1).all() and not trust(p.log().requires_grad_(), 0.1).requires_grad


def test_at_alpha_one_its_gradient_is_that_of_trls_dft(tmp_path):
    ours, dft = (
        trained(trainers.trsft(tmp_path, alpha=1.0, **ONE_STEP)),
        trained(trainers.sft(tmp_path, loss_type="dft", **ONE_STEP)),
    )
    torch.testing.assert_close(ours[1][0], dft[1][0], rtol=1e-5, atol=1e-8)


def test_as_alpha_falls_to_zero_it_is_sft_bit_for_bit(tmp_path):
    ours, sft = trained(trainers.trsft(tmp_path, alpha=1e-12)), trained(trainers.sft(tmp_path))
    assert ours[0] == sft[0] and torch.equal(ours[2], sft[2])
    between = trained(trainers.trsft(tmp_path, alpha=0.1))
    assert ours[0][0] == between[0][0], "what is logged does not depend on alpha"
    assert not torch.equal(ours[1][0], between[1][0])


def test_thresholds_that_no_mean_is_below_are_stock_grpo_bit_for_bit(tmp_path):
    parts = {**trainers.PARTS, "thresholds": (-1.0, -1.0, -1.0)}
    ours = trained(trainers.trapo(tmp_path, parts=parts))
    stock = trained(trainers.grpo(tmp_path, trainer=GRPOTrainer, rewards=(parity,), **RL))
    assert ours[0] == stock[0] and torch.equal(ours[2], stock[2])
    assert all(torch.equal(*pair) for pair in zip(ours[1], stock[1], strict=True))


@pytest.mark.parametrize(
    ("rewards", "lengths"),
    [
        ([0, 0, 0, 0], [0, 0, 0.4, 1]),  # means 0 and 0
        ([1, 0, 1, 0], [0, 0, 0.4, 1]),  # means 1/2 and 2/3
        ([1, 1, 0, 0], [0, 0, 0, 1]),  # means 1 and 2/3
        ([1, 1, 1, 0], [0, 0, 0, 0]),  # means 1 and 1
        ([0, 1, 1, 1], [0, 0, 0.4, 1]),
    ],
)
def test_a_part_is_guided_where_the_parts_before_earned_less_than_its_threshold(tmp_path, rewards, lengths):
    """Groups of 4 in parts of 2, 1 and 1; thresholds 0.6 and 0.9."""
    given = iter([])

    def scripted(completions, **_):
        nonlocal given
        if len(completions) != 2:  # TRL asks for all four, TRAPO for the parts: of one prompt 2 and 1
            return [float(r) for r in rewards] if len(completions) == 4 else [float(next(given))]
        given = iter(rewards[2:])
        return [float(r) for r in rewards[:2]]

    seen = []

    class Watched(TRAPOTrainer):
        def _compute_loss(self, model, inputs):
            seen.append(inputs)
            return super()._compute_loss(model, inputs)

    trainer = trainers.trapo(
        tmp_path, trainer=Watched, reward=scripted, per_device_train_batch_size=4, max_completion_length=64, **ONE_STEP
    )
    trainer.train()
    inputs = seen[0]
    whole = len(trainer.demonstrations.rows[inputs_row(trainer, inputs)][1])
    assert sorted(inputs["prefix"].tolist()) == sorted(int(share * whole) for share in lengths)
    assert inputs["teaches"].sum() == sum(share > 0 for share in lengths)


def inputs_row(trainer, inputs) -> int:
    """The row of the data set that the first rollout's prompt is."""
    asked = inputs["prompt_ids"][0][inputs["prompt_mask"][0].bool()].tolist()
    return next(row for row, (prompt, _) in enumerate(trainer.demonstrations.rows) if prompt.tolist() == asked)


def test_the_loss_is_grpos_of_own_tokens_and_the_trusted_likelihood_of_each_prefix_once(tmp_path):
    seen = []

    class Watched(InParts):
        def _compute_loss(self, model, inputs):
            loss = super()._compute_loss(model, inputs)
            seen.append((loss, inputs))
            return loss

    parts = {"groups": (1, 2, 1), "prefixes": (0.0, 0.5, 1.0), "thresholds": (-1.0, 1.0, 1.0)}
    options = {**ONE_STEP, "per_device_train_batch_size": 16, "max_completion_length": 40}
    trainer = trainers.trapo(tmp_path, trainer=Watched, parts=parts, reward=trainers.rarely, alpha=0.002, **options)
    _, gradients, _ = trained(trainer)
    _, inputs = seen[0]
    guided = inputs["prefix"] > 0
    assert inputs["teaches"].sum() < guided.sum(), "two rollouts of a part have one prefix, learned once"
    policy, total, weights = miniature.policy(), 0.0, []
    for i in range(16):
        kept = inputs["prompt_mask"][i].bool()
        prompt, response = inputs["prompt_ids"][i][kept], inputs["completion_ids"][i][inputs["completion_mask"][i] > 0]
        logits = policy(torch.cat([prompt, response])[None]).logits[0].log_softmax(-1)
        logp = logits[len(prompt) - 1 : -1].gather(1, response[:, None])[:, 0]
        start = inputs["prefix"][i]
        p = logp[:start]
        total = total - inputs["advantages"][i] * (logp - logp.detach()).exp()[start:].sum()
        if inputs["teaches"][i]:
            weights.append((p.detach().exp() / 0.002).clamp(max=1))
            total = total - (weights[-1] * p).sum()
    (total / (16 * 40)).backward()
    expected = torch.cat([p.grad.flatten() for p in policy.parameters()])
    assert (torch.cat(weights) < 1).any() and (torch.cat(weights) == 1).any(), "alpha lies among the probabilities"
    torch.testing.assert_close(gradients[0], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": (2, 1, 2)}, "add up to the group's 4"),
        ({"groups": (3, 1)}, "as many prefixes"),
        ({"prefixes": (0.0, 0.4, 1.2)}, "prefixes from 0 to 1"),
        ({"thresholds": (-1.0, 0.6, 1.9)}, "thresholds of 1 or less"),
    ],
)
def test_parts_that_make_no_sense_are_refused_before_training(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        trainers.trapo(tmp_path, parts={**trainers.PARTS, **changes})


@pytest.mark.parametrize(
    ("options", "message"),
    [({"alpha": 0.0}, "0 < alpha <= 1"), ({"loss_type": "dapo"}, "dr_grpo"), ({"num_generations": 1}, "at least 2")],
)
def test_what_trapo_cannot_honour_is_refused_before_training(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        trainers.trapo(tmp_path, **options)


def test_a_prompt_without_a_demonstration_is_named(tmp_path):
    rows = [{**row, "demonstration": None} if i == 3 else row for i, row in enumerate(miniature.chats())]
    with pytest.raises(ValueError, match="train_dataset, row 3: no demonstration"):
        trainers.trapo(tmp_path, rows=rows)
