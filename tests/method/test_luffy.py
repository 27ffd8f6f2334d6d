"""LUFFY: its advantage, its shaping and its loss against numbers worked out by hand."""

import pytest
import torch
from datasets import Dataset
from support import miniature, trainers
from trl import GRPOConfig

from baselines.luffy_trainer import ExpertInGroup, LUFFYTrainer, mixed_advantage, shaped_loss


def luffy(tmp_path, gamma=0.1, **options):
    options = {"per_device_train_batch_size": 8, "num_generations": 4, "max_completion_length": 12, **options}
    return LUFFYTrainer(
        model=miniature.policy(),
        reward_funcs=[miniature.words],
        args=GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=2,
            loss_type="dr_grpo",
            scale_rewards="none",
            report_to="none",
            logging_steps=1,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            save_strategy="no",
            **options,
        ),
        gamma=gamma,
        train_dataset=Dataset.from_list(miniature.chats()),
        processing_class=miniature.tokenizer(),
    )


def test_the_expert_is_a_member_of_the_group_and_there_is_no_std():
    # rollouts (1, 0, 0), expert 1: mean 2/4 -> (.5, -.5, -.5) and .5; rollouts (1, 1, 1), expert 1: all zero
    own, expert = mixed_advantage(torch.tensor([1.0, 0, 0, 1, 1, 1]), torch.tensor([1.0, 1.0]), 3)
    assert own.tolist() == [0.5, -0.5, -0.5, 0, 0, 0] and expert.tolist() == [0.5, 0.0]


def test_shaping_is_p_over_p_plus_gamma_and_ignores_padding():
    p = torch.tensor([[0.1, 0.4, 0.9], [0.9, 0.5, 0.5]])
    mask, advantage = torch.tensor([[1, 1, 0], [1, 0, 0]]), torch.tensor([2.0, -1.0])
    # -(2 (0.1/0.2 + 0.4/0.5) - 0.9/1.0) = -(2 * 1.3 - 0.9) = -1.7
    poisoned = p.log().masked_fill(mask == 0, 1e4)
    assert shaped_loss(poisoned, mask, advantage, 0.1).item() == pytest.approx(-1.7)


def test_the_gradient_of_the_shaping_is_gamma_p_over_p_plus_gamma_squared():
    logp = torch.tensor([[-1.5]], dtype=torch.float64, requires_grad=True)
    shaped_loss(logp, torch.ones(1, 1), torch.ones(1, dtype=torch.float64), 0.1).backward()
    p = logp.detach().exp()
    assert logp.grad.item() == pytest.approx(-(0.1 * p / (p + 0.1) ** 2).item())


def test_the_experts_row_of_a_prompt_is_the_demonstration_of_this_prompt(tmp_path):
    tokenizer, rows = miniature.tokenizer(), miniature.chats()
    for row, (prompt, response) in zip(rows, luffy(tmp_path).demonstrations.rows, strict=True):
        asked = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
        ids = tokenizer(row["demonstration"])["input_ids"] + [tokenizer.eos_token_id]
        assert (prompt.tolist(), response.tolist()) == (asked, ids[:12])


def test_a_step_adds_the_experts_rows_to_trls_loss(tmp_path):
    trainer, seen = luffy(tmp_path), []
    plain = super(ExpertInGroup, trainer)._compute_loss

    def watched(model, inputs):
        loss = LUFFYTrainer._compute_loss(trainer, model, inputs)
        seen.append((loss.item(), plain(model, inputs).item(), inputs))
        return loss

    trainer._compute_loss = watched
    trainer.train()
    loss, on_policy, inputs = seen[0]
    total = 0.0
    for row in inputs["row"].unique().tolist():
        prompt, response = trainer.demonstrations.rows[row]
        first = (inputs["row"] == row).nonzero()[0]
        advantage = inputs["expert_advantages"][first].item()
        with torch.no_grad():
            fresh = miniature.policy()
            logits = fresh(torch.cat([prompt, response])[None]).logits[0].log_softmax(-1)
        p = logits[len(prompt) - 1 : -1].gather(1, response[:, None])[:, 0].exp()
        total -= advantage * (p / (p + 0.1)).sum().item()
    assert loss - on_policy == pytest.approx(total / (8 * 12), rel=1e-3)
    assert abs(total) > 1e-3


def test_a_gamma_of_zero_is_refused(tmp_path):
    with pytest.raises(ValueError, match="gamma"):
        luffy(tmp_path, gamma=0.0)


def test_a_prompt_without_a_demonstration_is_named(tmp_path):
    rows = [{**row, "demonstration": None} if i == 3 else row for i, row in enumerate(miniature.chats())]
    with pytest.raises(ValueError, match="train_dataset, row 3: no demonstration"):
        trainers.luffy(tmp_path, rows=rows)
