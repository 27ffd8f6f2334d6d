"""SRFT: each of its four losses alone, its weights, and what it is without them."""

import math

import pytest
import torch
from support import miniature, trainers
from trl import GRPOTrainer

from baselines import srft_trainer
from baselines.luffy_trainer import LUFFYTrainer
from baselines.srft_trainer import row_entropy

NONE = {"w_demonstration": 0.0, "w_correct": 0.0, "w_wrong": 0.0}
PAPER = {"w_demonstration": 0.5, "w_correct": 0.1, "w_wrong": 1.0}
ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9}


def gradient(tmp_path, build=trainers.srft, **options) -> torch.Tensor:
    return trainers.trained(build(tmp_path, **ONE_STEP, **options))[1][0]


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return ((one - other).norm() / other.norm()).item() < 1e-5


def test_a_rows_entropy_is_the_mean_over_its_tokens_without_gradient():
    entropy = torch.tensor([[1.0, 3.0, 1e4], [2.0, 5.0, 5.0]], requires_grad=True)
    mean = row_entropy(entropy, torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]))  # 0.5: half of a row that was split
    assert mean.tolist() == [2.0, 2.0] and not mean.requires_grad


def test_with_weights_of_zero_only_luffys_loss_on_the_expert_is_left(tmp_path):
    class ExpertAlone(LUFFYTrainer):
        def rollout_loss(self, model, inputs):
            return 0 * super().rollout_loss(model, inputs)

    luffy = gradient(tmp_path, trainers.luffy, trainer=ExpertAlone, reward=trainers.parity)
    assert torch.equal(gradient(tmp_path, **NONE), luffy) and luffy.norm() > 0


def test_without_entropy_the_weights_are_the_constants(tmp_path, monkeypatch):
    rest = gradient(tmp_path, **NONE)
    monkeypatch.setattr(srft_trainer, "row_entropy", lambda entropy, mask: torch.zeros(len(entropy)))
    sft = gradient(tmp_path, trainers.uniapl, mu_peak=1.0, mu_valley=1.0, own_prompts=True, max_demonstration_length=12)
    for sign in (-1, 1):
        half = gradient(tmp_path, **NONE | {"w_demonstration": 0.5}, entropy_sign=sign)
        assert close(half - rest, 0.5 * sft)


def test_the_sign_decides_whether_an_uncertain_policy_learns_demonstrations_less_or_more(tmp_path):
    weights = {}
    for sign in (-1, 1):
        trainer = trainers.srft(tmp_path, entropy_sign=sign, **PAPER, **ONE_STEP)
        trainer.train()
        weights[sign] = trainer.state.log_history[0]["weight_demonstration"]
    # random weights over 500 tokens: H is near log 500 in every row
    assert weights[-1] == pytest.approx(0.5 / 500, rel=0.1) and weights[1] == pytest.approx(0.5 * 500, rel=0.1)


def test_rollouts_weigh_as_the_equation_says(tmp_path, monkeypatch):
    seen, loss = [], GRPOTrainer._compute_loss

    def watched(self, model, inputs):
        seen.append(inputs)
        return loss(self, model, inputs)

    monkeypatch.setattr(GRPOTrainer, "_compute_loss", watched)
    trainers.srft(tmp_path, **PAPER, **ONE_STEP).train()
    inputs, policy = seen[0], miniature.policy()
    texts = miniature.tokenizer().batch_decode(inputs["completion_ids"], skip_special_tokens=True)
    correct = [reward == 1 for reward in trainers.parity([[{"content": text}] for text in texts])]
    assert 0 < sum(correct) < len(correct)
    for row, right in enumerate(correct):
        prompt, response = (inputs[f"{x}_ids"][row][inputs[f"{x}_mask"][row] > 0] for x in ("prompt", "completion"))
        with torch.no_grad():
            logp = policy(torch.cat([prompt, response])[None]).logits[0][len(prompt) - 1 : -1].log_softmax(-1)
        entropy = -(logp.exp() * logp).sum(-1).mean().item()
        assert inputs["advantages"][row].item() == pytest.approx(0.1 * math.exp(entropy) if right else -1, rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"entropy_sign": 0}, "entropy_sign"), ({"w_correct": -0.1}, "weights >= 0"), ({"gamma": 0.0}, "gamma")],
)
def test_what_is_no_weight_or_sign_is_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        trainers.srft(tmp_path, **options)
