"""RL-PLUS: its weight of expert tokens against numbers worked out by hand, and what it is without an expert."""

import pytest
import torch
from support import miniature, trainers

from baselines.rl_plus_trainer import RLPlusTrainer, exploring_loss

DR = {"loss_type": "dr_grpo", "scale_rewards": "none"}


def test_the_weight_of_an_expert_token_is_that_of_the_equation():
    p, old = torch.tensor([[0.5, 0.2, 0.9]]), torch.tensor([[0.25, 0.2, 0.9]])
    mask, advantage = torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([2.0])
    # sqrt(.5) 2(.5) / (.25 + .625) = .707107 / .875 = .808122 and sqrt(.8) 2(.2) / (.2 + .6) = .894427 / 2 = .447214
    poisoned = (x.log().masked_fill(mask == 0, 1e4) for x in (p, old))
    assert exploring_loss(*poisoned, mask, advantage).item() == pytest.approx(-2 * (0.808122 + 0.447214), abs=1e-5)


def test_on_policy_its_gradient_is_the_closed_form():
    logp = torch.tensor([[-1.5]], dtype=torch.float64, requires_grad=True)
    exploring_loss(logp, logp.detach(), torch.ones(1, 1), torch.ones(1, dtype=torch.float64)).backward()
    p = logp.detach().exp()
    assert logp.grad.item() == pytest.approx(-((1 - p).sqrt() * 4 * p / (3 * p + 1)).item())


def test_a_probability_that_rounding_lifts_above_one_is_one():
    logp = torch.tensor([[1e-6]], requires_grad=True)
    exploring_loss(logp, logp.detach(), torch.ones(1, 1), torch.ones(1)).backward()
    assert logp.grad.item() == 0.0


@pytest.mark.parametrize("options", [{}, {"num_iterations": 2}], ids=str)
def test_without_an_expert_row_the_training_is_grpo_bit_for_bit(tmp_path, options):
    class Alone(RLPlusTrainer):
        def has_expert(self, inputs):
            return torch.zeros_like(super().has_expert(inputs))

    plain = trainers.trained(trainers.own_grpo(tmp_path / "a", **DR, **options))
    alone = trainers.trained(trainers.rl_plus(tmp_path / "b", trainer=Alone, **options))
    assert all(torch.equal(a, b) for a, b in zip(plain[1], alone[1], strict=True))
    assert torch.equal(plain[2], alone[2]) and plain[1][0].norm() > 0
    assert not torch.equal(plain[2], trainers.trained(trainers.rl_plus(tmp_path / "c", **options))[2])


def log_p(policy, prompt, response) -> torch.Tensor:
    """log p of the response's tokens, one row alone."""
    logits = policy(torch.cat([prompt, response])[None]).logits[0].log_softmax(-1)
    return logits[len(prompt) - 1 : -1].gather(1, response[:, None])[:, 0]


def test_the_second_step_of_a_batch_reads_the_policy_that_sampled_it(tmp_path):
    trainer, seen = trainers.rl_plus(tmp_path, num_iterations=2, max_steps=2), []

    def watched(model, inputs):
        policy = miniature.policy()
        policy.load_state_dict({k: v.clone() for k, v in trainer.model.state_dict().items()})
        plain = RLPlusTrainer.rollout_loss(trainer, model, inputs).item()
        loss = RLPlusTrainer._compute_loss(trainer, model, inputs)
        seen.append((loss.item() - plain, policy, inputs))
        return loss

    trainer._compute_loss = watched
    trainer.train()
    (_, first, _), (added, now, inputs) = seen
    total = 0.0
    for row in inputs["row"].unique().tolist():
        prompt, response = trainer.demonstrations.rows[row]
        advantage = inputs["expert_advantages"][inputs["row"] == row][0].item()
        with torch.no_grad():
            p, old = (log_p(policy, prompt, response).exp() for policy in (now, first))
        total -= advantage * ((1 - p).sqrt() * 4 * p / (3 * old + 1)).sum().item()
    assert added == pytest.approx(total / (8 * 12), rel=1e-3) and abs(total) > 1e-3
    assert not torch.equal(miniature.weights(first), miniature.weights(now))


def test_eight_micro_batches_have_the_gradient_of_one_batch_in_the_second_step_too(tmp_path):
    def second(**layout):
        options = {"num_iterations": 2, "max_steps": 2, "max_grad_norm": 1e9, "optim": "sgd", "learning_rate": 0.5}
        return trainers.trained(trainers.rl_plus(tmp_path, **options, **layout))[1][1]

    whole = second(per_device_train_batch_size=16)
    split = second(per_device_train_batch_size=2, gradient_accumulation_steps=8)
    assert ((whole - split).norm() / whole.norm()).item() < 1e-5


def test_a_prompt_without_a_demonstration_is_named(tmp_path):
    rows = [{**row, "demonstration": None} if i == 3 else row for i, row in enumerate(miniature.chats())]
    with pytest.raises(ValueError, match="train_dataset, row 3: no demonstration"):
        trainers.rl_plus(tmp_path, rows=rows)
