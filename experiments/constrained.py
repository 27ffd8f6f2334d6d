"""The constrained form: lambda as the dual variable of d(policy, expert) <= eps, for two values of eps.

GRPO after SFT, where d is small at the start and grows as the reward pulls the policy away from the expert: lambda
rises only as far as it must to hold the policy at eps. A first look without SFT (d = 2.8 at the start, GRPO's small
learning rate) had lambda rise to 2.3, overshoot the target and lose the reward.
"""

from experiments.headline import EXPERIMENT as HEADLINE
from experiments.staged import AFTER
from experiments.staged import EXPERIMENT as STAGED
from uniapl.config import Arm, Claim, Experiment

_, _, SFT_THEN_GRPO, _ = HEADLINE.arms
SFT_THEN_A_GRPO = next(arm for arm in STAGED.arms if arm.name == "sft_then_a_grpo")


def target(name: str, eps: float) -> Arm:
    """SFT then A-GRPO whose lambda rises from 0 while the running distance exceeds `eps`, and falls below it."""
    return Arm(name, "uniapl.recipe", start="sft", changes={**AFTER, "lam": 0.0, "lam_step": 0.01, "eps": eps})


EXPERIMENT = Experiment(
    name="constrained",
    question="Does the dual variable bring the distance to its target, and what does that cost?",
    expectation="d settles at eps for both targets; the nearer target needs a larger lambda; accuracy differs little.",
    arms=(SFT_THEN_GRPO, SFT_THEN_A_GRPO, target("eps_high", 0.8), target("eps_low", 0.3)),
    against=("sft_then_grpo",),
    most_seeds=3,
    extended=True,
    claims=(
        Claim(
            "constrained-1",
            "with eps = 0.8 the distance ends at most 0.2 above it",
            "[A]",
            "distance",
            "eps_high",
            None,
            "below",
            margin=1.0,
        ),
        Claim(
            "constrained-2",
            "with eps = 0.3 the distance ends at most 0.2 above it",
            "[A]",
            "distance",
            "eps_low",
            None,
            "below",
            margin=0.5,
        ),
    ),
)
