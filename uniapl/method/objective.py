"""The objective on one page: what UniAPL adds to GRPO, as pure functions in reading order; the last is the sum.

    maximize  E[r]   subject to   d(policy, expert) <= eps                        the abstract's constrained problem
    L = w_pref (1 - mu) L_GRPO + w_demo mu L_SFT + lambda L_adv                   its Lagrangian, one step, mixed batch

L_GRPO and L_adv are TRL's policy-gradient loss, called by super() with two different advantages
(uniapl/method/trainer.py): its clipping, token mean and scaling are TRL's and not repeated here. docs/method.md maps
every equation to its function and its test. Shapes: N rollouts = prompts x G, B demonstrations, T response tokens.
`paper` is arXiv 2509.25148, `CHORD` arXiv 2508.11408, `LUFFY` arXiv 2504.14945.
"""

import math

import torch
from torch import Tensor

EPSILON = 1e-4  # TRL's, so that a discriminator equal to the reward gives GRPO's advantage


def chord_phi(logp_BT: Tensor) -> Tensor:
    """phi = sg(p (1 - p)), the token weight of CHORD-phi, in [0, 0.25]; (B, T), detached (CHORD, Eq. 6 and its code).

    Small where the policy is sure, of the token or against it: such tokens pull the least."""
    p = logp_BT.detach().exp()
    return p * (1 - p)


def demonstration_loss(logp_BT: Tensor, mask_BT: Tensor, tokens: float, phi: float = 0.0) -> Tensor:
    """L_SFT = - sum of phi^`phi` log p(y*_t | x, y*_<t) over response tokens / tokens; a scalar in nats per token.

    `tokens` counts the response tokens of the whole optimizer step, over micro-batches, per process: the sum over
    micro-batches is then the step's token mean, whatever the layout. The mask may hold a share of 1 for a row that
    several micro-batches have; masked positions may hold anything.
    phi = 0 is plain cross-entropy (paper), bit for bit; phi = 1 is CHORD-phi.
    """
    logp_BT = logp_BT.where(mask_BT > 0, 0.0)
    return -(chord_phi(logp_BT) ** phi * logp_BT * mask_BT).sum() / tokens


def group_advantage(score_N: Tensor, group: int, *, ddof: int | None = 1, clip: float = math.inf) -> Tensor:
    """A_i = (s_i - mean s) / (std s + 1e-4) within each group of `group` rollouts of one prompt; shape (N,).

    Of the verifiable reward it is GRPO's advantage; of the discriminator's score, the adversarial term's. `ddof` is 1
    as in TRL, 0 for the population's std, None for no division (LUFFY); A is clipped to [-clip, clip] (ours: how
    the paper normalises the discriminator's score is not stated). Equal scores have advantage exactly 0.
    """
    s = score_N.view(-1, group)
    centred = s - s.mean(1, keepdim=True)
    scaled = centred if ddof is None else centred / (s.std(1, keepdim=True, correction=ddof) + EPSILON)
    return scaled.flatten().clamp(-clip, clip)


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


def distance(expert_N: Tensor, policy_N: Tensor) -> float:
    """d = mean of D(x, y*, y*) - D(x, y*, y): how far the policy's score is below the expert's, in score units.

    Negative where the policy is scored above the expert (ours: the paper does not state its distance)."""
    return (expert_N - policy_N).double().mean().item()


def running_mean(before: float | None, now: float, decay: float) -> float:
    """decay * before + (1 - decay) * now; `now` at the first step. decay in [0, 1)."""
    return now if before is None else decay * before + (1 - decay) * now


def dual_update(lam: float, d: float, *, eps: float, step_size: float) -> float:
    """lambda <- max(0, lambda + step_size (d - eps)): gradient ascent on the dual variable of d <= eps.

    step_size = 0 keeps lambda constant, which is how the paper's reviews describe its coefficient."""
    return max(0.0, lam + step_size * (d - eps))


def multiplier(lam: float, d: float | None, *, eps: float, penalty: float) -> float:
    """max(0, lambda + rho (d - eps)): the weight of L_adv, rho = `penalty`; lambda itself before d is known.

    rho damps what dual ascent alone does, overshoot (augmented Lagrangian for inequalities; Stooke et al., arXiv
    2007.03964, proportional control). rho = 0 is the Lagrangian (paper)."""
    return lam if d is None else max(0.0, lam + penalty * (d - eps))


def auc(expert_N: Tensor, policy_N: Tensor) -> float:
    """P(score of the expert > score of the policy) over all pairs, ties one half; in [0, 1], 0.5 = cannot tell.

    Below 0.5 the policy is scored above the expert: the discriminator is exploited (ours, asked for in review)."""
    difference = expert_N[:, None] - policy_N[None, :]
    return ((difference > 0).double().mean() + 0.5 * (difference == 0).double().mean()).item()


def term_weights(*, w_pref: float, w_demo: float, mu: float, lam: float) -> dict[str, float]:
    """The weight of each term: preference w_pref (1 - mu), demonstration w_demo mu, adversarial lambda.

    lambda is not scaled by 1 - mu (ours: not stated). w_pref = w_demo = 1 is CHORD's mixture; mu = 1/2 with weights 2
    and 2c is L_GRPO + c L_SFT (InstructGPT's mixing)."""
    return {"preference": w_pref * (1 - mu), "demonstration": w_demo * mu, "adversarial": lam}


def total(terms: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """L = sum of weight x term over the given terms. A term of weight 0 need not be computed, and adds nothing."""
    parts = [weights[name] * term for name, term in terms.items()]
    return torch.stack(parts).sum() if len(parts) > 1 else parts[0]
