"""How many demonstrations are needed?  UniAPL and the pipeline with 24, 96, 384 and all of them.

Rows per step stay equal, so fewer demonstrations are seen more often. Prompts without a demonstration stay in the
rollouts; there the adversarial term has no reference and is zero.
"""

from experiments.arms import SFT_THEN_GRPO, UNIAPL, with_demonstrations
from uniapl.config import Experiment

FEWER = (24, 96, 384)

EXPERIMENT = Experiment(
    name="demonstrations",
    question="How does accuracy depend on the number of demonstrations, single-stage and staged?",
    expectation="UniAPL loses less than the pipeline as demonstrations become few, because rollouts go on beside them.",
    arms=(SFT_THEN_GRPO, UNIAPL, *(arm for n in FEWER for arm in with_demonstrations(f"d{n}", {"demonstrations": n}))),
    against=("uniapl",),
    worlds=("miniature", "public"),
    extended=True,
)
