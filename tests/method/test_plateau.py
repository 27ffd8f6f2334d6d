"""The pipeline that switches at the plateau of SFT's validation loss: its rule by hand, and both ends of the switch."""

import math

import pytest
import torch
from support import miniature, trainers
from support.trainers import grpo, trained
from transformers import AutoModelForCausalLM
from trl import GRPOTrainer

from baselines.sft_plateau_trainer import at_plateau
from uniapl.method.grpo import GRPO

SHORT = {"per_device_train_batch_size": 4, "max_steps": 8}  # 24 rows: the second epoch starts at step 7


def test_the_plateau_is_where_the_lowest_loss_has_stopped_falling():
    falling, flat = [4.0, 3.0, 2.0, 1.9], [4.0, 3.0, 2.99, 2.98]
    assert not at_plateau(falling, 2, 0.01) and at_plateau(flat, 2, 0.01) and not at_plateau(flat, 2, 0.001)
    assert at_plateau([2.0, 1.0, 1.5, 1.2], 2, 0.0), "over-fitting is past the plateau"
    assert not at_plateau([1.0, 1.0], 2, 0.5), "two evaluations have no predecessor"
    assert at_plateau([1.0, 1.0, 1.0], 2, 0.0) and not at_plateau([1.0, 2.0, 0.99], 2, 0.0)


def test_a_plateau_that_never_comes_is_sft_bit_for_bit(tmp_path):
    ours, theirs = trained(trainers.plateau(tmp_path, **SHORT)), trained(trainers.sft(tmp_path, **SHORT))
    assert ours[0] == theirs[0] and torch.equal(ours[2], theirs[2])


def test_a_switch_before_the_first_step_is_grpo_bit_for_bit(tmp_path, monkeypatch):
    """The second stage starts from the first one's checkpoint, which is then the base."""
    alone = trained(grpo(tmp_path / "a", trainer=GRPOTrainer))
    trainers.plateau(tmp_path / "sft").save_model(str(tmp_path / "model"))
    monkeypatch.setattr(miniature, "policy", lambda: AutoModelForCausalLM.from_pretrained(tmp_path / "model"))
    after = trained(grpo(tmp_path / "b", trainer=GRPO))
    assert alone[0] == after[0] and torch.equal(alone[2], after[2])


def test_training_ends_at_the_plateau_and_a_resumed_one_at_the_same_step(tmp_path):
    """With a learning rate of nearly 0 the first evaluation is the plateau, and the third says so."""
    options = {**SHORT, "patience": 2, "least_gain": 0.01, "learning_rate": 1e-9}
    options |= {"save_strategy": "steps", "save_steps": 1}
    through = trainers.plateau(tmp_path, **options)
    through.train()
    assert through.state.global_step == 3 and not (tmp_path / "checkpoint-3").exists()
    again = trainers.plateau(tmp_path, **options)
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert again.state.global_step == 3
    assert torch.equal(miniature.weights(through.model), miniature.weights(again.model))


def test_the_validation_loss_is_the_mean_over_rows_of_the_loss_per_token(tmp_path):
    trainer, policy, losses = trainers.plateau(tmp_path, **{**SHORT, "max_steps": 1}), miniature.policy(), []
    before = trainer.evaluate()["eval_loss"]
    for row in miniature.chats()[-6:]:
        chat = [*row["prompt"], {"role": "assistant", "content": row["demonstration"]}]
        tokenizer = miniature.tokenizer()
        ids = tokenizer.apply_chat_template(chat, return_dict=False)
        start = len(tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False))
        with torch.no_grad():
            logps = policy(torch.tensor(ids)[None]).logits[0].log_softmax(-1)
        losses.append(-sum(logps[i - 1, ids[i]].item() for i in range(start, len(ids))) / (len(ids) - start))
    assert before == pytest.approx(sum(losses) / 6, rel=1e-4)
    trainer.train()
    assert math.isfinite(next(row for row in trainer.state.log_history if "validation_loss" in row)["validation_loss"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"evaluate_every": 0}, "evaluate_every is 0"),
        ({"patience": 0}, "patience is 0"),
        ({"least_gain": 1.0}, "least_gain is 1.0"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        trainers.plateau(tmp_path, **settings)
