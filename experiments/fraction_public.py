"""Does GRPO learn more from the share of instructions followed than from all or nothing?

The suite's reward is all or nothing, as the paper's reviews describe it; published training on these prompts pays the
share (baselines/grpo_fraction.py). Prompts have up to five instructions, so a small policy leaves many groups without
any that follows all: the column `zero_variance` says how many teach nothing under each reward.
"""

from experiments.arms import GRPO, GRPO_FRACTION, SFT_THEN_GRPO, SFT_THEN_GRPO_FRACTION
from experiments.claims import follows_more
from uniapl.config import Experiment

EXPERIMENT = Experiment(
    name="fraction_public",
    question="Does paying the share of instructions followed change what GRPO learns, alone and after SFT?",
    expectation="Fewer groups without variance and more prompts followed than under all or nothing; less after SFT.",
    arms=(GRPO, GRPO_FRACTION, SFT_THEN_GRPO, SFT_THEN_GRPO_FRACTION),
    against=("grpo", "sft_then_grpo"),
    worlds=("public",),
    extended=True,
    claims=(
        follows_more("fraction-1", GRPO_FRACTION, GRPO, "ours"),
        follows_more("fraction-2", SFT_THEN_GRPO_FRACTION, SFT_THEN_GRPO, "ours"),
    ),
)
