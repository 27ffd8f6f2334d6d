"""The objective's functions against numbers worked out by hand."""

import pytest
import torch

from uniapl.method import objective


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


def test_phi_is_p_times_one_minus_p_and_is_not_differentiated():
    logp = torch.tensor([[0.5, 0.25]]).log().requires_grad_()
    assert objective.chord_phi(logp).tolist()[0] == pytest.approx([0.25, 0.1875])  # 1/2 1/2, 1/4 3/4
    # weighted: -(0.25 log 0.5 + 0.1875 log 0.25) / 2 = (0.173287 + 0.259930) / 2
    loss = objective.demonstration_loss(logp, torch.ones(1, 2), 2, phi=1.0)
    assert loss.item() == pytest.approx(0.2166085, rel=1e-5)
    loss.backward()  # d/d log p = -phi / 2, because phi is constant
    assert logp.grad.tolist()[0] == pytest.approx([-0.125, -0.09375])


def test_without_phi_the_loss_is_plain_cross_entropy_bit_for_bit():
    logp = torch.randn(3, 5, generator=torch.Generator().manual_seed(0)) - 2
    assert torch.equal(objective.demonstration_loss(logp, torch.ones(3, 5), 15), -logp.sum() / 15)


def test_a_row_shared_by_two_micro_batches_counts_once():
    logp, whole = torch.tensor([[-1.0, -2.0]]), torch.ones(1, 2)
    halves = [objective.demonstration_loss(logp, whole / 2, 2).item() for _ in range(2)]
    assert sum(halves) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"ddof": None}, [0.75, -0.25, -0.25, -0.25]),  # LUFFY: the mean alone
        # population std of (1, 0, 0, 0): sqrt(0.75 / 4) = 0.4330127
        ({"ddof": 0}, [0.75 / 0.4331127, *[-0.25 / 0.4331127] * 3]),
        ({"clip": 1.2}, [1.2, *[-0.25 / 0.5001] * 3]),  # 0.75 / 0.5001 = 1.4997 is cut
    ],
    ids=str,
)
def test_the_advantages_normalisation_is_named(options, expected):
    got = objective.group_advantage(torch.tensor([1.0, 0, 0, 0]), 4, **options)
    assert got.tolist() == pytest.approx(expected, rel=1e-6)


def test_distance_is_what_the_policy_lacks_and_negative_above_the_expert():
    assert objective.distance(torch.tensor([2.0, 1.0]), torch.tensor([0.5, 0.5])) == 1.0  # (1.5 + 0.5) / 2
    assert objective.distance(torch.tensor([0.0]), torch.tensor([0.25])) == -0.25


def test_running_mean_starts_at_the_first_value_and_forgets():
    first = objective.running_mean(None, 4.0, 0.9)
    assert (first, objective.running_mean(first, 2.0, 0.9)) == (4.0, pytest.approx(3.8))  # 0.9 * 4 + 0.1 * 2


@pytest.mark.parametrize(
    ("lam", "d", "expected"),
    [
        (0.5, 3.0, 0.7),  # 0.5 + 0.1 (3 - 1)
        (0.5, 1.0, 0.5),  # on target
        (0.5, -1.0, 0.3),  # below target: 0.5 + 0.1 (-1 - 1)
        (0.1, -3.0, 0.0),  # 0.1 - 0.4 is cut at zero
    ],
)
def test_the_dual_variable_rises_above_the_target_falls_below_and_is_never_negative(lam, d, expected):
    assert objective.dual_update(lam, d, eps=1.0, step_size=0.1) == pytest.approx(expected)
    assert objective.dual_update(lam, d, eps=1.0, step_size=0.0) == lam


@pytest.mark.parametrize("phi", [0.0, 1.0])
def test_the_demonstration_terms_gradient_is_its_finite_difference(phi):
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0]])
    frozen = objective.chord_phi(logits.log_softmax(-1)[..., 0]) ** phi  # constant, as in the loss

    def loss(x):
        logp = x.log_softmax(-1)[..., 0]
        if phi:
            return -(frozen * logp * mask).sum() / 4
        return objective.demonstration_loss(logp, mask, 4)

    assert torch.autograd.gradcheck(loss, (logits,))
    (expected,) = torch.autograd.grad(loss(logits), logits)
    (got,) = torch.autograd.grad(objective.demonstration_loss(logits.log_softmax(-1)[..., 0], mask, 4, phi), logits)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(
    ("lam", "d", "expected"),
    [
        (0.2, None, 0.2),  # nothing measured yet
        (0.2, 1.5, 0.35),  # 0.2 + 0.3 (1.5 - 1)
        (0.2, 0.8, 0.14),  # 0.2 + 0.3 (0.8 - 1)
        (0.2, 0.2, 0.0),  # 0.2 - 0.24 < 0
    ],
)
def test_the_penalty_adds_to_the_dual_variable_and_the_sum_is_never_negative(lam, d, expected):
    assert objective.multiplier(lam, d, eps=1.0, penalty=0.3) == pytest.approx(expected)
    assert objective.multiplier(lam, d, eps=1.0, penalty=0.0) == lam


def test_auc_counts_pairs_and_halves_ties():
    # pairs (expert, policy): 1>0 yes, 1>1 tie, 2>0 yes, 2>1 yes -> 3.5 of 4
    assert objective.auc(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0])) == 3.5 / 4
    assert objective.auc(torch.tensor([0.0]), torch.tensor([1.0])) == 0.0
