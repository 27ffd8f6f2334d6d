"""When should the pipeline switch from SFT to GRPO?  10, 25, 50 and 75 % of its optimizer steps on SFT.

The sum of steps is that of sft_then_grpo at tiny (150 + 100); the cost table shows what each share spends.
"""

from dataclasses import replace

from experiments.arms import GRPO, SFT, SFT_THEN_GRPO, UNIAPL
from uniapl.config import Arm, Experiment

STEPS = 250


def pipeline(share: int) -> tuple[Arm, Arm]:
    """The SFT stage that takes `share` percent of the steps, and the GRPO stage that takes the rest."""
    first = round(STEPS * share / 100)
    start = replace(SFT, name=f"sft_{share}", changes={"steps": first}, label="")
    changes = {"steps": STEPS - first}
    return start, replace(SFT_THEN_GRPO, name=f"switch_{share}", start=start.name, changes=changes, label="")


EXPERIMENT = Experiment(
    name="switch",
    question="How does the pipeline's accuracy depend on when it switches, and does UniAPL save the choice?",
    expectation="Best near 50 %; UniAPL between the best and the worst switch point.",
    arms=(SFT, GRPO, SFT_THEN_GRPO, UNIAPL, *(arm for share in (10, 25, 50, 75) for arm in pipeline(share))),
    against=("uniapl", "sft_then_grpo"),
    extended=True,
    worlds=("miniature",),
)
