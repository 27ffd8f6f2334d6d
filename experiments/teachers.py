"""What does a wrong teacher do?  Demonstrations that ignore the instructions (20, 50 %), or write in another style."""

from experiments.arms import SFT_THEN_GRPO, UNIAPL, with_demonstrations
from uniapl.config import Experiment

TEACHERS = ("noise20", "noise50", "biased")  # whose demonstrations are UniAPL's references too

EXPERIMENT = Experiment(
    name="teachers",
    question="How robust are the single stage and the pipeline to a noisy and to a biased teacher?",
    expectation="Noise costs both; the pipeline repairs more of it, because its last stage sees the reward alone.",
    arms=(
        SFT_THEN_GRPO,
        UNIAPL,
        *(arm for teacher in TEACHERS for arm in with_demonstrations(teacher, {"teacher": teacher})),
    ),
    against=("uniapl",),
    extended=True,
    worlds=("miniature",),
)
