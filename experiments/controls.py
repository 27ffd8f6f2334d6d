"""What does the adversarial term itself add to SFT?  A-SFT against its own settings with lambda = 0.

A-SFT has UniAPL's learning rate, schedule and rows per step, the SFT arm its own: their difference is of both, settings
and term. The controls differ from A-SFT, alone and before A-GRPO, in the term only. Both claims were asked in
experiments/staged.py first, as staged-4 and staged-7, after a run without controls had been seen.
"""

from experiments.arms import A_SFT, A_SFT_THEN_A_GRPO, SFT, SFT_CONTROL, SFT_CONTROL_THEN_A_GRPO
from experiments.claims import follows_more
from uniapl.config import Experiment

BETTER = "the adversarial term lets SFT follow more prompts"
BETTER_START = "before A-GRPO, A-SFT is a better start than SFT at the same settings"

EXPERIMENT = Experiment(
    name="controls",
    question="Does the adversarial term improve SFT, alone and as the start of A-GRPO, at equal settings?",
    expectation="No difference beyond two points in either direction.",
    arms=(SFT, SFT_CONTROL, A_SFT, SFT_CONTROL_THEN_A_GRPO, A_SFT_THEN_A_GRPO),
    against=("sft_control", "sft_control_then_a_grpo"),
    worlds=("miniature", "public"),
    extended=True,
    claims=(
        follows_more("controls-1", A_SFT, SFT_CONTROL, "[R]", BETTER, differs=("lam", "prompts_per_step")),
        follows_more(
            "controls-2",
            A_SFT_THEN_A_GRPO,
            SFT_CONTROL_THEN_A_GRPO,
            "[R]",
            BETTER_START,
            differs=("start.lam", "start.prompts_per_step"),
        ),
    ),
)
