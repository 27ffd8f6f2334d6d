"""How many demonstrations are needed?  UniAPL and the pipeline with 24, 96, 384 and all of them.

Rows per step stay equal, so fewer demonstrations are seen more often. Prompts without a demonstration stay in the
rollouts; there the adversarial term has no reference and is zero.
"""

from experiments.headline import EXPERIMENT as HEADLINE
from uniapl.config import Arm, Experiment

_, _, SFT_THEN_GRPO, UNIAPL = HEADLINE.arms


def with_demonstrations(n: int) -> tuple[Arm, ...]:
    """SFT, SFT-then-GRPO and UniAPL where `n` training prompts have a demonstration."""
    few = {"demonstrations": n}
    return (
        Arm(f"sft_d{n}", "baselines.sft", changes=few),
        Arm(f"sft_then_grpo_d{n}", "baselines.grpo", start=f"sft_d{n}", changes=dict(SFT_THEN_GRPO.changes)),
        Arm(f"uniapl_d{n}", "uniapl.recipe", changes=few),
    )


EXPERIMENT = Experiment(
    name="demonstrations",
    question="How does accuracy depend on the number of demonstrations, single-stage and staged?",
    expectation="UniAPL loses less than the pipeline as demonstrations become few, because rollouts go on beside them.",
    arms=(SFT_THEN_GRPO, UNIAPL, *(arm for n in (24, 96, 384) for arm in with_demonstrations(n))),
    against=("uniapl",),
    most_seeds=3,
    extended=True,
)
