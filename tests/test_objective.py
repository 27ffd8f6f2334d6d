"""The objective's functions against numbers worked out by hand."""

import pytest
import torch

from uniapl import objective


def test_group_advantage_uses_the_sample_standard_deviation_of_each_group():
    # group (1, 0, 0, 0): mean 0.25, sum of squares 0.75^2 + 3 * 0.25^2 = 0.75, std = sqrt(0.75 / 3) = 0.5
    # advantages (0.75, -0.25, -0.25, -0.25) / (0.5 + 1e-4)
    got = objective.group_advantage(torch.tensor([1.0, 0, 0, 0, 2, 4, 6, 8]), 4)
    assert got[:4].tolist() == pytest.approx([0.75 / 0.5001, *[-0.25 / 0.5001] * 3], rel=1e-6)
    # group (2, 4, 6, 8): mean 5, sum of squares 9 + 1 + 1 + 9 = 20, std = sqrt(20 / 3) = 2.581989
    assert got[4:].tolist() == pytest.approx([x / (2.581989 + 1e-4) for x in (-3, -1, 1, 3)], rel=1e-6)


def test_a_group_of_equal_scores_has_advantage_exactly_zero():
    assert objective.group_advantage(torch.full((8,), 3.7), 4).tolist() == [0.0] * 8


def test_advantages_do_not_change_when_scores_are_shifted_and_barely_when_scaled():
    s = torch.tensor([0.5, -1.2, 2.0, 0.1])
    torch.testing.assert_close(objective.group_advantage(s, 4), objective.group_advantage(s + 5, 4))
    torch.testing.assert_close(objective.group_advantage(s, 4), objective.group_advantage(10 * s, 4), rtol=1e-3, atol=0)


def test_demonstration_loss_is_the_token_mean_and_ignores_poisoned_padding():
    logp = torch.tensor([[-0.1, -0.2, -10_000.0], [-0.6, 1e30, 1e30]])
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    # -(-0.1 - 0.2 - 0.6) / 3 tokens = 0.3
    assert objective.demonstration_loss(logp, mask, 3).item() == pytest.approx(0.3)
    # two micro-batches of one step, divided by the step's 3 tokens, add up to the same
    parts = [objective.demonstration_loss(logp[i : i + 1], mask[i : i + 1], 3).item() for i in (0, 1)]
    assert sum(parts) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.0),  # warm-up: 0.8 * 0 / 4
        (2, 0.4),  # 0.8 * 2 / 4
        (4, 0.8),  # peak
        (6, 0.5),  # half of the cosine: 0.2 + (0.8 - 0.2) * 0.5 * (1 + cos(pi / 2)) = 0.2 + 0.3
        (8, 0.2),  # valley
        (99, 0.2),
    ],
)
def test_mu_warms_up_linearly_and_decays_as_a_half_cosine(step, expected):
    assert objective.mu_schedule(step, warmup=4, decay=4, peak=0.8, valley=0.2) == pytest.approx(expected)


def test_mu_without_warmup_starts_at_the_peak_and_without_decay_is_the_valley():
    assert objective.mu_schedule(0, warmup=0, decay=5, peak=0.8, valley=0.2) == 0.8
    assert objective.mu_schedule(0, warmup=0, decay=0, peak=0.8, valley=0.2) == 0.2


def test_total_is_the_weighted_sum_and_one_term_keeps_its_bits():
    grpo, sft, adv = (torch.tensor(x) for x in (0.1234567, 2.0, -3.0))
    terms = {"preference": grpo, "demonstration": sft, "adversarial": adv}
    weights = objective.term_weights(w_pref=1.0, w_demo=2.0, mu=0.3, lam=0.5)
    # (1 - 0.3) * 0.1234567 + 2 * 0.3 * 2 + 0.5 * -3 = 0.08641969 + 1.2 - 1.5
    assert objective.total(terms, weights).item() == pytest.approx(-0.21358031)
    alone = objective.term_weights(w_pref=1.0, w_demo=1.0, mu=0.0, lam=0.0)
    assert torch.equal(objective.total({"preference": grpo}, alone), grpo)


def test_auc_counts_pairs_and_halves_ties():
    # pairs (expert, policy): 1>0 yes, 1>1 tie, 2>0 yes, 2>1 yes -> 3.5 of 4
    assert objective.auc(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0])) == 3.5 / 4
    assert objective.auc(torch.tensor([0.0]), torch.tensor([1.0])) == 0.0
