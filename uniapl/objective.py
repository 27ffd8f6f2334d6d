"""The objective on one page: what UniAPL adds to GRPO, as pure tensor functions.

    maximize  E[r]   subject to   d(policy, expert) <= eps          the abstract's constrained problem
    L = (1 - mu) L_GRPO + mu L_SFT + lambda L_adv                   its Lagrangian, one gradient step on a mixed batch

L_GRPO and the clipped surrogate of L_adv are TRL's own loss, called with two different advantages
(uniapl/trainer.py); this module holds what TRL does not have. Shapes: N rollouts = prompts x G, B demonstrations,
T response tokens. `paper` is arXiv 2509.25148, `CHORD` arXiv 2508.11408.
"""

import math

from torch import Tensor

EPSILON = 1e-4  # TRL's, so that a discriminator equal to the reward gives GRPO's advantage


def group_advantage(score_N: Tensor, group: int) -> Tensor:
    """A_i = (s_i - mean s) / (std s + 1e-4) within each group of `group` rollouts of one prompt; shape (N,).

    std with n - 1 in the denominator, as TRL normalises rewards (ours: the paper does not state how the
    discriminator's score is normalised). A group of equal scores has advantage exactly 0.
    """
    s = score_N.view(-1, group)
    return ((s - s.mean(1, keepdim=True)) / (s.std(1, keepdim=True, correction=1) + EPSILON)).flatten()


def demonstration_loss(logp_BT: Tensor, mask_BT: Tensor, tokens: float) -> Tensor:
    """L_SFT = - sum of log p(y*_t | x, y*_<t) over response tokens / tokens; a scalar in nats per token.

    `tokens` counts the response tokens of the whole optimizer step, over micro-batches, per process: the sum over
    micro-batches is then the step's token mean, whatever the layout. Masked positions may hold anything finite.
    """
    return -(logp_BT * mask_BT).sum() / tokens


def mu_schedule(step: int, *, warmup: int, decay: int, peak: float, valley: float) -> float:
    """CHORD's weight of the demonstrations at an optimizer step (0-based), in [0, 1].

    Linear from 0 to `peak` over `warmup` steps, then a half cosine from `peak` to `valley` over `decay` steps, then
    `valley` (CHORD states only that mu decays; the cosine is its code's). warmup = 0 starts at `peak`.
    """
    if step < warmup:
        return peak * step / warmup
    if step < warmup + decay:
        return valley + (peak - valley) * 0.5 * (1 + math.cos(math.pi * (step - warmup) / decay))
    return valley


def total(grpo: Tensor, sft: Tensor, adv: Tensor, *, mu: float, lam: float) -> Tensor:
    """L = (1 - mu) L_GRPO + mu L_SFT + lambda L_adv. Each term is a mean over its own tokens; lambda is not scaled
    by 1 - mu (ours: the paper does not state it). A weight of zero leaves the other terms' bits unchanged."""
    return (1 - mu) * grpo + mu * sft + lam * adv


def auc(expert_N: Tensor, policy_N: Tensor) -> float:
    """P(score of the expert > score of the policy) over all pairs, ties one half; in [0, 1], 0.5 = cannot tell.

    Below 0.5 the policy is scored above the expert: the discriminator is exploited (ours, asked for in review)."""
    difference = expert_N[:, None] - policy_N[None, :]
    return ((difference > 0).double().mean() + 0.5 * (difference == 0).double().mean()).item()
