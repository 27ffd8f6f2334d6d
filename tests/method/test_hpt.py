"""HPT: its gate by hand, and what it reduces to at both ends of the gate."""

import pytest
import torch
from support import miniature, trainers
from support.trainers import mixture, parity, trained
from trl import GRPOTrainer

from baselines.hpt_trainer import HPTTrainer, gated

ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9}
RL = {"loss_type": "dr_grpo", "scale_rewards": "none"}


def test_a_prompt_is_gated_by_how_many_of_its_rollouts_are_solved():
    rewards = torch.tensor([0.0, 0, 0, 1, 0, 0, 1, 1, 1])  # 0, 1 and 3 of 3 solved
    of_prompts = {gate: gated(rewards, 3, gate)[::3].tolist() for gate in (-1, 0, 1, 3)}
    assert of_prompts == {-1: [False] * 3, 0: [True, False, False], 1: [True, True, False], 3: [True] * 3}
    assert gated(rewards, 3, 0).tolist() == [True] * 3 + [False] * 6


def test_a_gate_that_never_opens_is_stock_grpo_bit_for_bit(tmp_path):
    ours = trained(trainers.hpt(tmp_path, gate=-1))
    stock = trained(trainers.grpo(tmp_path, trainer=GRPOTrainer, rewards=(parity,), **RL))
    assert ours[0] == stock[0] and torch.equal(ours[2], stock[2])
    assert all(torch.equal(*pair) for pair in zip(ours[1], stock[1], strict=True))


def test_a_gate_that_is_always_open_is_stock_sft_on_the_same_prompts(tmp_path):
    options = {**ONE_STEP, "per_device_train_batch_size": 96}  # all 24 prompts, four rollouts each
    ours = trained(trainers.hpt(tmp_path, gate=4, sft_weight=1.0, max_completion_length=64, **options))
    stock = trained(trainers.sft(tmp_path, **ONE_STEP, per_device_train_batch_size=24))
    assert ours[0][0] == pytest.approx(stock[0][0], rel=1e-5)  # padding sides differ, hence not bit for bit
    torch.testing.assert_close(ours[1][0], stock[1][0], rtol=1e-3, atol=1e-6)


def test_a_step_is_grpo_of_the_solved_prompts_and_the_weighted_likelihood_of_the_others(tmp_path):
    trainer, seen = trainers.hpt(tmp_path, **ONE_STEP, per_device_train_batch_size=16), []
    plain = super(HPTTrainer, trainer)._compute_loss

    def watched(model, inputs):
        loss = HPTTrainer._compute_loss(trainer, model, inputs)
        seen.append((loss.item(), plain(model, inputs).item(), inputs))
        return loss

    trainer._compute_loss = watched
    trainer.train()
    loss, of_rollouts, inputs = seen[0]
    learned = inputs["row"][inputs["demonstration_mask"] > 0].unique().tolist()
    assert 0 < len(learned) < len(inputs["row"].unique()), "both kinds of prompts are needed"
    assert not inputs["advantages"][inputs["demonstration_mask"] > 0].any()
    total, tokens, policy = 0.0, 0, miniature.policy()
    for prompt, response in (trainer.demonstrations.rows[row] for row in learned):
        with torch.no_grad():
            logps = policy(torch.cat([prompt, response])[None]).logits[0].log_softmax(-1)
        total -= logps[len(prompt) - 1 : -1].gather(1, response[:, None]).sum().item()
        tokens += len(response)
    assert loss - of_rollouts == pytest.approx(0.7 * total / tokens, rel=1e-3)
    row = trainer.state.log_history[0]
    assert row["gated"] == len(learned) / 4 and row["demonstration_rows"] == len(learned)
    assert row["loss_demonstration"] == pytest.approx(total / tokens, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gate": 5}, "gate from -1 to the group's size 4, got 5"),
        ({"gate": -2}, "gate from -1"),
        ({"sft_weight": -0.1}, "sft_weight of 0 or more"),
        ({"num_generations": 1}, "at least 2"),
    ],
)
def test_what_hpt_cannot_honour_is_refused_before_training(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        trainers.hpt(tmp_path, **settings)


def test_a_prompt_without_a_demonstration_is_named(tmp_path):
    rows = [{**row, "demonstration": None} if i == 3 else row for i, row in enumerate(miniature.chats())]
    with pytest.raises(ValueError, match="train_dataset, row 3: no demonstration"):
        mixture(tmp_path, HPTTrainer, rows=rows, gate=0, sft_weight=1.0)
