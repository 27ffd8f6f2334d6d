"""Is GRPO at its plateau after the scale's steps?  Four times as many, beside the arms that learn from demonstrations.

A baseline that still rises is a weak one. The scale's 256 steps are 65,536 rollouts; public training on these prompts
goes to two million (docs/paper_scale.md). The rate is constant after its warm-up: the longer arm goes on where the
shorter ends.
"""

from experiments.arms import GRPO, GRPO_LONG, SFT_THEN_GRPO, SFT_THEN_GRPO_LONG, UNIAPL
from experiments.claims import RATE, follows_more
from uniapl.config import Experiment

STEPS = ("steps",)

EXPERIMENT = Experiment(
    name="longer_public",
    question="What is left of UniAPL's difference to GRPO, and to SFT then GRPO, once these have four times the steps?",
    expectation="GRPO gains several points and stays below UniAPL; SFT then GRPO gains less and ends above it.",
    arms=(GRPO, GRPO_LONG, SFT_THEN_GRPO, SFT_THEN_GRPO_LONG, UNIAPL),
    against=("grpo", "sft_then_grpo"),
    worlds=("public",),
    extended=True,
    claims=(
        follows_more("longer-1", GRPO_LONG, GRPO, "ours", differs=STEPS),
        follows_more("longer-2", UNIAPL, GRPO_LONG, "ours", differs=(*RATE, *STEPS)),
        follows_more("longer-3", SFT_THEN_GRPO_LONG, SFT_THEN_GRPO, "ours", differs=STEPS),
        follows_more("longer-4", UNIAPL, SFT_THEN_GRPO_LONG, "ours", differs=(*RATE, *STEPS)),
    ),
)
