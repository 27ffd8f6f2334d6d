"""PSFT and DFT: what they do to a token's gradient, by hand, and where they are SFT."""

import math

import pytest
import torch
from support import miniature, trainers
from trl.trainer.utils import FusedCausalLMOutput

from baselines.psft_trainer import clipped_ratio

SPLIT = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 8}
WHOLE = {"per_device_train_batch_size": 16}

STEPS = {"max_steps": 2, "max_grad_norm": 1e9, "optim": "sgd", "learning_rate": 2.0}


def differ(one: torch.Tensor, other: torch.Tensor) -> float:
    """The relative difference of two gradients."""
    return ((one - other).norm() / one.norm()).item()


def gradient_of_tokens(trainer, p: list[float], old: list[float] | None = None) -> tuple[float, list[float]]:
    """The loss and its gradient in log p of two learned tokens and a masked one, by the trainer's own compute_loss."""
    logp = torch.tensor([[*p, 1.0]]).log().requires_grad_()
    mask = torch.tensor([[True, True, False]])
    zero = torch.zeros(1, 3)
    output = FusedCausalLMOutput(log_probs=logp.masked_fill(~mask, 0), entropy=zero, is_top1=zero, label_mask=mask)
    if old:
        trainer._old_logps = lambda model, options, logps: torch.tensor([[*old, 1.0]]).log()
    trainer.current_gradient_accumulation_steps = 1
    inputs = {"labels": torch.tensor([[-100, 5, 6, -100]]), "attention_mask": torch.ones(1, 4)}
    loss = trainer.compute_loss(lambda **_: output, inputs, num_items_in_batch=torch.tensor(2))
    loss.backward()
    return loss.item(), logp.grad[0].tolist()


def test_dft_weighs_every_token_by_its_probability(tmp_path):
    # L = -(.5 ln .5 + .2 ln .2)/2 = .334231; its gradient in log p is -p/2, which is - grad p / 2
    loss, gradient = gradient_of_tokens(trainers.dft(tmp_path), [0.5, 0.2])
    assert loss == pytest.approx(0.334231, abs=1e-6)
    assert gradient == pytest.approx([-0.25, -0.1, 0.0])


def test_psft_learns_no_token_that_has_gained_enough(tmp_path):
    # ratios 1.25 and .5 with clip .28: both learn, by their ratio; 1.5 is above the clip and learns nothing
    trainer = trainers.psft(tmp_path, clip=0.28)
    assert gradient_of_tokens(trainer, [0.5, 0.2], [0.4, 0.4]) == (
        pytest.approx(-(1.25 + 0.5) / 2),
        pytest.approx([-0.625, -0.25, 0.0]),
    )
    assert gradient_of_tokens(trainer, [0.6, 0.2], [0.4, 0.4]) == (
        pytest.approx(-(1.28 + 0.5) / 2),
        pytest.approx([0.0, -0.25, 0.0]),
    )
    assert trainer._metrics["train"]["ratio_clipped"] == [0.0, 0.5]


def test_the_lower_bound_of_the_clip_never_acts():
    ratio = clipped_ratio(torch.tensor([[math.log(0.1)]]), torch.zeros(1, 1), 0.28)
    assert ratio.item() == pytest.approx(0.1)


def test_with_one_mini_batch_per_batch_psft_is_sft_bit_for_bit(tmp_path):
    sft, psft = trainers.trained(trainers.sft(tmp_path)), trainers.trained(trainers.psft(tmp_path, mini_batches=1))
    assert all(torch.equal(a, b) for a, b in zip(sft[1], psft[1], strict=True)) and torch.equal(sft[2], psft[2])


def test_the_second_mini_batch_reads_the_policy_of_the_batchs_start(tmp_path):
    trainer = trainers.psft(tmp_path, **STEPS, clip=0.05)
    watched, loss = [], trainer.compute_loss

    def compute_loss(model, inputs, *args, **kwargs):
        watched.append((dict(inputs), {k: v.clone() for k, v in trainer.model.state_dict().items()}))
        return loss(model, inputs, *args, **kwargs)

    trainer.compute_loss = compute_loss
    gradients = trainers.trained(trainer)[1]
    (_, first), (inputs, second) = watched

    def logps(weights):
        policy = miniature.policy()
        policy.load_state_dict(weights)
        logits = policy(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits[:, :-1]
        learned = inputs["labels"][:, 1:] != -100
        return policy, logits.log_softmax(-1)[learned].gather(1, inputs["labels"][:, 1:][learned][:, None])[:, 0]

    with torch.no_grad():
        old = logps(first)[1]
    policy, new = logps(second)
    ratio = (new - old).exp()
    kept = ratio.detach() <= 1.05
    (-(ratio * kept).sum() / len(ratio)).backward()
    expected = torch.cat([p.grad.flatten() for p in policy.parameters()])
    assert differ(expected, gradients[1]) < 1e-4 and 0 < kept.sum() < len(kept)
    share = 1 - kept.float().mean().item()
    assert trainer.state.log_history[1]["ratio_clipped"] == pytest.approx(share)


def test_eight_micro_batches_have_the_gradient_of_one_batch_in_the_second_step_too(tmp_path):
    rows = miniature.chats(16)
    whole, split = (
        trainers.trained(trainers.psft(tmp_path, rows=rows, **STEPS, **layout))[1][1] for layout in (WHOLE, SPLIT)
    )
    assert differ(whole, split) < 1e-5


@pytest.mark.parametrize("options", [{"mini_batches": 0}, {"clip": 0.0}], ids=str)
def test_no_mini_batch_and_no_clip_are_refused(tmp_path, options):
    with pytest.raises(ValueError, match="mini_batches >= 1 and clip > 0"):
        trainers.psft(tmp_path, **options)
