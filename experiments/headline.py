"""Headline."""

from uniapl.config import Arm, Experiment

EXPERIMENT = Experiment(
    name="headline",
    question="",
    expectation="",
    arms=(
        Arm("sft", "baselines.sft"),
        Arm("grpo", "baselines.grpo"),
        Arm("sft_then_grpo", "baselines.grpo", start="sft"),
        Arm("uniapl", "uniapl.recipe"),
    ),
    against=("grpo", "sft_then_grpo"),
)
