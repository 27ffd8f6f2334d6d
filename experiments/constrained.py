"""The constrained form: lambda as the dual variable of d(policy, expert) <= eps, for two values of eps.

GRPO after SFT, where d is small at the start and grows as the reward pulls the policy away from the expert: lambda
rises only as far as it must to hold the policy at eps. `eps_far` is never reached: its lambda stays 0 and shows where
the reward alone takes d. Step, penalty and targets were chosen on trainings of seeds 0 and 1, by d and not by accuracy:
plain dual ascent (penalty 0) went past the target and back, d = 0.9 and then 0.2 for eps = 0.6.
"""

from dataclasses import replace

from experiments.arms import ONLY_ROLLOUTS, SFT_THEN_A_GRPO, SFT_THEN_GRPO
from uniapl.config import Arm, Claim, Experiment

DUAL = {"lam": 0.0, "lam_step": 0.01, "lam_penalty": 0.3, "distance_decay": 0.8}


def with_bound(name: str, eps: float) -> Arm:
    """SFT then A-GRPO whose lambda rises from 0 while the running distance exceeds `eps`, and falls below it."""
    return replace(SFT_THEN_A_GRPO, name=name, changes={**ONLY_ROLLOUTS, **DUAL, "eps": eps}, label="")


def ends_near(eps: float, arm: str, number: int) -> tuple[Claim, Claim]:
    """Two claims: at the end d is at most 0.2 above, and at most 0.2 below its target."""
    return tuple(
        Claim(
            f"constrained-{number + i}",
            f"with eps = {eps} the distance ends at most 0.2 {'above' if sign > 0 else 'below'} it",
            "[A]",
            "distance",
            arm,
            None,
            "below" if sign > 0 else "above",
            margin=round(eps + sign * 0.2, 2),
        )
        for i, sign in enumerate((1, -1))
    )


EXPERIMENT = Experiment(
    name="constrained",
    question="Does the dual variable bring the distance to its target, and what does that cost?",
    expectation="d settles at eps for both targets; the nearer target needs a larger lambda; accuracy differs little.",
    arms=(
        SFT_THEN_GRPO,
        SFT_THEN_A_GRPO,
        with_bound("eps_far", 5.0),
        with_bound("eps_high", 0.6),
        with_bound("eps_low", 0.3),
    ),
    against=("sft_then_grpo",),
    extended=True,
    claims=(*ends_near(0.6, "eps_high", 1), *ends_near(0.3, "eps_low", 3)),
    worlds=("miniature",),
)
