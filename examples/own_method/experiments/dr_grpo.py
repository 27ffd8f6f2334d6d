"""Does GRPO without its normalisations follow more prompts?  Our method beside the suite's own arm."""

from baselines import dr_grpo
from experiments.arms import GRPO
from experiments.claims import follows_more
from uniapl.config import Arm, Experiment

DR_GRPO = Arm("dr_grpo", dr_grpo, label="Dr. GRPO")

EXPERIMENT = Experiment(
    name="dr_grpo",
    question="Do the normalisations of GRPO's advantage and loss cost accuracy?",
    expectation="No difference that a few prompts can see.",
    arms=(GRPO, DR_GRPO),
    against=("grpo",),
    worlds=("files",),
    claims=(follows_more("dr_grpo-1", DR_GRPO, GRPO, "ours", differs=("loss_type",)),),
)
