"""What does a wrong teacher do?  Demonstrations that ignore the instructions (20, 50 %), or write in another style."""

from experiments.headline import EXPERIMENT as HEADLINE
from uniapl.config import Arm, Experiment

_, _, SFT_THEN_GRPO, UNIAPL = HEADLINE.arms


def taught_by(teacher: str) -> tuple[Arm, ...]:
    """SFT, SFT-then-GRPO and UniAPL with the demonstrations of a wrong teacher, which are UniAPL's references too."""
    by = {"teacher": teacher}
    return (
        Arm(f"sft_{teacher}", "baselines.sft", changes=by),
        Arm(f"sft_then_grpo_{teacher}", "baselines.grpo", start=f"sft_{teacher}", changes=dict(SFT_THEN_GRPO.changes)),
        Arm(f"uniapl_{teacher}", "uniapl.recipe", changes=by),
    )


EXPERIMENT = Experiment(
    name="teachers",
    question="How robust are the single stage and the pipeline to a noisy and to a biased teacher?",
    expectation="Noise costs both; the pipeline repairs more of it, because its last stage sees the reward alone.",
    arms=(SFT_THEN_GRPO, UNIAPL, *(arm for t in ("noise20", "noise50", "biased") for arm in taught_by(t))),
    against=("uniapl",),
    most_seeds=3,
    extended=True,
)
