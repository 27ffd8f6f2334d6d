"""The constrained form: lambda as the dual variable of d(policy, expert) <= eps, for two values of eps.

A-GRPO without demonstrations, so that only lambda can bring the policy to the expert: d starts near 2.8.
"""

from experiments.headline import EXPERIMENT as HEADLINE
from experiments.staged import A_GRPO, ONLY_ROLLOUTS
from uniapl.config import Arm, Claim, Experiment

_, GRPO, *_ = HEADLINE.arms


def target(name: str, eps: float) -> Arm:
    """A-GRPO whose lambda rises from 0 while the running distance exceeds `eps`, and falls below it."""
    changes = {**ONLY_ROLLOUTS, "lam": 0.0, "lam_step": 0.02, "eps": eps}
    return Arm(name, "uniapl.recipe", changes=changes)


EXPERIMENT = Experiment(
    name="constrained",
    question="Does the dual variable bring the distance to its target, and what does that cost?",
    expectation="d settles at eps for both targets; the nearer target needs a larger lambda and costs accuracy.",
    arms=(GRPO, A_GRPO, target("eps_high", 1.5), target("eps_low", 0.5)),
    against=("grpo",),
    most_seeds=3,
    extended=True,
    claims=(
        Claim(
            "constrained-1",
            "with eps = 1.5 the distance ends below that with lambda = 0.1 or above: it ends below 1.8",
            "[A]",
            "distance",
            "eps_high",
            None,
            "below",
            margin=1.8,
        ),
        Claim(
            "constrained-2",
            "with eps = 0.5 the distance ends below 0.8",
            "[A]",
            "distance",
            "eps_low",
            None,
            "below",
            margin=0.8,
        ),
    ),
)
